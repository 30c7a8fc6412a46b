/** What each family's config.json may say, and what is refused. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../../lib/util/errors.ts";
import { fusedObstacle } from "../../lib/model/graph/attention/fused.ts";
import { ConfigReader } from "../../lib/model/folder/config_reader.ts";
import { type ModelFolder, openModelFolder, specOf } from "../../lib/model/folder/model_folder.ts";
import { positionsObstacle } from "../../lib/model/positions.ts";
import { writeRandomModel } from "../../lib/model/random_model.ts";
import { SHAPES } from "../../lib/model/shapes.ts";
import { visitWeights } from "../../lib/model/graph/visit_weights.ts";
import { farthest, logitsOf, temporaryFolder, writeFiles } from "./_models.ts";
import { ReferenceCache } from "../reference/cache.ts";
import { weightsOf } from "./_weights.ts";
import { SpecDecoder } from "../reference/spec.ts";
import { safetensors, type Stored } from "./_safetensors.ts";

const TINY = new URL("../fixtures/tiny/", import.meta.url);
const folderOf = (name: string) => new URL(name, TINY).pathname;
const NAMES = [...Deno.readDirSync(TINY)].map(({ name }) => name).sort();
const configOf = (name: string): Record<string, unknown> =>
  JSON.parse(Deno.readTextFileSync(`${folderOf(name)}/config.json`));
const specWith = (name: string, change: Record<string, unknown>) =>
  specOf(new ConfigReader("config.json", { ...configOf(name), ...change }));

const fails = (name: string, change: Record<string, unknown>, message: RegExp) =>
  throws(() => specWith(name, change), (error: unknown) => {
    ok(error instanceof InputError, `${error}`);
    match(error.message, message);
    return true;
  });

Deno.test("well-known shapes have the parameters that the reference's models of their config have", () => {
  const parameters = (name: string) => {
    const weights = new Map<string, number>();
    visitWeights(specOf(new ConfigReader(name, SHAPES[name]!)), (weight, shape) => {
      weights.set(weight, shape.reduce((a, b) => a * b));
    });
    return [...weights.values()].reduce((a, b) => a + b);
  };
  deepEqual(Object.fromEntries(Object.keys(SHAPES).map((name) => [name, parameters(name)])), {
    "pythia-70m": 70_426_624,
    "pythia-160m": 162_322_944,
    "pythia-410m": 405_334_016,
    "pythia-1b": 1_011_781_632,
    "pythia-1.4b": 1_414_647_808,
    "pythia-2.8b": 2_775_208_960,
    "pythia-6.9b": 6_857_302_016,
    "pythia-12b": 11_846_072_320,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.1-8b": 8_030_261_248,
    "tinyllama-1.1b": 1_100_048_384,
    "smollm2-135m": 134_515_008,
    "mistral-7b": 7_241_732_096,
    "qwen2.5-0.5b": 494_032_768,
    "qwen3-0.6b": 596_049_920,
    "gemma-2b": 2_506_172_416,
    "phi-2": 2_779_683_840,
    "opt-1.3b": 1_315_758_080,
    "gpt2-xl": 1_557_611_200,
  });
});

Deno.test("each layer has the sliding window that is in force there", () => {
  const windows = (name: string, change: Record<string, unknown>) => {
    const { window, layers } = specWith(name, change);
    return Array.from({ length: layers }, (_, layer) => window?.(layer));
  };
  const none = [undefined, undefined, undefined];
  const mistral = (change: object) => windows("llama-gqa", { model_type: "mistral", ...change });
  deepEqual(mistral({}), [4096, 4096, 4096]);
  deepEqual(mistral({ sliding_window: null }), none);
  deepEqual(mistral({ sliding_window: 100 }), [100, 100, 100]);
  const [full, sliding] = ["full_attention", "sliding_attention"];
  for (const name of ["qwen2", "qwen3"]) {
    const qwen = (change: object) => windows(name, { sliding_window: 100, layer_types: null, ...change });
    deepEqual(qwen({}), none);
    deepEqual(qwen({ use_sliding_window: true }), none); // max_window_layers is 28
    deepEqual(qwen({ use_sliding_window: true, max_window_layers: 2 }), [undefined, undefined, 100]);
    deepEqual(qwen({ use_sliding_window: true, max_window_layers: 0, sliding_window: null }), none);
    const types = (...layer_types: unknown[]) => ({ use_sliding_window: true, layer_types });
    deepEqual(qwen(types(full, sliding, full)), [undefined, 100, undefined]);
    for (const wrong of [types(full, sliding), types(full, sliding, "chunked_attention"), types(1, 2, 3)]) {
      fails(name, { sliding_window: 100, ...wrong }, /"layer_types" must be 3 times "full_attention" or "sliding_at/);
    }
    fails(name, { ...types(full, sliding, full), use_sliding_window: false }, /"layer_types" must be without "slidi/);
  }
  fails("llama-gqa", { model_type: "mistral", sliding_window: 0 }, /"sliding_window" must be a whole number/);
});

Deno.test("texts longer than a sliding window take explicit attention", () => {
  const mistral = specWith("llama-gqa", { model_type: "mistral", sliding_window: 100 });
  const options = { dtype: "float32", device: "cpu" } as const;
  equal(fusedObstacle(mistral, { ...options, maxPositions: 100 }), undefined);
  match(
    fusedObstacle(mistral, { ...options, maxPositions: 101 })!,
    /the model's sliding window of 100 tokens by slots/,
  );
});

Deno.test("positionsObstacle() says where positions end, and that learned ones are not those of the cache", () => {
  const gpt2 = specWith("gpt2", {});
  equal(positionsObstacle(gpt2, "absolute", 256), undefined);
  equal(positionsObstacle(gpt2, "seed", 257), "its table of learned positions ends at 256");
  match(positionsObstacle(gpt2, "cache", 1)!, /^gpt2 models add learned positions to the tokens/);
});

Deno.test("rotary settings are read from where the reference reads them", () => {
  const rope = (change: Record<string, unknown>) => specWith("llama-gqa", { rope_parameters: null, ...change }).rope;
  deepEqual(
    rope({ rope_scaling: { type: "linear", factor: 2, rope_theta: 500 } }),
    rope({
      rope_theta: 500,
      rope_parameters: { rope_type: "linear", factor: 2 },
    }),
  );
  const yarn = { rope_type: "yarn", factor: 4 };
  const trained = (tokens: number) => ({ original_max_position_embeddings: tokens });
  // Next to the scaling it takes precedence over one among its fields; without, the model's length is meant.
  deepEqual(
    rope({ rope_parameters: { ...yarn, ...trained(16) }, ...trained(32) }),
    rope({ rope_parameters: { ...yarn, ...trained(32) } }),
  );
  deepEqual(rope({ rope_parameters: yarn }), rope({ rope_parameters: { ...yarn, ...trained(256) } }));
  fails("llama-gqa", { rope_parameters: { partial_rotary_factor: 0.5 } }, /"partial_rotary_factor" must be 1, models/);
  fails(
    "llama-gqa",
    { rope_parameters: { full_attention: { rope_theta: 1e6 }, sliding_attention: {} } },
    /"rope_parameters" must be settings for all layers alike, "full_attention" has its own/,
  );
  fails("llama-gqa", { head_dim: 2, rope_parameters: { rope_type: "dynamic", factor: 2 } }, /another than dynamic/);
});

Deno.test("families refuse what they do not have", () => {
  fails("llama-gqa", { quantization_config: { quant_method: "awq" } }, /"quantization_config" must be left out, /);
  fails("gemma", { use_bidirectional_attention: true }, /"use_bidirectional_attention" must be false/);
  fails("gpt2", { add_cross_attention: true }, /"add_cross_attention" must be false/);
  fails("gpt2", { n_head: 5 }, /"n_embd" must be a multiple of n_head \(5\)/);
  fails(
    "llama-gqa",
    { num_key_value_heads: 3 },
    /"num_key_value_heads" must be a divisor of num_attention_heads \(4\)/,
  );
  fails("llama-gqa", { head_dim: 15 }, /"head_dim" must be an even number of dimensions/);
  fails("llama-gqa", { rope_parameters: { rope_type: "longrope" } }, /"rope_type" must be one of default, linear/);
  fails(
    "llama-gqa",
    { rope_parameters: { rope_type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 4 } },
    /"high_freq_factor" must be greater than low_freq_factor \(4\)/,
  );
});

Deno.test("GPT-2's and Gemma's variants are read", () => {
  const scales = (change: Record<string, unknown>) =>
    [0, 2].map((layer) => specWith("gpt2", change).scoreScale!(layer));
  deepEqual(scales({}), [1 / 4, 1 / 4]);
  deepEqual(scales({ scale_attn_by_inverse_layer_idx: true }), [1 / 4, 1 / 12]);
  deepEqual(scales({ scale_attn_weights: false }), [1, 1]);
  const gemma = (change: object) => specWith("llama-gqa", { model_type: "gemma", hidden_act: null, ...change });
  equal(gemma({}).activation, "gelu_tanh");
  // The first releases' files say so, and mean the approximation.
  equal(gemma({ hidden_act: "gelu" }).activation, "gelu_tanh");
  equal(gemma({ hidden_act: "gelu", hidden_activation: "relu" }).activation, "relu");
  equal(gemma({ head_dim: null }).headDim, 256);
});

Deno.test("a checkpoint of the model without its head will do where the head is the embedding", () => {
  for (const name of ["gpt2", "opt", "llama-gqa", "qwen2"]) {
    const { spec, tensors } = openModelFolder(folderOf(name));
    using folder = temporaryFolder();
    const bare: Record<string, Stored> = {};
    for (const [tensor, { file, offset, bytes, shape, type }] of tensors) {
      ok(tensor.startsWith(spec.prefix), tensor);
      const data = Deno.readFileSync(file).slice(offset, offset + bytes);
      bare[tensor.slice(spec.prefix.length)] = { dtype: type, shape, data };
    }
    writeFiles(folder.path, { "config.json": configOf(name), "model.safetensors": safetensors(bare) });
    const ids = [3, 1, 4, 1, 5];
    equal(farthest(logitsOf(folder.path, ids), logitsOf(folderOf(name), ids)), 0);
  }
});

/** Fails if logits are not those of a plain decoder, token by token. */
function isRight(model: ModelFolder, ids: readonly number[], logits: readonly Float32Array[]): void {
  const { layers, heads, kvHeads } = model.spec;
  const cache = new ReferenceCache({ layers, heads, kvHeads }, { keep: () => "all" });
  const decoder = new SpecDecoder(model.spec, weightsOf(model), cache);
  const expected = ids.map((id) => decoder.step(id, true).logits);
  const most = Math.max(1, ...expected.map((row) => Math.max(...row.map(Math.abs))));
  const off = farthest(logits, expected) / most;
  ok(off < 1e-4, `off by ${off} of ${most}: ${Deno.readTextFileSync(`${model.path}/config.json`)}`);
}

