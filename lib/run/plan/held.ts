import { Keeper, type KeepTable, type PassGroup } from "../../cache/schedule.ts";
import type { HeldInPass } from "../../report/results/spread_types.ts";

/** What of a model decides the size of a cache entry. */
export interface EntryShape {
  /** Layers. */
  readonly layers: number;
  /** Key and value heads of a layer. */
  readonly kvHeads: number;
  /** Elements of a key, and of a value. */
  readonly headDim: number;
}

/**
 * Computes what a configuration holds over each pass, by the sizes that the run evicts by. What counts is what is left
 * after each eviction; a pass over a chunk of the prompt and a step count one each.
 *
 * @param table What is kept, for every layer and count.
 * @param sequences The passes.
 * @param model The model's shape.
 * @param bytesPerElement Bytes of one element of a key or a value.
 * @returns Mean entries, their share of the full cache in the same passes, and bytes, for each pass.
 * @throws {RangeError} If a sequence has no pass.
 *
 * @example
 * ```ts
 * import { heldInPasses } from "./held.ts";
 *
 * // One layer that keeps two entries as soon as there are three: 1, 2, 2, 2 of 1, 2, 3, 4.
 * const table = { layers: [[[3, 0, 0, 2]]] } as const;
 * const passes = { speed: [{ tokens: 4, times: 1 }], quality: [{ tokens: 1, times: 4 }] };
 * const { quality } = heldInPasses(table, passes, { layers: 1, kvHeads: 2, headDim: 8 }, 4);
 * console.log(quality.mean_entries, quality.share, quality.final_kv_bytes); // 1.75 0.7 256
 * ```
 */
export function heldInPasses(
  table: KeepTable,
  sequences: { readonly speed: readonly PassGroup[]; readonly quality: readonly PassGroup[] },
  model: EntryShape,
  bytesPerElement: number,
): { speed: HeldInPass; quality: HeldInPass } {
  const keeper = new Keeper(table);
  const { layers, kvHeads, headDim } = model;
  const bytesPerEntry = 2 * kvHeads * headDim * bytesPerElement;
  const of = (sequence: readonly PassGroup[]): HeldInPass => {
    const full = fullCache(sequence);
    if (full.passes === 0) throw new RangeError("Cannot average what a sequence holds: it has no pass");
    let sum = 0, end = 0;
    const by_layer = Array.from({ length: layers }, (_, layer) => {
      // Where the method never acts there is no need to count.
      const { heldSum, held } = keeper.acts(layer) ? keeper.sequence(layer, sequence) : full;
      sum += heldSum;
      end += held;
      return heldSum / full.passes;
    });
    return {
      mean_entries: sum / (layers * full.passes),
      by_layer,
      share: sum / (layers * full.heldSum),
      mean_kv_bytes: bytesPerEntry * sum / full.passes,
      final_kv_bytes: bytesPerEntry * end,
    };
  };
  return { speed: of(sequences.speed), quality: of(sequences.quality) };
}

/** What the full cache holds in a layer, in a closed form: every pass adds its tokens. */
function fullCache(sequence: readonly PassGroup[]): { passes: number; held: number; heldSum: number } {
  let passes = 0, held = 0, heldSum = 0;
  for (const { tokens, times } of sequence) {
    passes += times;
    heldSum += held * times + tokens * times * (times + 1) / 2;
    held += tokens * times;
  }
  return { passes, held, heldSum };
}
