import { readActivation } from "../graph/activation.ts";
import type { ConfigReader } from "../folder/config_reader.ts";
import { MOST } from "../folder/limits.ts";
import { affine, type ModelSpec, type Norm } from "../spec.ts";
import { readSizes } from "./_sizes.ts";

/**
 * OPT: learned positions, of which no token uses the first two, and ReLU. The 350M model normalizes after the sums and
 * embeds in fewer dimensions. Zhang et al. 2022, arXiv:2205.01068.
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function opt(config: ConfigReader): ModelSpec {
  const sizes = readSizes(config);
  const before = config.boolean("do_layer_norm_before", true);
  const hasFinal = !config.boolean("_remove_final_layer_norm", false) && before;
  const isPlain = !config.boolean("layer_norm_elementwise_affine", true);
  const norm = (name: string): Norm => isPlain ? "plain" : affine(name);
  const width = config.integer("word_embed_proj_dim", { fallback: sizes.hidden, most: MOST.width });
  const bias = config.boolean("enable_bias", true);
  const tied = config.boolean("tie_word_embeddings", true);
  return {
    family: "opt",
    ...sizes,
    intermediate: config.integer("ffn_dim", { most: MOST.width }),
    maxPositions: config.integer("max_position_embeddings", { fallback: 2048 }),
    learned: { weight: "model.decoder.embed_positions.weight", offset: 2 },
    norm: { kind: "layer", eps: 1e-5 },
    residual: before ? "sequential" : "post",
    activation: readActivation(config, "activation_function", "relu"),
    embedding: "model.decoder.embed_tokens.weight",
    ...(width === sizes.hidden ? {} : {
      projected: {
        width,
        in: affine("model.decoder.project_in", false),
        out: affine("model.decoder.project_out", false),
      },
    }),
    prefix: "model.",
    block: (layer) => {
      const at = `model.decoder.layers.${layer}`;
      return {
        attention: {
          norm: norm(`${at}.self_attn_layer_norm`),
          qkv: {
            query: affine(`${at}.self_attn.q_proj`, bias),
            key: affine(`${at}.self_attn.k_proj`, bias),
            value: affine(`${at}.self_attn.v_proj`, bias),
          },
          out: affine(`${at}.self_attn.out_proj`, bias),
        },
        mlp: { norm: norm(`${at}.final_layer_norm`), up: affine(`${at}.fc1`, bias), down: affine(`${at}.fc2`, bias) },
      };
    },
    ...(hasFinal ? { finalNorm: norm("model.decoder.final_layer_norm") } : {}),
    head: affine(tied ? "model.decoder.embed_tokens" : "lm_head", false),
  };
}
