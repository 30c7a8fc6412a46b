import { Value } from "../../ort/value.ts";
import type { FormContext } from "./form.ts";

/** Ranks of every layer's slots, places in text order: `ranks.l` float32 `[kvHeads, capacity]`. */
export function rankInputs(
  { engine, cache, tokens, member, allocate }: Omit<FormContext, "block">,
): Record<string, Value> {
  const { runtime: { ort, device }, model: { spec: { kvHeads } }, groups, eviction } = engine;
  // If nothing is ever dropped, entries lie in text order.
  const inOrder = member.map((layer) => {
    const capacity = cache.capacity(layer, tokens);
    const ranks = allocate(4 * kvHeads * capacity);
    device.write(ranks, 0, Float32Array.from({ length: kvHeads * capacity }, (_, i) => i % capacity));
    return () => Value.of(ort, device, ranks, "float32", [kvHeads, capacity]);
  });
  return Object.fromEntries(groups.map((group, layer) => [
    `ranks.${layer}`,
    eviction.acting.includes(layer) ? cache.perSlot("rank", layer, tokens) : inOrder[group]!(),
  ]));
}
