/** How the numbers of a GGUF tensor become those of the Hugging Face one. */
export type Change =
  /** They are the same. */
  | "none"
  /** Rows of each head of queries, or of keys, are put back: llama.cpp rotates neighbours, transformers halves. */
  | "query rows"
  | "key rows"
  /** One is taken off: llama.cpp stores Gemma's norms with it. */
  | "less one"
  /** Rows of queries, keys and values are three tensors. */
  | "three";

/** Name in a Hugging Face checkpoint, with "{}" for the layer, and the change. For "three", names joined by commas. */
export type Naming = Readonly<Record<string, readonly [name: string, change: Change]>>;

const llamaBlock: Naming = {
  "attn_norm": ["input_layernorm", "none"],
  "attn_q": ["self_attn.q_proj", "none"],
  "attn_k": ["self_attn.k_proj", "none"],
  "attn_v": ["self_attn.v_proj", "none"],
  "attn_output": ["self_attn.o_proj", "none"],
  "ffn_norm": ["post_attention_layernorm", "none"],
  "ffn_gate": ["mlp.gate_proj", "none"],
  "ffn_up": ["mlp.up_proj", "none"],
  "ffn_down": ["mlp.down_proj", "none"],
};

const llamaRest: Naming = {
  "token_embd": ["model.embed_tokens", "none"],
  "output_norm": ["model.norm", "none"],
  "output": ["lm_head", "none"],
};

/** Names of a family's tensors: of a layer, after "blk.N.", and of the rest. */
export interface FamilyNames {
  readonly block: Naming;
  readonly rest: Naming;
}

/** llama.cpp's name of an architecture → names of its tensors, without ".weight" and ".bias". */
export const FAMILY_NAMES: Readonly<Record<string, FamilyNames>> = {
  llama: {
    block: {
      ...llamaBlock,
      "attn_q": ["self_attn.q_proj", "query rows"],
      "attn_k": ["self_attn.k_proj", "key rows"],
    },
    rest: llamaRest,
  },
  qwen2: { block: llamaBlock, rest: llamaRest },
  qwen3: {
    block: {
      ...llamaBlock,
      "attn_q_norm": ["self_attn.q_norm", "none"],
      "attn_k_norm": ["self_attn.k_norm", "none"],
    },
    rest: llamaRest,
  },
  gemma: {
    block: {
      ...llamaBlock,
      "attn_norm": ["input_layernorm", "less one"],
      "ffn_norm": ["post_attention_layernorm", "less one"],
    },
    rest: { ...llamaRest, "output_norm": ["model.norm", "less one"] },
  },
  phi2: {
    block: {
      "attn_norm": ["input_layernorm", "none"],
      "attn_qkv": ["self_attn.q_proj,self_attn.k_proj,self_attn.v_proj", "three"],
      "attn_q": ["self_attn.q_proj", "none"],
      "attn_k": ["self_attn.k_proj", "none"],
      "attn_v": ["self_attn.v_proj", "none"],
      "attn_output": ["self_attn.dense", "none"],
      "ffn_up": ["mlp.fc1", "none"],
      "ffn_down": ["mlp.fc2", "none"],
    },
    rest: { ...llamaRest, "output_norm": ["model.final_layernorm", "none"] },
  },
};

/**
 * Returns the Hugging Face names of a GGUF tensor, and how its numbers change.
 *
 * @example
 * ```ts
 * import { FAMILY_NAMES, hfNames } from "./tensor_names.ts";
 *
 * console.log(hfNames(FAMILY_NAMES.llama!, "blk.3.attn_q.weight"));
 * // { names: [ "model.layers.3.self_attn.q_proj.weight" ], change: "query rows" }
 * ```
 *
 * @param family Names of its family.
 * @param name Name in the file.
 * @returns Undefined if the family has no such tensor.
 */
export function hfNames(
  family: FamilyNames,
  name: string,
): { readonly names: readonly string[]; readonly change: Change } | undefined {
  const [, layer, base, kind] = /^(?:blk\.(0|[1-9]\d*)\.)?([a-z_]+)\.(weight|bias)$/.exec(name) ?? [];
  if (base === undefined) return undefined;
  const table = layer === undefined ? family.rest : family.block;
  if (!Object.hasOwn(table, base)) return undefined;
  const [to, change] = table[base]!;
  const at = layer === undefined ? "" : `model.layers.${layer}.`;
  return { names: to.split(",").map((one) => `${at}${one}.${kind}`), change };
}