Deno.test("random models of every family run, with all that their configs may have", () => {
  const families = new Map(NAMES.map((name) => [configOf(name).model_type, name]));
  const variants: [string, object][] = [
    ...families.values().map((name): [string, object] => [name, {}]),
    ["phi", { qk_layernorm: true, num_key_value_heads: 2, tie_word_embeddings: true }],
    ["opt", { enable_bias: false, tie_word_embeddings: false, layer_norm_elementwise_affine: false }],
    ["opt", { do_layer_norm_before: true, word_embed_proj_dim: 24 }],
    ["opt", { _remove_final_layer_norm: true }],
    ["gpt2", { n_inner: 40, tie_word_embeddings: false, scale_attn_by_inverse_layer_idx: true }],
  ];
  for (const [name, change] of variants) {
    using folder = temporaryFolder();
    writeRandomModel({ ...configOf(name), ...change }, folder.path, "float32");
    const model = openModelFolder(folder.path);
    isRight(model, [1, 2, 3], logitsOf(model, [1, 2, 3], [1, 1, 1]));
  }
});

Deno.test("configs of every family changed at random are an InputError or a right answer", () => {
  const nonsense = fc.oneof(
    fc.constant(undefined), // the field is missing
    fc.constantFrom(0, -1, 1, 2, 3, 4, 8, 16, 64, 0.5, 1e-300, 1e9, 2 ** 53, 1e300),
    fc.constantFrom("", "gelu", "silu", "yarn", "llama3", "__proto__", null, true, false),
    fc.constantFrom(...NAMES.map((name) => configOf(name).model_type)),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const rope = ["rope_theta", "rope_type", "factor", "low_freq_factor", "high_freq_factor", "beta_fast", "beta_slow"]
    .concat("original_max_position_embeddings", "attention_factor", "partial_rotary_factor", "mscale", "truncate");
  const types = fc.constantFrom("default", "linear", "dynamic", "llama3", "yarn");
  const drawn = fc.constantFrom(...NAMES).chain((name) =>
    fc.tuple(
      fc.constant(name),
      fc.array(fc.tuple(fc.constantFrom(...Object.keys(configOf(name))), nonsense), { maxLength: 2 }),
      fc.option(fc.tuple(types, fc.array(fc.tuple(fc.constantFrom(...rope), nonsense), { maxLength: 3 }))),
    )
  );
  using folder = temporaryFolder();
  let ran = 0;
  fc.assert(
    fc.property(drawn, ([name, changes, inner]) => {
      const config = { ...configOf(name), ...Object.fromEntries(changes) };
      if (inner) {
        config.rope_parameters = { factor: 2, low_freq_factor: 1, high_freq_factor: 4, rope_type: inner[0] };
        Object.assign(config.rope_parameters as object, Object.fromEntries(inner[1]));
      }
      for (const { name: file } of Deno.readDirSync(folder.path)) Deno.removeSync(`${folder.path}/${file}`);
      for (const { name: file } of Deno.readDirSync(folderOf(name))) {
        if (file.includes("safetensors")) Deno.symlinkSync(`${folderOf(name)}/${file}`, `${folder.path}/${file}`);
      }
      writeFiles(folder.path, { "config.json": config });
      let opened;
      try {
        opened = openModelFolder(folder.path);
      } catch (error) {
        ok(error instanceof InputError, `${(error as Error).stack}`);
        ok(error.message.length < 1000, error.message);
        return;
      }
      isRight(opened, [3, 1, 4], logitsOf(opened, [3, 1, 4], [1, 1, 1], "explicit"));
      ran++;
    }),
    { numRuns: 250 },
  );
  ok(ran > 50, `${ran} ran`);
});
