import type { Value } from "../../ort/value.ts";
import type { FormContext } from "./form.ts";

/**
 * What a sliding window over slots in any order asks for, by layer: where each slot's entry is in the text, `text_positions.l`, or
 * in the cache, `ranks.l`.
 */
export function windowInputs(
  { engine: { window, model: { spec } }, cache, tokens }: FormContext,
): Record<string, Value> {
  if (window === undefined) return {};
  const [feature, input] = window.by === "index"
    ? ["text_position", "text_positions"] as const
    : ["rank", "ranks"] as const;
  const layers = window.evicted.filter((layer) => spec.window?.(layer));
  return Object.fromEntries(layers.map((layer) => [`${input}.${layer}`, cache.perSlot(feature, layer, tokens)]));
}
