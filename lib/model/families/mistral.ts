import type { ConfigReader } from "../folder/config_reader.ts";
import type { ModelSpec } from "../spec.ts";
import { llamaLike } from "./_llama_like.ts";
import { windowOf } from "./_window.ts";

/**
 * Mistral: Llama with a sliding window in its first version. Jiang et al. 2023, arXiv:2310.06825.
 *
 * @param config The model's config.json.
 * @returns The decoder it describes.
 * @throws {InputError} Naming a field that is missing or wrong.
 */
export function mistral(config: ConfigReader): ModelSpec {
  return llamaLike("mistral", config, {
    sizes: { kvHeads: 8 },
    maxPositions: 131_072,
    qkvBias: false,
    outBias: false,
    // If the file has no such field, the window is the first version's; null means no window.
    spec: windowOf(config, Object.hasOwn(config.fields, "sliding_window") ? undefined : 4096),
  });
}
