import { ok } from "node:assert/strict";
import fc from "fast-check";
import { farthest, logitsOf, lookUp, normals, temporaryFolder, writeModel } from "./_models.ts";
import { type Stored, stored } from "./_safetensors.ts";
import { forwardLlama, type Llama } from "../reference/llama.ts";
import { geluTanh } from "../reference/neox.ts";

const silu = (x: number) => x / (1 + Math.exp(-x));

/** What each family fixes; the rest is drawn. */
const FAMILIES = {
  llama: {},
  mistral: { qkvBias: false, outBias: false, mlpBias: false },
  qwen2: { qkvBias: true, outBias: false, mlpBias: false },
  qwen3: { mlpBias: false, headNorms: true },
  gemma: { mlpBias: false, gemma: true, activation: geluTanh },
} as const satisfies Record<string, Partial<Llama>>;
type Family = keyof typeof FAMILIES;

const model = fc.record({
  family: fc.constantFrom<Family>("llama", "mistral", "qwen2", "qwen3", "gemma"),
  layers: fc.integer({ min: 1, max: 2 }),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  perKv: fc.integer({ min: 1, max: 4 }),
  headDim: fc.constantFrom(4, 6, 8, 16),
  hidden: fc.integer({ min: 8, max: 30 }),
  intermediate: fc.integer({ min: 1, max: 40 }),
  bias: fc.boolean(),
  mlpBias: fc.boolean(),
  tied: fc.boolean(),
  eps: fc.constantFrom(1e-6, 1e-2),
  theta: fc.constantFrom(100, 10000),
  scaling: fc.constantFrom("default", "linear", "dynamic", "llama3", "yarn"),
  old: fc.boolean(),
});
type Drawn = typeof model extends fc.Arbitrary<infer T> ? T : never;

