import { readActivation } from "../graph/activation.ts";
import type { ConfigReader } from "../folder/config_reader.ts";
import { MOST } from "../folder/limits.ts";
import { affine, type ModelSpec } from "../spec.ts";

/**
 * GPT-2: learned positions, one matrix for queries, keys and values, and matrices stored `[in, out]`. Radford et al.
 * 2019, "Language Models are Unsupervised Multitask Learners".
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function gpt2(config: ConfigReader): ModelSpec {
  const hidden = config.integer("n_embd", { most: MOST.width });
  const heads = config.integer("n_head", { most: MOST.width });
  if (hidden % heads) config.fail("n_embd", `a multiple of n_head (${heads})`);
  if (config.boolean("add_cross_attention", false)) config.fail("add_cross_attention", "false");
  const headDim = hidden / heads;
  const tied = config.boolean("tie_word_embeddings", true);
  const scale = config.boolean("scale_attn_weights", true) ? 1 / Math.sqrt(headDim) : 1;
  const byLayer = config.boolean("scale_attn_by_inverse_layer_idx", false);
  const matrix = (name: string) => ({ ...affine(name), transposed: true });
  return {
    family: "gpt2",
    layers: config.integer("n_layer", { most: MOST.layers }),
    hidden,
    heads,
    kvHeads: heads,
    headDim,
    intermediate: config.integer("n_inner", { fallback: 4 * hidden, most: 4 * MOST.width }),
    vocab: config.integer("vocab_size", { most: MOST.vocab }),
    maxPositions: config.integer("n_positions", { fallback: 1024 }),
    learned: { weight: "transformer.wpe.weight", offset: 0 },
    norm: { kind: "layer", eps: config.number("layer_norm_epsilon", { fallback: 1e-5, least: 0, most: 1 }) },
    scoreScale: (layer) => byLayer ? scale / (layer + 1) : scale,
    residual: "sequential",
    activation: readActivation(config, "activation_function", "gelu_new"),
    embedding: "transformer.wte.weight",
    prefix: "transformer.",
    block: (layer) => {
      const at = `transformer.h.${layer}`;
      return {
        attention: {
          norm: affine(`${at}.ln_1`),
          qkv: { packed: matrix(`${at}.attn.c_attn`), order: "parts" },
          out: matrix(`${at}.attn.c_proj`),
        },
        mlp: { norm: affine(`${at}.ln_2`), up: matrix(`${at}.mlp.c_fc`), down: matrix(`${at}.mlp.c_proj`) },
      };
    },
    finalNorm: affine("transformer.ln_f"),
    head: affine(tied ? "transformer.wte" : "lm_head", false),
  };
}
