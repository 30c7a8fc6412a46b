import { EMBEDDED_MODEL_ID } from "../../run/plan/find_model.ts";
import { POSITIONS } from "../../engine/numbering.ts";
import { STRATEGIES } from "../../policies/fix_size_l2.ts";
import { PROFILES } from "../../policies/pyramid_kv.ts";
import { methodNames } from "../../policies/registry.ts";
import { POOLINGS } from "../../policies/snapkv.ts";
import type { FlagName, Flags, FlagSpec } from "./types.ts";
import { machineFlags } from "./machine_flags.ts";
import { modelFlags } from "./model_flags.ts";
import { textFlags } from "./text_flags.ts";
import { choice, factor, type FlagReader, integer, listOf, noneOr, odd, ratio, share, text } from "./values.ts";

const size = integer(1);
const sizes = listOf(size);
const list = (read: FlagReader<readonly number[]>, fallback: readonly number[]) =>
  ({ value: "LIST", read, default: fallback }) as const;
const count = (read: FlagReader<number>, fallback: number) => ({ value: "N", read, default: fallback }) as const;
const byDevice = (min: number, why?: string) => ({ value: "N", read: integer(min, why), default: undefined }) as const;
const off = { default: false } as const;

const WHAT = "What to run";
const LENGTH = "How much to measure";
const MACHINE = "On what";
const PAPERS = "h2o, tova, snapkv, pyramid_snapkv, keydiff";
const OUT = "Output";