/** A drawn model's frequencies and magnitude by the formulas of the papers. */
function rotation({ theta, headDim, scaling }: Drawn): { frequencies: number[]; magnitude: number } {
  const plain = Array.from({ length: headDim / 2 }, (_, i) => theta ** (-2 * i / headDim));
  switch (scaling) {
    case "linear":
      return { frequencies: plain.map((f) => f / 4), magnitude: 1 };
    case "llama3": // factor 4, low 1, high 3, trained on 16
      return {
        magnitude: 1,
        frequencies: plain.map((f) => {
          const wavelength = 2 * Math.PI / f;
          if (wavelength < 16 / 3) return f;
          if (wavelength > 16) return f / 4;
          const smooth = (16 / wavelength - 1) / 2;
          return (1 - smooth) * f / 4 + smooth * f;
        }),
      };
    case "yarn": { // factor 4, trained on 16, beta 2 and 0.5
      const at = (turns: number) => headDim * Math.log(16 / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
      const low = Math.max(Math.floor(at(2)), 0), high = Math.min(Math.ceil(at(0.5)), headDim - 1);
      const frequencies = plain.map((f, i) => {
        const kept = 1 - Math.min(1, Math.max(0, (i - low) / (high === low ? 0.001 : high - low)));
        return f / 4 * (1 - kept) + f * kept;
      });
      return { frequencies, magnitude: 0.1 * Math.log(4) + 1 };
    }
    default:
      return { frequencies: plain, magnitude: 1 };
  }
}

const FIELDS: Record<string, Record<string, number>> = {
  default: {},
  linear: { factor: 4 },
  dynamic: { factor: 4 },
  llama3: { factor: 4, low_freq_factor: 1, high_freq_factor: 3, original_max_position_embeddings: 16 },
  yarn: { factor: 4, original_max_position_embeddings: 16, beta_fast: 2, beta_slow: 0.5 },
};

function modelOf(drawn: Drawn): Llama {
  const { layers, kvHeads, perKv, headDim, hidden, intermediate, bias, mlpBias, tied, eps, family } = drawn;
  return {
    ...{ layers, kvHeads, headDim, hidden, intermediate, mlpBias, tied, eps },
    ...rotation(drawn),
    heads: kvHeads * perKv,
    vocab: 40,
    qkvBias: bias,
    outBias: bias,
    headNorms: false,
    gemma: false,
    activation: silu,
    ...FAMILIES[family],
  };
}

function configOf({ family, theta, scaling, old }: Drawn, model: Llama): Record<string, unknown> {
  return {
    model_type: family,
    attention_bias: family === "qwen2" ? undefined : model.qkvBias,
    mlp_bias: model.mlpBias,
    head_dim: model.headDim,
    hidden_act: family === "gemma" ? "gelu_pytorch_tanh" : "silu",
    hidden_size: model.hidden,
    intermediate_size: model.intermediate,
    max_position_embeddings: 64,
    num_attention_heads: model.heads,
    num_hidden_layers: model.layers,
    num_key_value_heads: model.kvHeads,
    rms_norm_eps: model.eps,
    sliding_window: null,
    tie_word_embeddings: model.tied,
    vocab_size: model.vocab,
    ...(old
      ? { rope_theta: theta, rope_scaling: scaling === "default" ? null : { type: scaling, ...FIELDS[scaling] } }
      : { rope_parameters: { rope_type: scaling, rope_theta: theta, ...FIELDS[scaling] } }),
  };
}

function tensorsOf(model: Llama, seed: number): [Map<string, Float64Array>, Record<string, Stored>] {
  const { hidden, heads, kvHeads, headDim, intermediate, vocab } = model;
  const normal = normals(seed);
  const numbers = new Map<string, Float64Array>();
  const tensors: Record<string, Stored> = {};
  const put = (name: string, shape: number[]) => {
    const isNorm = /norm\.weight$/.test(name);
    const [scale, shift] = shape.length === 2 && !name.includes("embed")
      ? [1.2 / Math.sqrt(shape[1]!), 0]
      : [isNorm ? 0.3 : model.gemma ? 0.2 : 1, isNorm && !model.gemma ? 1 : 0];
    const values = Float64Array.from(
      { length: shape.reduce((a, b) => a * b) },
      () => Math.fround(shift + scale * normal()),
    );
    numbers.set(name, values);
    tensors[name] = stored("F32", shape, values);
  };
  const matrix = (name: string, out: number, inner: number, bias: boolean) => {
    put(`${name}.weight`, [out, inner]);
    if (bias) put(`${name}.bias`, [out]);
  };
  put("model.embed_tokens.weight", [vocab, hidden]);
  for (let layer = 0; layer < model.layers; layer++) {
    const at = `model.layers.${layer}`;
    put(`${at}.input_layernorm.weight`, [hidden]);
    put(`${at}.post_attention_layernorm.weight`, [hidden]);
    matrix(`${at}.self_attn.q_proj`, heads * headDim, hidden, model.qkvBias);
    matrix(`${at}.self_attn.k_proj`, kvHeads * headDim, hidden, model.qkvBias);
    matrix(`${at}.self_attn.v_proj`, kvHeads * headDim, hidden, model.qkvBias);
    matrix(`${at}.self_attn.o_proj`, hidden, heads * headDim, model.outBias);
    if (model.headNorms) { for (const which of ["q", "k"]) put(`${at}.self_attn.${which}_norm.weight`, [headDim]); }
    matrix(`${at}.mlp.gate_proj`, intermediate, hidden, model.mlpBias);
    matrix(`${at}.mlp.up_proj`, intermediate, hidden, model.mlpBias);
    matrix(`${at}.mlp.down_proj`, hidden, intermediate, model.mlpBias);
  }
  put("model.norm.weight", [hidden]);
  if (!model.tied) put("lm_head.weight", [vocab, hidden]);
  return [numbers, tensors];
}

Deno.test("Llama and its relatives compute what a plain forward pass in float64 does, whatever the shape and form", () => {
  const passes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(model, passes, fc.nat(), (drawn, passes, seed) => {
      const model = modelOf(drawn);
      const [numbers, tensors] = tensorsOf(model, seed);
      const ids = Array.from({ length: passes.reduce((a, b) => a + b) }, (_, i) => (seed >>> i) % 40);
      const expected = forwardLlama(model, lookUp(numbers), ids);
      using folder = temporaryFolder();
      writeModel(folder.path, configOf(drawn, model), tensors);
      const largest = Math.max(1, ...expected.flat().map(Math.abs));
      for (const attention of ["explicit", "fused"] as const) {
        if (attention === "fused" && model.headDim % 8) continue;
        const difference = farthest(logitsOf(folder.path, ids, passes, attention), expected);
        ok(difference < 1e-5 * largest, `${drawn.family}, ${attention}: off by ${difference} of ${largest}`);
      }
    }),
    { numRuns: 100 },
  );
});
