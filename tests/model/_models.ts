/** Tiny random models in a folder, and their forward pass by the engine. */
import { join } from "@std/path";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { safetensors, type Stored, stored } from "./_safetensors.ts";
import { gelu, geluTanh, type Neox, type Weights } from "../reference/neox.ts";

let opened: ReturnType<typeof openRuntime> | undefined;
/** One for all tests of a file. */
export const runtime = () => opened ??= openRuntime("cpu");

/** A small model with every feature, changed as a test needs. */
export function neox(change: Partial<Neox> = {}): Neox {
  return {
    layers: 2,
    hidden: 32,
    heads: 2,
    intermediate: 48,
    vocab: 50,
    rotary: 4,
    theta: 10000,
    scale: 1,
    eps: 1e-5,
    parallel: true,
    attentionBias: true,
    tied: false,
    activation: gelu,
    ...change,
  };
}

/** The model's config.json as transformers 5 writes it. */
export function configOf(model: Neox): Record<string, unknown> {
  return {
    ...sharedFields(model),
    rope_parameters: {
      rope_type: model.scale === 1 ? "default" : "linear",
      rope_theta: model.theta,
      partial_rotary_factor: shareOf(model),
      ...(model.scale === 1 ? {} : { factor: model.scale }),
    },
  };
}

/** The model's config.json as transformers 4 writes it. */
export function oldConfigOf(model: Neox): Record<string, unknown> {
  return {
    ...sharedFields(model),
    rotary_pct: shareOf(model),
    rotary_emb_base: model.theta,
    rope_scaling: model.scale === 1 ? null : { type: "linear", factor: model.scale },
  };
}

/** The share of a head that is rotated, a little more if it is not all of it, because it is rounded down. */
function shareOf({ rotary, hidden, heads }: Neox): number {
  const headDim = hidden / heads;
  return rotary === headDim ? 1 : (rotary + 0.25) / headDim;
}

/** Activations by transformers' names. */
export const ACTIVATIONS: ReadonlyMap<Neox["activation"], string> = new Map([
  [gelu, "gelu"],
  [geluTanh, "gelu_new"],
  [(x) => Math.max(0, x), "relu"],
]);

function sharedFields(model: Neox): Record<string, unknown> {
  return {
    architectures: ["GPTNeoXForCausalLM"],
    model_type: "gpt_neox",
    attention_bias: model.attentionBias,
    hidden_act: ACTIVATIONS.get(model.activation),
    hidden_size: model.hidden,
    intermediate_size: model.intermediate,
    layer_norm_eps: model.eps,
    max_position_embeddings: 64,
    num_attention_heads: model.heads,
    num_hidden_layers: model.layers,
    tie_word_embeddings: model.tied,
    use_parallel_residual: model.parallel,
    vocab_size: model.vocab,
  };
}

/** Names and shapes of the model's weights in its checkpoint. */
export function shapesOf(model: Neox): Record<string, number[]> {
  const { hidden, intermediate, vocab } = model;
  const shapes: Record<string, number[]> = { "gpt_neox.embed_in.weight": [vocab, hidden] };
  const pair = (name: string, shape: number[], bias = true) => {
    shapes[`${name}.weight`] = shape;
    if (bias) shapes[`${name}.bias`] = [shape[0]!];
  };
  for (let layer = 0; layer < model.layers; layer++) {
    const at = `gpt_neox.layers.${layer}`;
    pair(`${at}.input_layernorm`, [hidden]);
    pair(`${at}.post_attention_layernorm`, [hidden]);
    pair(`${at}.attention.query_key_value`, [3 * hidden, hidden], model.attentionBias);
    pair(`${at}.attention.dense`, [hidden, hidden], model.attentionBias);
    pair(`${at}.mlp.dense_h_to_4h`, [intermediate, hidden]);
    pair(`${at}.mlp.dense_4h_to_h`, [hidden, intermediate]);
  }
  pair("gpt_neox.final_layer_norm", [hidden]);
  if (!model.tied) shapes["embed_out.weight"] = [vocab, hidden];
  return shapes;
}

/**
 * Random weights, as float32 numbers, large enough that a part left out or a layout mixed up shows: products keep the
 * size of their input, norms' weights are around 1, biases around 0.
 */
