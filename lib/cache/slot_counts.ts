import type { Eviction } from "./eviction.ts";
import type { PassGroup } from "./schedule.ts";

/** Slots that the layers of a sequence need. */
export interface SlotCounts {
  /** Slots per head, by layer. */
  readonly capacities: readonly number[];
  /** Layers whose prompt does not fit in their slots, and its length: it is staged until it is cut down. */
  readonly tight: readonly { readonly layer: number; readonly prefill: number }[];
}

/**
 * Counts the slots of a sequence: in each layer the most entries of any pass, new ones included. So a prompt that is
 * read in chunks, with eviction between them, needs slots for the kept entries and one chunk. A prompt that comes whole
 * and is then cut down needs no slots for the rest; it is staged until it is cut down.
 *
 * @param eviction The policy. If its entry state has one width, all acting layers get equal capacities.
 * @param sequence The passes.
 */
export function slotsFor(
  { keeper, model, acting, uniform }: Pick<Eviction, "keeper" | "acting" | "uniform"> & { model: { layers: number } },
  sequence: readonly PassGroup[],
): SlotCounts {
  // If several passes bring several tokens each, all of them write to the slots directly: cutting down a staged prompt
  // would write over what these passes are bound to.
  const alone = sequence.reduce((sum, { tokens, times }) => tokens > 1 ? sum + times : sum, 0) <= 1;
  const layers = Array.from({ length: model.layers }, (_, layer) => {
    const { capacity, prefill } = keeper.sequence(layer, sequence);
    return { layer, prefill, capacity: alone && keeper.acts(layer) ? capacity : Math.max(capacity, prefill) };
  });
  const most = Math.max(...acting.map((layer) => layers[layer]!.capacity));
  const capacities = layers.map(({ layer, capacity }) => Math.max(1, uniform && keeper.acts(layer) ? most : capacity));
  return { capacities, tight: layers.filter(({ layer, prefill }) => prefill > capacities[layer]!) };
}
