import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { DTYPES, type FloatType } from "../../lib/util/dtype.ts";
import { ConfigReader } from "../../lib/model/folder/config_reader.ts";
import { specOf } from "../../lib/model/folder/model_folder.ts";
import { SHAPES } from "../../lib/model/shapes.ts";
import { floorSeconds, modelCost, prefillFlops } from "../../lib/roofline/floor.ts";

const shape = fc.record({
  layers: fc.integer({ min: 1, max: 5 }),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  half: fc.integer({ min: 1, max: 16 }),
  hidden: fc.integer({ min: 1, max: 60 }),
  inner: fc.integer({ min: 1, max: 90 }),
  vocab: fc.integer({ min: 2, max: 500 }),
  tied: fc.boolean(),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

function llama({ layers, kvHeads, group, half, hidden, inner, vocab, tied }: Shape) {
  return specOf(
    new ConfigReader("config.json", {
      model_type: "llama",
      hidden_act: "silu",
      hidden_size: hidden,
      intermediate_size: inner,
      max_position_embeddings: 128,
      num_attention_heads: kvHeads * group,
      num_hidden_layers: layers,
      num_key_value_heads: kvHeads,
      head_dim: 2 * half,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: tied,
      vocab_size: vocab,
    }),
  );
}

/** Number of elements in a Llama block's matrices, from its paper. */
function blockMatrices({ kvHeads, group, half, hidden, inner }: Shape): number {
  const queries = kvHeads * group * 2 * half, keys = kvHeads * 2 * half;
  return 2 * hidden * queries + 2 * hidden * keys + 3 * hidden * inner;
}

Deno.test("modelCost() of Llama's shape is its count by hand, tied or not", () => {
  fc.assert(fc.property(shape, fc.constantFrom<FloatType>("float16", "float32"), (shape, dtype) => {
    const { layers, hidden, vocab, tied, kvHeads, half } = shape;
    const { bytes } = DTYPES[dtype];
    const blocks = layers * (blockMatrices(shape) + 2 * hidden) + hidden;
    const cost = modelCost(llama(shape), dtype);
    equal(cost.weightBytes, bytes * (blocks + (tied ? 1 : 2) * vocab * hidden));
    // The output matrix is read whole; of a separate embedding, one row.
    equal(cost.stepWeightBytes, bytes * (blocks + vocab * hidden + (tied ? 0 : hidden)));
    equal(cost.entryBytes, bytes * 2 * kvHeads * 2 * half);
  }));
});

Deno.test("prefillFlops() of Llama's shape is the sum over its tokens, by hand", () => {
  fc.assert(fc.property(shape, fc.integer({ min: 1, max: 40 }), (shape, tokens) => {
    const { layers, kvHeads, group, half, hidden, vocab } = shape;
    let flops = 2 * vocab * hidden;
    for (let token = 0; token < tokens; token++) {
      flops += 2 * layers * blockMatrices(shape);
      // Scores of the token's queries with its own key and the earlier ones, and the sum of as many values.
      for (let key = 0; key <= token; key++) flops += layers * kvHeads * group * 2 * (2 * half * 2);
    }
    equal(prefillFlops(llama(shape), tokens), flops);
  }));
});

Deno.test("modelCost() of Pythia-2.8B in float16 is what is known of it", () => {
  const spec = specOf(new ConfigReader("config.json", SHAPES["pythia-2.8b"]!));
  const { weightBytes, stepWeightBytes, entryBytes } = modelCost(spec, "float16");
  equal(weightBytes, 2 * 2_775_208_960); // its parameters: Biderman et al. 2023, arXiv:2304.01373
  equal(weightBytes - stepWeightBytes, 2 * 50303 * 2560);
  equal(32 * entryBytes, 327_680);
  ok(Math.abs(floorSeconds(weightBytes, 3.03e12) - 1.83e-3) < 0.01e-3);
});

Deno.test("modelCost() reads one row of a table of learned positions", () => {
  const spec = specOf(new ConfigReader("config.json", SHAPES["gpt2-xl"]!));
  const { weightBytes, stepWeightBytes } = modelCost(spec, "float16");
  equal(weightBytes - stepWeightBytes, 2 * 1023 * 1600); // its embedding is the output matrix
});
