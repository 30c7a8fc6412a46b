/** Writes GGUF files for tests, and the tiny models' as llama.cpp's converter would. */
import { openModelFolder } from "../../../lib/model/folder/model_folder.ts";
import { TINY } from "../_golden_logits.ts";

/** A value of the metadata, by its kind. */
export type Value =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly f32s: readonly number[] }
  | { readonly i32s: readonly number[] };

/** A tensor: its type's number, its shape with rows first, its bytes. */
export interface Tensor {
  readonly type: number;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** The bytes of a GGUF file, version 3. */
export function gguf(metadata: Readonly<Record<string, Value>>, tensors: Readonly<Record<string, Tensor>>): Uint8Array {
  const parts: Uint8Array[] = [];
  const write = (bytes: number, set: (view: DataView) => void) => {
    const part = new Uint8Array(bytes);
    set(new DataView(part.buffer));
    parts.push(part);
  };
  const u32 = (value: number) => write(4, (view) => view.setUint32(0, value, true));
  const u64 = (value: number) => write(8, (view) => view.setBigUint64(0, BigInt(value), true));
  const f32 = (value: number) => write(4, (view) => view.setFloat32(0, value, true));
  const string = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    u64(bytes.length);
    parts.push(bytes);
  };
  const list = <T>(type: number, values: readonly T[], each: (value: T) => void) => {
    u32(9);
    u32(type);
    u64(values.length);
    values.forEach(each);
  };
  u32(0x46554747);
  u32(3);
  u64(Object.keys(tensors).length);
  u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    string(key);
    if ("u32" in value) u32(4), u32(value.u32);
    else if ("f32" in value) u32(6), f32(value.f32);
    else if ("bool" in value) u32(7), write(1, (view) => view.setUint8(0, Number(value.bool)));
    else if ("string" in value) u32(8), string(value.string);
    else if ("strings" in value) list(8, value.strings, string);
    else if ("f32s" in value) list(6, value.f32s, f32);
    else list(5, value.i32s, u32);
  }
  let offset = 0;
  for (const [name, { type, shape, data }] of Object.entries(tensors)) {
    string(name);
    u32(shape.length);
    [...shape].reverse().forEach(u64);
    u32(type);
    u64(offset);
    offset += Math.ceil(data.length / 32) * 32;
  }
  const pad = (length: number) => parts.push(new Uint8Array((32 - length % 32) % 32));
  pad(parts.reduce((sum, { length }) => sum + length, 0));
  for (const { data } of Object.values(tensors)) {
    parts.push(data);
    pad(data.length);
  }
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Metadata of a byte-level BPE tokenizer with few tokens. */
export const FEW_TOKENS: Readonly<Record<string, Value>> = {
  "tokenizer.ggml.model": { string: "gpt2" },
  "tokenizer.ggml.pre": { string: "gpt-2" },
  "tokenizer.ggml.tokens": { strings: ["a", "b", "ab", "Ġ", "<s>"] },
  "tokenizer.ggml.token_type": { i32s: [1, 1, 1, 1, 3] },
  "tokenizer.ggml.merges": { strings: ["a b"] },
  "tokenizer.ggml.bos_token_id": { u32: 4 },
};

/** How llama.cpp names what a checkpoint has: the order matters, the first that fits counts. */
const NAMES: readonly (readonly [string, string])[] = [
  ["model.embed_tokens", "token_embd"],
  ["lm_head", "output"],
  ["model.norm", "output_norm"],
  ["model.final_layernorm", "output_norm"],
  ["self_attn.q_proj", "attn_q"],
  ["self_attn.k_proj", "attn_k"],
  ["self_attn.v_proj", "attn_v"],
  ["self_attn.o_proj", "attn_output"],
  ["self_attn.dense", "attn_output"],
  ["self_attn.q_norm", "attn_q_norm"],
  ["self_attn.k_norm", "attn_k_norm"],
  ["input_layernorm", "attn_norm"],
  ["post_attention_layernorm", "ffn_norm"],
  ["mlp.gate_proj", "ffn_gate"],
  ["mlp.up_proj", "ffn_up"],
  ["mlp.down_proj", "ffn_down"],
  ["mlp.fc1", "ffn_up"],
  ["mlp.fc2", "ffn_down"],
];

