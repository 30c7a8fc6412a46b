import { Keeper, type KeepTable, type PassGroup } from "../../cache/schedule.ts";
import { numberingOf, type Positions } from "../../engine/numbering.ts";

/**
 * How many positions a configuration gives its tokens: that many a model must have been trained for. Counted by the text
 * it is the text's length; inside the cache, the most entries a layer holds; in the original's way, those of layer 0.
 *
 * @example
 * ```ts
 * import { tabulate } from "../../cache/schedule.ts";
 * import { methods } from "../../policies/registry.ts";
 * import { highestPosition } from "./highest_position.ts";
 *
 * const sequences = [[{ tokens: 1, times: 20_000 }]];
 * const table = tabulate(methods.streaming_llm({ start_size: 4, recent_size: 508 }), { layers: 8 }, [], sequences);
 * console.log(highestPosition("absolute", table, sequences), highestPosition("cache", table, sequences)); // 20000 513
 * ```
 *
 * @param positions How tokens are numbered.
 * @param table The policy's sizes.
 * @param sequences The passes it goes through.
 * @returns The highest position that a token gets, plus one.
 */
export function highestPosition(
  positions: Positions,
  table: KeepTable,
  sequences: readonly (readonly PassGroup[])[],
): number {
  const { limitedBy } = numberingOf(positions, false);
  if (limitedBy === "text") {
    return Math.max(
      ...sequences.map((sequence) => sequence.reduce((sum, { tokens, times }) => sum + tokens * times, 0)),
    );
  }
  const keeper = new Keeper(table);
  const layers = limitedBy === "layer 0" ? [0] : table.layers.keys();
  const most = [...layers].flatMap((layer) =>
    sequences.map((sequence) => {
      const { capacity, prefill } = keeper.sequence(layer, sequence);
      return Math.max(capacity, prefill);
    })
  );
  return Math.max(...most);
}

/**
 * Says which configurations number tokens beyond what the model was trained for.
 *
 * @param reaches What {@linkcode highestPosition} gives for each configuration.
 * @param trained Positions the model was trained for.
 * @returns A line for people; undefined if none does.
 */
export function positionsNote(
  reaches: readonly { readonly name: string; readonly last: number }[],
  trained: number,
): string | undefined {
  const beyond = reaches.filter(({ last }) => last > trained);
  if (beyond.length === 0) return undefined;
  const all = beyond.length === reaches.length && beyond.length > 1;
  const which = all ? "all configurations" : beyond.map(({ name }) => name).join(", ");
  const furthest = Math.max(...beyond.map(({ last }) => last));
  return `Positions go to ${furthest} in ${which}, the model was trained for ${trained}: quality falls off there. ` +
    "With --positions cache they go to the most entries that a layer holds, those of --skip_layers included";
}

/**
 * Says that texts are longer than the model sees.
 *
 * @example
 * ```ts
 * import { windowNote } from "./highest_position.ts";
 *
 * console.log(windowNote(4096, 4096)); // undefined
 * console.log(windowNote(4096, 8192)); // "Texts have up to 8192 tokens, of which the model sees 4096 at a time …"
 * ```
 *
 * @param window The shortest sliding window of its layers, tokens; Infinity where there is none.
 * @param tokens The most that a text has.
 * @returns A line for people; undefined if no text is longer.
 */
export function windowNote(window: number, tokens: number): string | undefined {
  if (tokens <= window) return undefined;
  return `Texts have up to ${tokens} tokens, of which the model sees ${window} at a time (sliding_window): attention is ` +
    "explicit for that, and by absolute positions entries that are kept beyond the window are not seen";
}
