import type { Value } from "../../ort/value.ts";
import type { FormContext } from "./form.ts";

/**
 * Inputs of a sliding window over slots in any order, by layer: the text position of each slot's entry,
 * `text_positions.l`, or its rank, `ranks.l`.
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