function nameOf(name: string): string {
  const [, layer, inside, kind] = /^(?:model\.layers\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(name)!;
  const to = NAMES.find(([from]) => from === inside)![1];
  return `${layer === undefined ? "" : `blk.${layer}.`}${to}.${kind}`;
}

/**
 * A tiny model as F32 GGUF, written as llama.cpp's convert_hf_to_gguf does: rows of llama's queries and keys in another
 * order, Gemma's norms with one added, and if asked phi's queries, keys and values in one tensor.
 */
export function tinyGguf(name: string, architecture: string, packed = false): Uint8Array {
  const { spec, tensors } = openModelFolder(new URL(name, TINY).pathname);
  const written: Record<string, Tensor> = {};
  const joined = new Map<string, Uint8Array[]>();
  for (const [from, { file, offset, bytes, dtype, shape }] of tensors) {
    const stored = Deno.readFileSync(file).slice(offset, offset + bytes);
    let numbers = dtype === "float32"
      ? new Float32Array(stored.buffer)
      : dtype === "float16"
      ? Float32Array.from(new Float16Array(stored.buffer))
      : new Float32Array(Uint32Array.from(new Uint16Array(stored.buffer), (bits) => bits << 16).buffer);
    const to = nameOf(from);
    if (architecture === "llama" && /attn_[qk]\./.test(to)) {
      numbers = permuted(numbers, shape, to.includes("attn_q") ? spec.heads : spec.kvHeads);
    }
    if (architecture === "gemma" && to.includes("norm")) numbers = numbers.map((value) => value + 1);
    const data = new Uint8Array(numbers.buffer as ArrayBuffer);
    const inOne = /^(.*)attn_[qkv](\..*)$/.exec(to);
    if (packed && inOne) {
      const whole = `${inOne[1]}attn_qkv${inOne[2]}`;
      const parts = joined.get(whole) ?? [];
      parts["qkv".indexOf(to.at(to.indexOf("attn_") + 5)!)] = data;
      joined.set(whole, parts);
    } else written[to] = { type: 0, shape, data };
  }
  for (const [whole, parts] of joined) {
    const data = new Uint8Array(parts.flatMap((part) => [...part]));
    const rows = (spec.heads + 2 * spec.kvHeads) * spec.headDim;
    written[whole] = { type: 0, shape: whole.endsWith("bias") ? [rows] : [rows, spec.hidden], data };
  }
  return gguf(metadataOf(name, architecture), written);
}

/** Metadata of a tiny model. */
function metadataOf(name: string, architecture: string): Record<string, Value> {
  const { spec } = openModelFolder(new URL(name, TINY).pathname);
  const key = (rest: string) => `${architecture}.${rest}`;
  const config = JSON.parse(Deno.readTextFileSync(new URL(`${name}/config.json`, TINY)));
  const norm = spec.norm.kind === "rms" ? "layer_norm_rms_epsilon" : "layer_norm_epsilon";
  return {
    "general.architecture": { string: architecture },
    [key("block_count")]: { u32: spec.layers },
    [key("context_length")]: { u32: spec.maxPositions },
    [key("embedding_length")]: { u32: spec.hidden },
    [key("feed_forward_length")]: { u32: spec.intermediate },
    [key("attention.head_count")]: { u32: spec.heads },
    [key("attention.head_count_kv")]: { u32: spec.kvHeads },
    [key("attention.key_length")]: { u32: spec.headDim },
    [key("attention.value_length")]: { u32: spec.headDim },
    [key("rope.dimension_count")]: { u32: spec.rope!.dim },
    [key("rope.freq_base")]: { f32: config.rope_theta ?? config.rope_parameters?.rope_theta ?? 10000 },
    [key(`attention.${norm}`)]: { f32: spec.norm.eps },
    ...FEW_TOKENS,
  };
}

/** llama.cpp's order of rows: `[heads][2][half]` becomes `[heads][half][2]`. */
function permuted(numbers: Float32Array, shape: readonly number[], heads: number): Float32Array<ArrayBuffer> {
  const columns = shape[1] ?? 1;
  const half = shape[0]! / heads / 2;
  const result = new Float32Array(numbers.length);
  for (let head = 0; head < heads; head++) {
    for (let second = 0; second < 2; second++) {
      for (let pair = 0; pair < half; pair++) {
        const from = (head * 2 + second) * half + pair, to = (head * half + pair) * 2 + second;
        result.set(numbers.subarray(from * columns, (from + 1) * columns), to * columns);
      }
    }
  }
  return result;
}
