/** Faults in the decoder and in how passes are numbered and fed. */
import { type Mutant, of, type Tests } from "./mutant.ts";

const LOGITS = (name: string): Tests => ["tests/model/families.test.ts", `${name} gives the reference's logits`];
const NLL = (name: string): Tests => ["tests/model/families.test.ts", `${name} gives the reference's NLL`];
const METHODS: Tests = ["tests/cache/methods.test.ts", "random models"];
const ATTENTION: Tests = ["tests/cache/attention.test.ts"];
const POSITIONS: Tests = ["tests/cache/positions.test.ts"];
const KERNELS: Tests = ["tests/kernels/step.test.ts"];

/** All of them. */
export const MODEL_MUTANTS: readonly Mutant[] = [
  ...of("lib/engine/numbering.ts", METHODS, POSITIONS)(
    [
      "seed positions count the text",
      `windowBy: "rank", byHeld: true, limitedBy: "layer 0"`,
      `windowBy: "rank", byHeld: false, limitedBy: "layer 0"`,
    ],
    [
      "cache positions rotate when keys are written",
      `{ rotate: "read", ranked: true`,
      `{ rotate: "write", ranked: true`,
    ],
    [
      "windows count places though positions are the text's",
      `ranked: false, windowBy: "index"`,
      `ranked: false, windowBy: "rank"`,
      ["tests/model/families.test.ts", "mistral-window keeps"],
      ATTENTION,
    ],
  ),
  ...of("lib/engine/pass.ts", METHODS)(
    [
      "a prompt's ring begins one early",
      "const first = textIndex + tokens - indices.length;",
      "const first = textIndex + tokens - indices.length - (tokens > 1 ? 1 : 0);",
    ],
    [
      "positions of a pass are all its first",
      "positions[i] = BigInt(position + i)",
      "positions[i] = BigInt(position)",
      LOGITS("llama-gqa"),
    ],
  ),
  ...of("lib/engine/sequence.ts", METHODS)(
    [
      "the text's index stands still in steps",
      "    this.#textIndex += tokens;\n",
      "    this.#textIndex += tokens > 1 ? tokens : 0;\n",
      NLL("llama-gqa"),
      METHODS,
    ],
  ),
  ...of("lib/model/graph/rope/rope.ts", LOGITS("llama-gqa"))(
    [
      "angles are 5 % too large",
      "Math.fround(p * rope.frequencies[i]!)",
      "Math.fround(1.05 * p * rope.frequencies[i]!)",
    ],
    [
      "angles are 0.1 % too large",
      "Math.fround(p * rope.frequencies[i]!)",
      "Math.fround(1.001 * p * rope.frequencies[i]!)",
    ],
  ),
  ...of("lib/model/graph/rope/read_rope.ts", LOGITS("llama-gqa"))([
    "frequencies fall too fast",
    "Math.fround((2 * i) / dim)",
    "Math.fround((2 * i + 1) / dim)",
  ]),
  ...of("lib/model/graph/rope/rope_scaling.ts", LOGITS("llama3-rope-scaling"))([
    "llama3 scales fast pairs",
    "if (turns > high) return f;",
    "if (turns > 2 * high) return f;",
    LOGITS("llama3-rope-scaling"),
    ["tests/model/rope.test.ts"],
  ]),
  ...of("lib/model/graph/rope/rotary.ts", LOGITS("llama-dynamic"))([
    "a growing base grows too much",
    "g.scalar(factor - 1)",
    "g.scalar(factor - 2)",
  ]),
  ...of("lib/model/graph/layer_ops.ts", LOGITS("gemma"))(
    [
      "eps is ten times as large",
      "epsilon: { float: eps } };\n",
      "epsilon: { float: 10 * eps } };\n",
      LOGITS("llama-gqa"),
      LOGITS("gpt2"),
      ["tests/model/reference.test.ts"],
    ],
    ["norms stored less one are used as stored", "return spec.norm.plusOne ?", "return spec.norm.plusOne && false ?"],
    [
      "a gate is not activated",
      'active = this.g.op("Mul", [active, this.linear',
      'active = this.g.op("Mul", [wide.product, this.linear',
    ],
  ),
  ...of("lib/model/graph/embedding.ts", LOGITS("opt"))(
    [
      "learned positions have no offset",
      'learned.offset ? g.op("Add", [places, g.ints(learned.offset)]) : places',
      "places",
    ],
    [
      "embeddings are not scaled",
      "spec.embeddingScale === undefined\n",
      "spec.embeddingScale !== null\n",
      LOGITS("gemma"),
    ],
  ),
  ...of("lib/model/graph/attention/explicit.ts", LOGITS("llama-gqa"), ATTENTION)(
    [
      "query heads of a KV head are not adjacent",
      'g.op("Transpose", [g.reshape(scaled, 1, -1, kvHeads, perKv, headDim)], { perm: [0, 2, 3, 1, 4] })',
      'g.op("Transpose", [g.reshape(scaled, 1, -1, perKv, kvHeads, headDim)], { perm: [0, 3, 2, 1, 4] })',
    ],
    ["attention is summed over query heads", 'g.op("Mul", [x, g.scalar(1 / over)])', "x", ATTENTION],
    [
      "the window's first query does not vote",
      "g.ints(-use.window)",
      "g.ints(Math.min(-1, 1 - use.window))",
      ATTENTION,
      METHODS,
    ],
  ),
  ...of("lib/model/graph/attention/attention_mask.ts", LOGITS("mistral-window"), ATTENTION)(
    [
      "a token sees the next",
      'filled: g.op("LessOrEqual", [slots, places])',
      'filled: g.op("LessOrEqual", [slots, g.op("Add", [places, g.ints(1)])])',
    ],
    [
      "a model's window is one long",
      'g.op("Greater", [slots, g.op("Sub", [places, g.ints(window)])])',
      'g.op("GreaterOrEqual", [slots, g.op("Sub", [places, g.ints(window)])])',
    ],
    [
      "a model's window is one short after evictions",
      'float(g.op("Sub", [queries, g.ints(window)]))',
      'float(g.op("Sub", [queries, g.ints(window - 1)]))',
      ATTENTION,
    ],
  ),
  ...of("lib/model/spec.ts", LOGITS("llama-gqa"))([
    "scores are scaled by the head size",
    "?? 1 / Math.sqrt(headDim)",
    "?? 1 / headDim",
  ]),
  ...of("lib/model/graph/head.ts", NLL("gpt2"))(
    [
      "the NLL is that of the token before the target",
      "emitPick(g, logits, target)]);\n  const nll",
      'emitPick(g, logits, g.op("Max", [g.op("Sub", [target, g.ints(1)]), g.ints(0)]))]);\n  const nll',
    ],
    [
      "the argmax is the last of equal logits",
      '    g.scalar(vocab - 1),\n  ]);\n  return g.op("ReduceMin", [',
      '    g.scalar(-1),\n  ]);\n  return g.op("ReduceMax", [',
      ["tests/model/decoder.test.ts"],
    ],
  ),
  ...of("lib/model/step/step_attention.ts", KERNELS)(
    ["all layers' attention goes to the first", "4 * index * kvHeads * capacity,", "0 * index * kvHeads * capacity,"],
    [
      "keys are not normalized by head",
      "keyScale: headNorms && this.weights(headNorms.key.weight)",
      "keyScale: headNorms && this.weights(headNorms.query.weight)",
    ],
  ),
  ...of("lib/model/step/step_graph.ts", KERNELS)(
    ["a parallel block multiplies its parts", 'combine: "sum",', 'combine: "gated",'],
    ["norms of a step are used as stored", "shift, eps, plusOne };", "shift, eps, plusOne: false };"],
    ["a step's embedding is not scaled", "scale: roundTo(dtype, spec.embeddingScale ?? 1),", "scale: 1,"],
  ),
  ...of("lib/kernels/drop_program.ts", KERNELS, ["tests/kernels/drop_program.test.ts"])(
    [
      "differences are the other way round",
      "!emit(s.a, below) || !emit(s.b, below + 1)",
      "!emit(s.b, below) || !emit(s.a, below + 1)",
    ],
    [
      "products of values are of keys",
      'return s.name === "values" ? OF_VALUES : 0;',
      'return s.name === "keys" ? OF_VALUES : 0;',
    ],
  ),
];
