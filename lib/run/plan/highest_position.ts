import { Keeper, type KeepTable, type PassGroup } from "../../cache/schedule.ts";
import { numberingOf, type Positions } from "../../engine/numbering.ts";

/**
 * Returns how many positions a configuration gives its tokens: the model must have been trained for that many. Counted
 * by the text it is the text's length; by places in the cache, the most entries in a layer; with numbering "seed", the
 * most in layer 0.
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
 * @param sequences The passes.
 * @returns The highest position of a token, plus one.
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
 * Names the configurations that number tokens beyond what the model was trained for.
 *
 * @param reaches The result of {@linkcode highestPosition} for each configuration.
 * @param trained Number of positions the model was trained for.
 * @returns A line for the user; undefined if none does.
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
 * Notes that texts are longer than the model's sliding window.
 *
 * @example
 * ```ts
 * import { windowNote } from "./highest_position.ts";
 *
 * console.log(windowNote(4096, 4096)); // undefined
 * console.log(windowNote(4096, 8192)); // "Texts have up to 8192 tokens, of which the model sees 4096 at a time …"
 * ```
 *
 * @param window The shortest sliding window of the model's layers, tokens; Infinity without one.
 * @param tokens The most tokens of any text.
 * @returns A line for the user; undefined if no text is longer.
 */
export function windowNote(window: number, tokens: number): string | undefined {
  if (tokens <= window) return undefined;
  return `Texts have up to ${tokens} tokens, of which the model sees ${window} at a time (sliding_window): attention is ` +
    "explicit for that, and with absolute positions the model does not see kept entries beyond the window";
}