/** Every flag, in the order of the help. The parser, the help and the defaults are all made from it. */
export const FLAG_TABLE: { readonly [K in FlagName]: FlagSpec<Flags[K]> } = {
  ...modelFlags(WHAT, EMBEDDED_MODEL_ID),
  ...textFlags(WHAT),
  method: {
    group: WHAT,
    help: `one of ${methodNames.join(", ")}`,
    value: "NAME",
    read: choice(methodNames),
    default: "streaming_llm",
  },
  compare_all: { group: WHAT, help: "streaming_llm and the methods by key norm, at 512 and 1024 entries", ...off },
  compare_new: { group: WHAT, help: "h2o_l2, snapkv_lite, pyramid_kv and adaptive_l2, at 512 entries", ...off },
  compare_papers: {
    group: WHAT,
    help: "streaming_llm, a random choice, h2o, tova, snapkv, pyramid_snapkv and keydiff, at --cache_sizes",
    ...off,
  },
  no_baseline: { group: WHAT, help: "leave out the full cache", ...off },
  no_recent_only: { group: WHAT, help: "leave out the control group of each size", ...off },
  skip_layers: { group: WHAT, help: "layers never compressed, or none", ...list(noneOr(listOf(integer(0))), [0, 1]) },
  positions: {
    group: WHAT,
    help: "how tokens are numbered: absolute, by position in the text; cache, by position in the cache; seed, as " +
      "the Python benchmark did. With several, each is measured",
    value: "LIST",
    read: listOf(choice(POSITIONS)),
    default: ["absolute"],
  },
  seed: { group: WHAT, help: "seed of every random choice", ...count(integer(0), 0) },

  num_samples: { group: LENGTH, help: "text samples", ...byDevice(1) },
  max_tokens: { group: LENGTH, help: "tokens of the quality pass", ...byDevice(1) },
  max_new_tokens: {
    group: LENGTH,
    help: "tokens generated in the speed pass",
    ...byDevice(2, "the time per output token is measured on the tokens after the first"),
  },
  prompt_tokens: { group: LENGTH, help: "tokens of the speed pass's prompt", ...byDevice(1) },
  prefill_chunk: {
    group: LENGTH,
    help: "tokens of the speed pass's prompt per chunk; the method is applied after each chunk",
    value: "N",
    read: size,
    default: undefined,
    defaultText: "the whole prompt",
  },
  num_warmup: { group: LENGTH, help: "runs before the clock starts", ...byDevice(0) },

  ...machineFlags(MACHINE),
  attention: {
    group: MACHINE,
    help: "auto, fused or explicit: one kernel, or MatMul, Softmax, MatMul",
    value: "NAME",
    read: choice(["auto", "fused", "explicit"]),
    default: "auto",
  },

  window_sizes: {
    group: "recent_only",
    help: "entries kept",
    ...list(sizes, [256, 512, 1024]),
    methods: ["recent_only"],
  },
  start_size: {
    group: "streaming_llm, h2o_l2",
    help: "first entries kept (attention sinks)",
    ...count(integer(0), 4),
    methods: ["streaming_llm", "h2o_l2"],
  },
  recent_sizes: {
    group: "streaming_llm",
    help: "last entries kept",
    ...list(sizes, [252, 508, 1020]),
    methods: ["streaming_llm"],
  },
  keep_ratios: {
    group: "fix_size_l2, l2_compress",
    help: "fix_size_l2: share of the size that is recent; l2_compress: share kept",
    ...list(listOf(ratio), [0.8, 0.5, 0.3]),
    methods: ["fix_size_l2", "l2_compress"],
  },
  fix_kv_sizes: { group: "fix_size_l2", help: "entries kept", ...list(sizes, [256, 512]), methods: ["fix_size_l2"] },
  strategies: {
    group: "fix_size_l2",
    help: `what is kept in addition to the recent entries: ${Object.keys(STRATEGIES).join(", ")}`,
    value: "LIST",
    read: listOf(choice(Object.keys(STRATEGIES))),
    default: ["keep_low"],
    methods: ["fix_size_l2"],
  },
  prune_after: {
    group: "l2_compress",
    help: "entries up to which nothing is dropped",
    ...count(size, 100),
    methods: ["l2_compress"],
  },
  heavy_hitter_sizes: {
    group: "h2o_l2",
    help: "entries kept by key norm",
    ...list(sizes, [32, 64, 128]),
    methods: ["h2o_l2"],
  },
  h2o_recent_size: { group: "h2o_l2", help: "last entries kept", ...count(size, 444), methods: ["h2o_l2"] },
  observation_windows: {
    group: "snapkv_lite",
    help: "last entries kept",
    ...list(sizes, [16, 32, 64]),
    methods: ["snapkv_lite"],
  },
  snapkv_keep_sizes: { group: "snapkv_lite", help: "entries kept", ...list(sizes, [512]), methods: ["snapkv_lite"] },
  base_sizes: {
    group: "pyramid_kv",
    help: "entries kept in the first layer",
    ...list(sizes, [256, 512]),
    methods: ["pyramid_kv"],
  },
  layer_decay: {
    group: "pyramid_kv",
    help: "factor from layer to layer, exponential only",
    value: "X",
    read: ratio,
    default: 0.9,
    methods: ["pyramid_kv"],
  },
  min_size: { group: "pyramid_kv", help: "entries every layer may keep", ...count(size, 64), methods: ["pyramid_kv"] },
  pyramid_profile: {
    group: "pyramid_kv",
    help: `how sizes fall over the layers: ${Object.keys(PROFILES).join(", ")}`,
    value: "NAME",
    read: choice(Object.keys(PROFILES)),
    default: "exponential",
    methods: ["pyramid_kv"],
  },
  target_sizes: {
    group: "adaptive_l2",
    help: "entries kept once over the hard limit",
    ...list(sizes, [256, 512]),
    methods: ["adaptive_l2"],
  },
  soft_limit: {
    group: "adaptive_l2",
    help: "entries up to which nothing is dropped",
    ...count(size, 256),
    methods: ["adaptive_l2"],
  },
  hard_limit: {
    group: "adaptive_l2",
    help: "entries above which the target size applies",
    ...count(size, 1024),
    methods: ["adaptive_l2"],
  },

  cache_sizes: {
    group: PAPERS,
    help: "entries kept",
    ...list(sizes, [256, 512]),
    methods: ["h2o", "tova", "snapkv", "pyramid_snapkv", "keydiff"],
  },
  heavy_ratio: {
    group: PAPERS,
    help: "h2o: share of the size kept by attention; the rest are the last entries",
    value: "X",
    read: ratio,
    default: 0.5,
    methods: ["h2o"],
  },
  sink_size: { group: PAPERS, help: "h2o: first entries kept, of the size", ...count(integer(0), 0), methods: ["h2o"] },
  query_window: {
    group: PAPERS,
    help: "snapkv, pyramid_snapkv: the observation window: last queries that vote, last entries kept",
    ...count(size, 32),
    methods: ["snapkv", "pyramid_snapkv"],
  },
  pooling: {
    group: PAPERS,
    help: `snapkv, pyramid_snapkv: what votes are smoothed by, ${Object.keys(POOLINGS).join(" or ")}`,
    value: "NAME",
    read: choice(Object.keys(POOLINGS)),
    default: "avg",
    methods: ["snapkv", "pyramid_snapkv"],
  },
  pooling_kernel: {
    group: PAPERS,
    help: "snapkv, pyramid_snapkv: neighbours votes are smoothed over, odd",
    value: "N",
    read: odd,
    default: undefined,
    defaultText: "5, or 7 with --pooling max",
    methods: ["snapkv", "pyramid_snapkv"],
  },
  pyramid_beta: {
    group: PAPERS,
    help: "pyramid_snapkv: how steeply sizes fall over the layers; at 1 all layers keep the same",
    value: "X",
    read: factor,
    default: 20,
    methods: ["pyramid_snapkv"],
  },
  keydiff_recent_ratio: {
    group: PAPERS,
    help: "keydiff: share of the size reserved for the last entries; at 0, quality collapses",
    value: "X",
    read: share,
    default: 0.25,
    methods: ["keydiff"],
  },

  output: {
    group: OUT,
    help: "folder in which the run's own folder is made",
    value: "DIR",
    read: text,
    default: "results",
  },
  resume: {
    group: OUT,
    help: "resume the run in this folder, which ended early: measure what is missing. Its flags are reused; " +
      "the model, the text, the flags and the code must be the same",
    value: "DIR",
    read: text,
    default: undefined,
    defaultText: "a new run",
  },
  timeout: {
    group: OUT,
    help: "longest time for a configuration, seconds; one that takes longer is recorded as failed",
    value: "S",
    read: size,
    default: undefined,
    defaultText: "no limit",
  },
  trace: {
    group: OUT,
    help: "write and draw which text positions each layer and head holds at the end of the quality pass, for the " +
      "first sample; steps take a little longer",
    ...off,
  },
  trace_every: {
    group: OUT,
    help: "the same, every N tokens as well",
    value: "N",
    read: size,
    default: undefined,
    defaultText: "at the end only",
  },
  plot_nll: {
    group: OUT,
    help: "draw perplexity along the text; always drawn where the text is longer than the model's training length",
    ...off,
  },
  memory: { group: OUT, help: "print where each configuration's memory goes, below the table", ...off },
  json: { group: OUT, help: "print results.json on stdout instead of the table", ...off },
  help: { group: OUT, help: "print this and stop", short: "h", ...off },
  version: { group: OUT, help: "print the version and stop", short: "V", ...off },
};

/** Names of all flags, in the order of the help. */
export const flagNames: readonly FlagName[] = Object.keys(FLAG_TABLE) as FlagName[];
