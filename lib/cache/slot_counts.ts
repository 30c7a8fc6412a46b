import type { Eviction } from "./eviction.ts";
import type { PassGroup } from "./schedule.ts";

/** How much room a sequence's layers need. */
export interface SlotCounts {
  /** Slots per head, by layer. */
  readonly capacities: readonly number[];
  /** Layers whose prompt is more than that, and how many tokens it has: it lies in memory of its own while it is whole. */
  readonly tight: readonly { readonly layer: number; readonly prefill: number }[];
}

/**
 * How many slots a sequence takes: in each layer as many as the most entries of any pass, the new ones included. So a
 * prompt that is read in chunks, with eviction between them, takes what is kept and one chunk. One that comes whole and
 * is then cut down to less takes no slots of its own, but memory until it is.
 *
 * @param eviction The policy; where what it keeps beside the slots has one width, all layers it acts on are as wide.
 * @param sequence The passes.
 */
export function slotsFor(
  { keeper, model, acting, uniform }: Pick<Eviction, "keeper" | "acting" | "uniform"> & { model: { layers: number } },
  sequence: readonly PassGroup[],
): SlotCounts {
  // Where several passes bring several tokens each, all of them go where entries stay: what such passes are bound to would
  // be written over once a prompt is cut down.
  const alone = sequence.reduce((sum, { tokens, times }) => tokens > 1 ? sum + times : sum, 0) <= 1;
  const layers = Array.from({ length: model.layers }, (_, layer) => {
    const { capacity, prefill } = keeper.sequence(layer, sequence);
    return { layer, prefill, capacity: alone && keeper.acts(layer) ? capacity : Math.max(capacity, prefill) };
  });
  const most = Math.max(...acting.map((layer) => layers[layer]!.capacity));
  const capacities = layers.map(({ layer, capacity }) => Math.max(1, uniform && keeper.acts(layer) ? most : capacity));
  return { capacities, tight: layers.filter(({ layer, prefill }) => prefill > capacities[layer]!) };
}
