import { readActivation } from "../graph/activation.ts";
import type { ConfigReader } from "../folder/config_reader.ts";
import { MOST } from "../folder/limits.ts";
import { readRope } from "../graph/rope/read_rope.ts";
import { affine, type ModelSpec } from "../spec.ts";
import { readSizes } from "./_sizes.ts";

/**
 * Phi-1, 1.5 and 2: attention and MLP in parallel after one normalization, partial rotary, biases everywhere, even in
 * the output matrix. Gunasekar et al. 2023, arXiv:2306.11644; Li et al. 2023, arXiv:2309.05463.
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function phi(config: ConfigReader): ModelSpec {
  const sizes = readSizes(config);
  const maxPositions = config.integer("max_position_embeddings", { fallback: 2048 });
  const headNorms = config.boolean("qk_layernorm", false);
  const head = affine("lm_head");
  return {
    family: "phi",
    ...sizes,
    intermediate: config.integer("intermediate_size", { most: MOST.width }),
    maxPositions,
    rope: readRope(config, sizes.headDim, { theta: 10000, fraction: 0.5, partial: true, maxPositions }),
    norm: { kind: "layer", eps: config.number("layer_norm_eps", { fallback: 1e-5, least: 0, most: 1 }) },
    residual: "parallel",
    activation: readActivation(config, "hidden_act", "gelu_new"),
    embedding: "model.embed_tokens.weight",
    prefix: "model.",
    block: (layer) => {
      const at = `model.layers.${layer}`;
      return {
        attention: {
          norm: affine(`${at}.input_layernorm`),
          qkv: {
            query: affine(`${at}.self_attn.q_proj`),
            key: affine(`${at}.self_attn.k_proj`),
            value: affine(`${at}.self_attn.v_proj`),
          },
          ...(headNorms
            ? {
              headNorms: {
                query: affine(`${at}.self_attn.q_layernorm`),
                key: affine(`${at}.self_attn.k_layernorm`),
              },
            }
            : {}),
          out: affine(`${at}.self_attn.dense`),
        },
        mlp: { up: affine(`${at}.mlp.fc1`), down: affine(`${at}.mlp.fc2`) },
      };
    },
    finalNorm: affine("model.final_layernorm"),
    head: config.boolean("tie_word_embeddings", false) ? { ...head, weight: "model.embed_tokens.weight" } : head,
  };
}
