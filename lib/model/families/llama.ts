import type { ConfigReader } from "../folder/config_reader.ts";
import type { ModelSpec } from "../spec.ts";
import { llamaLike } from "./_llama_like.ts";

/**
 * Llama 1 to 3.2 and models of its architecture: SmolLM, TinyLlama, Yi. Touvron et al. 2023, arXiv:2302.13971;
 * Grattafiori et al. 2024, arXiv:2407.21783.
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function llama(config: ConfigReader): ModelSpec {
  const bias = config.boolean("attention_bias", false);
  return llamaLike("llama", config, {
    maxPositions: 2048,
    qkvBias: bias,
    outBias: bias,
    mlpBias: config.boolean("mlp_bias", false),
  });
}
