import type { Sizes } from "../policies/policy.ts";
import type { Compaction } from "./compactor.ts";
import { noDrop, packDropRanges } from "./drop_range.ts";
import type { Eviction } from "./eviction.ts";
import type { Keeper } from "./schedule.ts";

/** What the policy does with a pass's entries. */
export interface Decision {
  readonly tokens: number;
  /** Entries held after the pass, by layer; for layers that the policy acts on, a decision may serve several passes. */
  readonly held: readonly number[];
  /** Layers that drop one entry, and what they keep. */
  readonly drops: ReadonlyMap<number, Sizes>;
  /** Layers that drop more. */
  readonly compactions: readonly Compaction[];
  /** What the acting layers drop from: see emitDrop. */
  readonly dropRanges: Float32Array;
}

/**
 * Decides what the policy does in each layer after a pass. Follows from counts alone.
 *
 * @param eviction The policy.
 * @param tokens New tokens of the pass.
 * @param before Entries held before the pass, by layer.
 * @param freeSlots Slots of an acting layer whose pass is staged without state of its own; undefined for other passes.
 */
export function decide(
  { keeper, kept, acting }: Pick<Eviction, "kept" | "acting"> & { readonly keeper: Pick<Keeper, "keep" | "acts"> },
  tokens: number,
  before: readonly number[],
  freeSlots: (layer: number) => number | undefined,
): Decision {
  const drops = new Map<number, Sizes>();
  const compactions: Compaction[] = [];
  const held = before.map((past, layer) => {
    const entries = past + tokens;
    const sizes = keeper.keep(layer, entries);
    if (sizes === "all") {
      // Several entries came at once: keeping all of them in place computes their norms.
      if (tokens > 1 && kept.norms && keeper.acts(layer)) {
        compactions.push({ layer, entries, sink: entries, heavy: 0, recent: 0 });
      }
      return entries;
    }
    const left = sizes.sink + sizes.heavy + sizes.recent;
    if (entries - left === 1 && tokens === 1) drops.set(layer, sizes);
    else compactions.push({ layer, entries, ...sizes });
    return left;
  });
  const dropRanges = packDropRanges(acting.map((layer) => {
    const sizes = drops.get(layer);
    const past = before[layer]!;
    const entries = past + tokens;
    if (sizes) return { last: entries - 1, sink: sizes.sink, end: entries - sizes.recent, past };
    // A staged prompt without state of its own leaves the slots alone: any of them will do.
    return noDrop(Math.min(entries, freeSlots(layer) ?? entries) - 1, past);
  }));
  return { tokens, held, drops, compactions, dropRanges };
}
