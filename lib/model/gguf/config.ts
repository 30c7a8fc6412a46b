import { printable } from "../../util/printable.ts";
import type { GgufHeader } from "./header.ts";
import { Metadata } from "./metadata.ts";
import { scalingOf } from "./rope.ts";
import { FAMILY_NAMES } from "./tensor_names.ts";

/** llama.cpp's name of an architecture → `model_type`. */
const MODEL_TYPES: Readonly<Record<string, string>> = {
  llama: "llama",
  qwen2: "qwen2",
  qwen3: "qwen3",
  gemma: "gemma",
  phi2: "phi",
};

/** Keys after the architecture's name whose numbers would change what the model computes. */
const REFUSED = [
  "expert_count",
  "attention.sliding_window",
  "rope.scale_linear",
  "attention.scale",
  "attn_logit_softcapping",
  "final_logit_softcapping",
  "logit_scale",
  "residual_scale",
  "embedding_scale",
  "attention.clamp_kqv",
  "attention.max_alibi_bias",
];

/**
 * Returns the architecture of a GGUF file, if this project has its family.
 *
 * @example
 * ```ts
 * import { architectureOf } from "./config.ts";
 *
 * const metadata = new Map([["general.architecture", "qwen3"]]);
 * console.log(architectureOf({ file: "model.gguf", metadata, tensors: new Map() })); // qwen3
 * ```
 *
 * @param header The file's header.
 * @returns llama.cpp's name of it.
 * @throws {InputError} If it is another one, or the file is one of several parts.
 */
export function architectureOf(header: GgufHeader): string {
  const metadata = new Metadata(header);
  const architecture = metadata.string("general.architecture");
  if (metadata.integer("split.count", 1) > 1) {
    metadata.fail(
      "it is one of several parts of a model; llama.cpp's llama-gguf-split --merge FIRST_PART WHOLE joins them",
    );
  }
  if (Object.hasOwn(FAMILY_NAMES, architecture)) return architecture;
  return metadata.fail(
    `its architecture is "${printable(architecture, 100)}"; those read are ${Object.keys(FAMILY_NAMES).join(", ")}`,
  );
}

/**
 * Returns the config.json that describes the model of a GGUF file.
 *
 * @param header The file's header.
 * @returns Its fields.
 * @throws {InputError} If a number is missing, or says something that this project does not compute.
 */
export function configOf(header: GgufHeader): Record<string, unknown> {
  const architecture = architectureOf(header);
  const metadata = new Metadata(header);
  const { tensors } = header;
  const key = (name: string) => `${architecture}.${name}`;
  for (const name of REFUSED) {
    if (metadata.has(key(name)) && metadata.number(key(name)) !== 0) {
      metadata.fail(`"${key(name)}" is ${metadata.number(key(name))}, which is not computed here`);
    }
  }
  const hidden = metadata.integer(key("embedding_length"));
  const heads = metadata.integer(key("attention.head_count"));
  if (heads < 1 || hidden < 1) metadata.fail("it has a model without heads or width: it is damaged");
  const headDim = metadata.integer(key("attention.key_length"), hidden / heads);
  if (metadata.integer(key("attention.value_length"), headDim) !== headDim) {
    metadata.fail(`keys and values of a head have different sizes, which is not computed here`);
  }
  const embedding = tensors.get("token_embd.weight") ?? metadata.fail("it has no tensor token_embd.weight");
  const theta = metadata.number(key("rope.freq_base"), 10_000);
  const rotated = metadata.integer(key("rope.dimension_count"), headDim);
  const partial = architecture === "phi2";
  if (!partial && rotated !== headDim) {
    metadata.fail(
      `"${key("rope.dimension_count")}" is ${rotated}, models of this family rotate all of a head (${headDim})`,
    );
  }
  const scaling = scalingOf(header, architecture, { theta, dim: rotated });
  return {
    model_type: MODEL_TYPES[architecture]!,
    hidden_size: hidden,
    num_hidden_layers: metadata.integer(key("block_count")),
    num_attention_heads: heads,
    num_key_value_heads: metadata.integer(key("attention.head_count_kv"), heads),
    ...(partial ? {} : { head_dim: headDim }),
    intermediate_size: metadata.integer(key("feed_forward_length")),
    vocab_size: embedding.shape[0] ?? 0,
    max_position_embeddings: metadata.integer(key("context_length")),
    tie_word_embeddings: !tensors.has("output.weight"),
    // A little more than the share, which is rounded down.
    ...(partial ? { partial_rotary_factor: rotated === headDim ? 1 : (rotated + 0.25) / headDim } : {}),
    rope_theta: theta,
    ...(scaling ? { rope_scaling: scaling } : {}),
    ...(partial
      ? { layer_norm_eps: metadata.number(key("attention.layer_norm_epsilon")), hidden_act: "gelu_new" }
      : { rms_norm_eps: metadata.number(key("attention.layer_norm_rms_epsilon")) }),
    ...(architecture === "gemma" ? { hidden_activation: "gelu_pytorch_tanh" } : {}),
    ...(architecture === "qwen2" || partial ? {} : {
      attention_bias: tensors.has("blk.0.attn_q.bias"),
    }),
    ...(architecture === "llama" ? { mlp_bias: tensors.has("blk.0.ffn_up.bias") } : {}),
  };
}