export function randomWeights(model: Neox, seed = 1): Map<string, Float64Array> {
  const normal = normals(seed);
  return new Map(
    Object.entries(shapesOf(model)).map(([name, shape]) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const [scale, shift] = shape.length === 2
        ? [name.includes("embed") ? 1 : 1.5 / Math.sqrt(shape[1]!), 0]
        : [0.5, name.endsWith("norm.weight") ? 1 : 0];
      return [name, Float64Array.from({ length: count }, () => Math.fround(shift + scale * normal()))];
    }),
  );
}

/** Nearly standard normal numbers: each is the sum of 12 uniform ones from a linear congruential generator. */
export function normals(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      sum += state / 2 ** 32;
    }
    return sum;
  };
}

/** Weights of a map as {@linkcode Weights}. */
export const lookUp = (weights: ReadonlyMap<string, Float64Array>): Weights => (name) => {
  const found = weights.get(name);
  if (!found) throw new Error(`No weight ${name}`);
  return found;
};

/** A model's weights as they are stored. */
export function storedWeights(
  model: Neox,
  weights: ReadonlyMap<string, Float64Array>,
  dtype: "F64" | "F32" | "F16" | "BF16" = "F32",
): Record<string, Stored> {
  return Object.fromEntries(
    Object.entries(shapesOf(model)).map(([name, shape]) => [name, stored(dtype, shape, weights.get(name)!)]),
  );
}

/** A temporary folder, removed with the `using` that holds it. */
export function temporaryFolder(suffix = ""): { readonly path: string } & Disposable {
  const root = Deno.makeTempDirSync({ prefix: "kvcompress_model_" });
  const path = join(root, suffix);
  Deno.mkdirSync(path, { recursive: true });
  return { path, [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }) };
}

/** Writes files of a model folder: text as it is, objects as JSON. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | object>>): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    if (content instanceof Uint8Array) Deno.writeFileSync(path, content);
    else Deno.writeTextFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

/** Writes config.json and model.safetensors. */
export function writeModel(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  tensors: Readonly<Record<string, Stored>>,
): string {
  return writeFiles(folder, { "config.json": config, "model.safetensors": safetensors(tensors) });
}

/**
 * Returns the logits of every token, `[tokens][vocab]`, by the engine with nothing evicted: `passes` has the number of
 * tokens of each pass.
 */
export function logitsOf(
  model: ModelFolder | string,
  ids: readonly number[],
  passes: readonly number[] = [ids.length],
  attention: AttentionForm = "fused",
): Float32Array[] {
  return logitsOfEach(model, ids, [passes], attention)[0]!;
}

/** The same of several ways of cutting the tokens into passes; on the CPU in float32 by default. */
export function logitsOfEach(
  model: ModelFolder | string,
  ids: readonly number[],
  ways: readonly (readonly number[])[],
  attention: AttentionForm,
  where: { readonly runtime?: Runtime } & Partial<Pick<EngineOptions, "dtype" | "kernels">> = {},
): Float32Array[][] {
  const folder = typeof model === "string" ? openModelFolder(model) : model;
  const { layers, vocab } = folder.spec;
  using engine = new Engine(where.runtime ?? runtime(), folder, {
    dtype: where.dtype ?? "float32",
    kernels: where.kernels,
    attention,
    maxPositions: ids.length,
    table: { layers: Array.from({ length: layers }, () => []) },
    threads: 1,
    logits: true,
  });
  return ways.map((passes) => {
    using sequence = engine.sequence(passes.map((tokens) => ({ tokens, times: 1 })), 0);
    const rows: Float32Array[] = [];
    let at = 0;
    for (const tokens of passes) {
      sequence.forward(ids.slice(at, at + tokens), ids[at + tokens] ?? 0);
      sequence.evict();
      sequence.read();
      const logits = sequence.logits();
      for (let i = 0; i < tokens; i++) rows.push(logits.slice(i * vocab, (i + 1) * vocab));
      at += tokens;
    }
    return rows;
  });
}

/** The largest difference between two sets of logits. */
export function farthest(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  if (a.length !== b.length) throw new Error(`${a.length} rows against ${b.length}`);
  let worst = 0;
  for (const [i, row] of a.entries()) {
    if (row.length !== b[i]!.length) throw new Error(`${row.length} logits against ${b[i]!.length}`);
    for (let j = 0; j < row.length; j++) {
      const difference = Math.abs(row[j]! - b[i]![j]!);
      if (!(difference <= worst)) worst = difference;
    }
  }
  return worst;
}
