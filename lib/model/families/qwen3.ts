import type { ConfigReader } from "../folder/config_reader.ts";
import type { ModelSpec } from "../spec.ts";
import { llamaLike } from "./_llama_like.ts";
import { windowOfSome } from "./_window.ts";

/**
 * Qwen3: Llama with each head's query and key normalized. Yang et al. 2025, arXiv:2505.09388.
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function qwen3(config: ConfigReader): ModelSpec {
  const bias = config.boolean("attention_bias", false);
  return llamaLike("qwen3", config, {
    sizes: { kvHeads: 32, headDim: 128 },
    maxPositions: 32_768,
    qkvBias: bias,
    outBias: bias,
    headNorms: true,
    spec: windowOfSome(config),
  });
}
