import { Keeper, type KeepTable, type PassGroup } from "../../cache/schedule.ts";
import type { DroppedEntries } from "../../report/results/types.ts";

/**
 * Counts the entries that a configuration drops in each pass, by the sizes that the run evicts by. A method that acts
 * and then keeps everything counts as dropping nothing.
 *
 * @param table What is kept, for every layer and count.
 * @param sequences The passes.
 * @returns Entries dropped by the end of each sequence, summed over layers.
 */
export function droppedEntries(
  table: KeepTable,
  sequences: { readonly speed: readonly PassGroup[]; readonly quality: readonly PassGroup[] },
): DroppedEntries {
  const keeper = new Keeper(table);
  const of = (sequence: readonly PassGroup[]) => {
    const tokens = sequence.reduce((sum, stretch) => sum + stretch.tokens * stretch.times, 0);
    return table.layers.reduce((sum, _, layer) => sum + tokens - keeper.sequence(layer, sequence).held, 0);
  };
  return { speed: of(sequences.speed), quality: of(sequences.quality) };
}

/**
 * Averages what the layers hold at the end of a sequence, over the layers that are not skipped.
 *
 * @param table What is kept, for every layer and count.
 * @param skipLayers Layers that are never compressed.
 * @param sequence The passes.
 * @returns Entries of a layer; 0 if all layers are skipped.
 */
export function meanHeld(table: KeepTable, skipLayers: readonly number[], sequence: readonly PassGroup[]): number {
  const keeper = new Keeper(table);
  const acting = table.layers.map((_, layer) => layer).filter((layer) => !skipLayers.includes(layer));
  const held = acting.reduce((sum, layer) => sum + keeper.sequence(layer, sequence).held, 0);
  return held / Math.max(acting.length, 1);
}
