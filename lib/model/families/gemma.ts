import { type Activation, readActivation } from "../graph/activation.ts";
import type { ConfigReader } from "../folder/config_reader.ts";
import type { ModelSpec } from "../spec.ts";
import { llamaLike } from "./_llama_like.ts";

/**
 * Gemma 1: Llama with GELU in the gate, normalizations stored less 1, and embeddings times the square root of their
 * width. Gemma Team 2024, arXiv:2403.08295.
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function gemma(config: ConfigReader): ModelSpec {
  const bias = config.boolean("attention_bias", false);
  if (config.boolean("use_bidirectional_attention", false)) config.fail("use_bidirectional_attention", "false");
  const eps = config.number("rms_norm_eps", { fallback: 1e-6, least: 0, most: 1 });
  return llamaLike("gemma", config, {
    sizes: { kvHeads: 16, headDim: 256 },
    maxPositions: 8192,
    qkvBias: bias,
    outBias: bias,
    tied: true,
    spec: {
      norm: { kind: "rms", eps, plusOne: true },
      activation: activationOf(config),
      embeddingScale: Math.sqrt(config.integer("hidden_size")),
    },
  });
}

/** Files of the first releases say "gelu" and mean the approximation; the newer field was added to state it. */
function activationOf(config: ConfigReader): Activation {
  if (config.has("hidden_activation")) return readActivation(config, "hidden_activation", "gelu_pytorch_tanh");
  const activation = readActivation(config, "hidden_act", "gelu_pytorch_tanh");
  return activation === "gelu" ? "gelu_tanh" : activation;
}
