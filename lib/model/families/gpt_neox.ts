import type { ConfigReader } from "../config_reader.ts";
import { readActivation } from "../activation.ts";
import { readRope } from "../rope.ts";
import type { ModelSpec } from "../spec.ts";

/**
 * GPT-NeoX: Pythia and its relatives. Black et al. 2022, arXiv:2204.06745. Partial rotary, parallel or sequential
 * residual, biases everywhere but in the output matrix.
 */
export function gptNeox(config: ConfigReader): ModelSpec {
  const hidden = config.integer("hidden_size");
  const heads = config.integer("num_attention_heads");
  if (hidden % heads) config.fail("hidden_size", `a multiple of num_attention_heads (${heads})`);
  const headDim = hidden / heads;
  const attentionBias = config.boolean("attention_bias", true);
  const linear = (name: string, bias = true) => ({ weight: `${name}.weight`, ...(bias ? { bias: `${name}.bias` } : {}) });
  const norm = (name: string) => ({ weight: `${name}.weight`, bias: `${name}.bias` });
  const tied = config.boolean("tie_word_embeddings", false);
  return {
    family: "gpt_neox",
    layers: config.integer("num_hidden_layers"),
    hidden,
    heads,
    kvHeads: heads,
    headDim,
    intermediate: config.integer("intermediate_size"),
    vocab: config.integer("vocab_size"),
    maxPositions: config.integer("max_position_embeddings", 2048),
    rope: readRope(config, headDim, { theta: 10000, fraction: 0.25 }),
    norm: { kind: "layer", eps: config.number("layer_norm_eps", 1e-5) },
    residual: config.boolean("use_parallel_residual", true) ? "parallel" : "sequential",
    activation: readActivation(config, "hidden_act", "gelu"),
    embedding: "gpt_neox.embed_in.weight",
    block: (layer) => {
      const at = `gpt_neox.layers.${layer}`;
      return {
        attention: {
          norm: norm(`${at}.input_layernorm`),
          qkv: linear(`${at}.attention.query_key_value`, attentionBias),
          out: linear(`${at}.attention.dense`, attentionBias),
        },
        mlp: {
          norm: norm(`${at}.post_attention_layernorm`),
          up: linear(`${at}.mlp.dense_h_to_4h`),
          down: linear(`${at}.mlp.dense_4h_to_h`),
        },
      };
    },
    finalNorm: norm("gpt_neox.final_layer_norm"),
    head: linear(tied ? "gpt_neox.embed_in" : "embed_out", false),
  };
}
