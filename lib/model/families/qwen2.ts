import type { ConfigReader } from "../folder/config_reader.ts";
import type { ModelSpec } from "../spec.ts";
import { llamaLike } from "./_llama_like.ts";
import { windowOfSome } from "./_window.ts";

/**
 * Qwen2 and Qwen2.5: Llama with biases on queries, keys and values. Yang et al. 2024, arXiv:2407.10671.
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function qwen2(config: ConfigReader): ModelSpec {
  return llamaLike("qwen2", config, {
    sizes: { kvHeads: 32 },
    maxPositions: 32_768,
    qkvBias: true,
    outBias: false,
    spec: windowOfSome(config),
  });
}
