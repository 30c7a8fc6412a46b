import { readActivation } from "../graph/activation.ts";
import type { ConfigReader } from "../folder/config_reader.ts";
import { readRope } from "../graph/rope/read_rope.ts";
import { MOST } from "../folder/limits.ts";
import { affine, type ModelSpec } from "../spec.ts";

/**
 * GPT-NeoX: Pythia and its relatives. Black et al. 2022, arXiv:2204.06745. Partial rotary, parallel or sequential
 * residual, biases everywhere except in the output matrix. Sizes are required; other fields have the defaults of
 * transformers' `GPTNeoXConfig`.
 *
 * @example
 * ```ts
 * import { ConfigReader } from "../folder/config_reader.ts";
 * import { SHAPES } from "../shapes.ts";
 * import { gptNeox } from "./gpt_neox.ts";
 *
 * const { headDim, rope } = gptNeox(new ConfigReader("config.json", SHAPES["pythia-2.8b"]!));
 * console.log(headDim, rope?.dim); // 80 20
 * ```
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function gptNeox(config: ConfigReader): ModelSpec {
  const hidden = config.integer("hidden_size", { most: MOST.width });
  const heads = config.integer("num_attention_heads", { most: MOST.width });
  if (hidden % heads) config.fail("hidden_size", `a multiple of num_attention_heads (${heads})`);
  const headDim = hidden / heads;
  const maxPositions = config.integer("max_position_embeddings", { fallback: 2048 });
  const attentionBias = config.boolean("attention_bias", true);
  const tied = config.boolean("tie_word_embeddings", false);
  return {
    family: "gpt_neox",
    layers: config.integer("num_hidden_layers", { most: MOST.layers }),
    hidden,
    heads,
    kvHeads: heads,
    headDim,
    intermediate: config.integer("intermediate_size", { most: MOST.width }),
    vocab: config.integer("vocab_size", { most: MOST.vocab }),
    maxPositions,
    rope: readRope(config, headDim, { theta: 10000, fraction: 0.25, partial: true, maxPositions }),
    norm: { kind: "layer", eps: config.number("layer_norm_eps", { fallback: 1e-5, least: 0, most: 1 }) },
    residual: config.boolean("use_parallel_residual", true) ? "parallel" : "sequential",
    activation: readActivation(config, "hidden_act", "gelu"),
    embedding: "gpt_neox.embed_in.weight",
    prefix: "gpt_neox.",
    block: (layer) => {
      const at = `gpt_neox.layers.${layer}`;
      return {
        attention: {
          norm: affine(`${at}.input_layernorm`),
          qkv: { packed: affine(`${at}.attention.query_key_value`, attentionBias), order: "heads" },
          out: affine(`${at}.attention.dense`, attentionBias),
        },
        mlp: {
          norm: affine(`${at}.post_attention_layernorm`),
          up: affine(`${at}.mlp.dense_h_to_4h`),
          down: affine(`${at}.mlp.dense_4h_to_h`),
        },
      };
    },
    finalNorm: affine("gpt_neox.final_layer_norm"),
    head: affine(tied ? "gpt_neox.embed_in" : "embed_out", false),
  };
}
