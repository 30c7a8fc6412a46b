import { readActivation } from "../activation.ts";
import type { ConfigReader } from "../config_reader.ts";
import { MOST } from "../limits.ts";
import { affine, type ModelSpec } from "../spec.ts";
import { readSizes } from "./_sizes.ts";

/**
 * OPT: learned positions, of which the first two are no token's, and ReLU. Zhang et al. 2022, arXiv:2205.01068. The 350M
 * model, which normalizes behind the sums and embeds in fewer dimensions, is not supported.
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function opt(config: ConfigReader): ModelSpec {
  const sizes = readSizes(config);
  if (!config.boolean("do_layer_norm_before", true)) {
    config.fail("do_layer_norm_before", "true (models that normalize behind the sum, as opt-350m, are not supported)");
  }
  if (config.integer("word_embed_proj_dim", { fallback: sizes.hidden }) !== sizes.hidden) {
    config.fail("word_embed_proj_dim", `hidden_size (${sizes.hidden}): projected embeddings are not supported`);
  }
  if (!config.boolean("layer_norm_elementwise_affine", true)) config.fail("layer_norm_elementwise_affine", "true");
  if (config.boolean("_remove_final_layer_norm", false)) config.fail("_remove_final_layer_norm", "false");
  const bias = config.boolean("enable_bias", true);
  const tied = config.boolean("tie_word_embeddings", true);
  return {
    family: "opt",
    ...sizes,
    intermediate: config.integer("ffn_dim", { most: MOST.width }),
    maxPositions: config.integer("max_position_embeddings", { fallback: 2048 }),
    learned: { weight: "model.decoder.embed_positions.weight", offset: 2 },
    norm: { kind: "layer", eps: 1e-5 },
    residual: "sequential",
    activation: readActivation(config, "activation_function", "relu"),
    embedding: "model.decoder.embed_tokens.weight",
    prefix: "model.",
    block: (layer) => {
      const at = `model.decoder.layers.${layer}`;
      return {
        attention: {
          norm: affine(`${at}.self_attn_layer_norm`),
          qkv: {
            query: affine(`${at}.self_attn.q_proj`, bias),
            key: affine(`${at}.self_attn.k_proj`, bias),
            value: affine(`${at}.self_attn.v_proj`, bias),
          },
          out: affine(`${at}.self_attn.out_proj`, bias),
        },
        mlp: { norm: affine(`${at}.final_layer_norm`), up: affine(`${at}.fc1`, bias), down: affine(`${at}.fc2`, bias) },
      };
    },
    finalNorm: affine("model.decoder.final_layer_norm"),
    head: affine(tied ? "model.decoder.embed_tokens" : "lm_head", false),
  };
}
