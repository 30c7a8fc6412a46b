import { readActivation } from "../graph/activation.ts";
import type { ConfigReader } from "../folder/config_reader.ts";
import { MOST } from "../folder/limits.ts";
import { readRope } from "../graph/rope/read_rope.ts";
import { affine, type Block, type ModelSpec } from "../spec.ts";
import { readSizes, type SizeDefaults } from "./_sizes.ts";

/** How families that came after Llama differ from it. */
export interface Variant {
  readonly sizes?: SizeDefaults;
  readonly maxPositions: number;
  /** Whether queries, keys and values have biases. */
  readonly qkvBias: boolean;
  /** Whether the output matrix of attention has one. */
  readonly outBias: boolean;
  /** Whether the MLP's matrices have biases. */
  readonly mlpBias?: boolean;
  /** Whether each head's query and key are normalized. */
  readonly headNorms?: boolean;
  readonly tied?: boolean;
  /** What else differs. */
  readonly spec?: Partial<ModelSpec>;
}

/**
 * The block that Llama made common: root mean square normalization before attention and MLP, rotary embedding, a gated
 * MLP, fewer key and value heads than query heads. Touvron et al. 2023, arXiv:2302.13971 and arXiv:2307.09288.
 */
export function llamaLike(family: string, config: ConfigReader, variant: Variant): ModelSpec {
  const sizes = readSizes(config, variant.sizes);
  const maxPositions = config.integer("max_position_embeddings", { fallback: variant.maxPositions });
  const tied = config.boolean("tie_word_embeddings", variant.tied ?? false);
  const embedding = "model.embed_tokens";
  return {
    family,
    ...sizes,
    intermediate: config.integer("intermediate_size", { most: MOST.width }),
    maxPositions,
    rope: readRope(config, sizes.headDim, { theta: 10000, fraction: 1, maxPositions }),
    norm: { kind: "rms", eps: config.number("rms_norm_eps", { fallback: 1e-6, least: 0, most: 1 }) },
    residual: "sequential",
    activation: variant.spec?.activation ?? readActivation(config, "hidden_act", "silu"),
    embedding: affine(embedding).weight,
    prefix: "model.",
    block: (layer) => blockOf(`model.layers.${layer}`, variant),
    finalNorm: affine("model.norm", false),
    head: affine(tied ? embedding : "lm_head", false),
    ...variant.spec,
  };
}

function blockOf(at: string, { qkvBias, outBias, mlpBias = false, headNorms = false }: Variant): Block {
  return {
    attention: {
      norm: affine(`${at}.input_layernorm`, false),
      qkv: {
        query: affine(`${at}.self_attn.q_proj`, qkvBias),
        key: affine(`${at}.self_attn.k_proj`, qkvBias),
        value: affine(`${at}.self_attn.v_proj`, qkvBias),
      },
      ...(headNorms
        ? {
          headNorms: {
            query: affine(`${at}.self_attn.q_norm`, false),
            key: affine(`${at}.self_attn.k_norm`, false),
          },
        }
        : {}),
      out: affine(`${at}.self_attn.o_proj`, outBias),
    },
    mlp: {
      norm: affine(`${at}.post_attention_layernorm`, false),
      gate: affine(`${at}.mlp.gate_proj`, mlpBias),
      up: affine(`${at}.mlp.up_proj`, mlpBias),
      down: affine(`${at}.mlp.down_proj`, mlpBias),
    },
  };
}
