/** Faults in the methods: sizes and scores. */
import { type Mutant, of, type Tests } from "./mutant.ts";

const POLICIES: Tests = ["tests/policies/policies.test.ts"];
const SIZES: Tests = ["tests/policies/golden_sizes.test.ts"];
const METHODS: Tests = ["tests/cache/methods.test.ts", "random models"];
const GOLDEN = (part: string): Tests => ["tests/run/parity.test.ts", part];

/** All of them. */
export const POLICY_MUTANTS: readonly Mutant[] = [
  ...of("lib/policies/streaming_llm.ts", SIZES, METHODS)(
    [
      "streaming_llm keeps one recent entry less",
      "heavy: 0, recent: recent_size }",
      "heavy: 0, recent: recent_size - 1 }",
    ],
    [
      "streaming_llm acts one entry late",
      "entries > start_size + recent_size",
      "entries > start_size + recent_size + 1",
    ],
    [
      "streaming_llm gives a sink to the window",
      "sink: start_size, heavy: 0, recent: recent_size",
      "sink: start_size - 1, heavy: 0, recent: recent_size + 1",
      METHODS,
      SIZES,
    ],
  ),
  ...of("lib/policies/h2o_l2.ts", METHODS)([
    "h2o_l2 keeps the highest norms",
    "score: () => neg(keyNorm)",
    "score: () => keyNorm",
  ]),
  ...of("lib/policies/l2_compress.ts", SIZES)(
    ["l2_compress rounds down", "Math.ceil(keep_ratio * entries)", "Math.floor(keep_ratio * entries)"],
    [
      "l2_compress keeps the highest norms",
      "score: () => neg(keyNorm)",
      "score: () => keyNorm",
      POLICIES,
      GOLDEN("l2_kr0.8, skip 0,1, absolute"),
    ],
  ),
  ...of("lib/policies/adaptive_l2.ts", SIZES)(
    ["adaptive_l2 falls too slowly", "0.9 - progress * 0.6", "0.9 - progress * 0.5", SIZES, POLICIES],
    [
      "adaptive_l2 has one sink more",
      "return { sink: 4, heavy: target - 4 - recent, recent }",
      "return { sink: 5, heavy: target - 5 - recent, recent }",
      SIZES,
      POLICIES,
    ],
  ),
  ...of("lib/policies/pyramid_kv.ts", SIZES, POLICIES)(
    ["pyramid_kv decays one layer early", "base * decay ** layer)", "base * decay ** (layer + 1))"],
    [
      "pyramid_kv falls below its least size",
      "Math.max(budget({ base, decay, min, layer, layers }), min)",
      "Math.max(budget({ base, decay, min, layer, layers }), min - 1)",
    ],
    [
      "pyramid_kv is linear over one layer too many",
      "layer * (base - min) / Math.max(layers - 1, 1)",
      "layer * (base - min) / Math.max(layers, 1)",
    ],
  ),
  ...of("lib/policies/pyramid_snapkv.ts", METHODS, POLICIES)(
    ["pyramid_snapkv falls over one layer too many", "const unit = layers - 1;", "const unit = layers;"],
  ),
  ...of("lib/policies/snapkv.ts", METHODS, POLICIES)(
    [
      "snapkv's window votes with one query more",
      `attention: ({ observation_window: window }) => ({ from: "last", window })`,
      `attention: ({ observation_window: window }) => ({ from: "last", window: window + 1 })`,
    ],
    ["snapkv pools the average for the largest", "maxPool(kernel, attention)", "avgPool(kernel, attention)"],
  ),
  ...of("lib/policies/snapkv_lite.ts", POLICIES)(
    ["snapkv_lite's largest norm scores zero", "constant(1e-6)", "constant(0)"],
    [
      "snapkv_lite only negates norms",
      'sub(add(maxOver("entries", keyNorm), constant(1e-6)), keyNorm)',
      "sub(constant(1e-6), keyNorm)",
    ],
  ),
  ...of("lib/policies/tova.ts", METHODS)([
    "tova lets each head choose",
    `({ from: "last", window: 1, share: "layer" })`,
    `({ from: "last", window: 1 })`,
    ["tests/model/families.test.ts", "llama-gqa keeps"],
    METHODS,
  ]),
  ...of("lib/policies/h2o.ts", METHODS)([
    "h2o's heavy entries and window are exchanged",
    '{ sink, heavy, recent } : "all"',
    '{ sink, heavy: recent, recent: heavy } : "all"',
    POLICIES,
    SIZES,
    METHODS,
  ]),
  ...of("lib/policies/keydiff.ts", METHODS)([
    "keydiff keeps keys like the mean",
    `score: () => neg(sumOver("dim", mul(direction, meanOver("entries", direction))))`,
    `score: () => sumOver("dim", mul(direction, meanOver("entries", direction)))`,
  ]),
];
