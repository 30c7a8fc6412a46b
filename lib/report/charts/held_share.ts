import type { Run } from "../results/trace_types.ts";

/**
 * Computes the share of a layer's heads that hold each stretch of the text: a row of a heatmap.
 *
 * @param heads The layer's runs, `[head][run]`; empty if the layer holds everything.
 * @param tokens Tokens read so far.
 * @param width Positions per stretch; the last stretch may be shorter.
 * @returns For each stretch the mean share of heads that hold its positions, 0..1.
 *
 * @example
 * ```ts
 * import { heldShare } from "./held_share.ts";
 *
 * console.log([...heldShare([[[0, 2]], [[0, 1], [4, 2]]], 6, 2)]); // [ 0.75, 0, 0.5 ]
 * ```
 */
export function heldShare(heads: readonly (readonly Run[])[], tokens: number, width: number): Float64Array {
  const passGroups = Math.ceil(tokens / width);
  if (heads.length === 0) return new Float64Array(passGroups).fill(1);
  // Held positions are counted at the ends of runs, not one by one.
  const held = new Float64Array(passGroups);
  for (const [first, count] of heads.flat()) {
    const end = first + count;
    for (let at = Math.floor(first / width); at * width < end; at++) {
      held[at]! += Math.min(end, (at + 1) * width) - Math.max(first, at * width);
    }
  }
  return held.map((count, at) => count / (heads.length * (Math.min(tokens, (at + 1) * width) - at * width)));
}

/**
 * Picks as many items as can be shown, evenly and including the first and the last.
 *
 * @param items All items.
 * @param most Most items to keep.
 * @returns All items if they are no more than `most`; else `most` of them, in order.
 *
 * @example
 * ```ts
 * import { pickEvenly } from "./held_share.ts";
 *
 * console.log(pickEvenly([1, 2, 3, 4, 5, 6, 7], 3)); // [ 1, 4, 7 ]
 * ```
 */
export function pickEvenly<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  if (most === 1) return items.slice(-1);
  return Array.from({ length: most }, (_, index) => items[Math.round(index * (items.length - 1) / (most - 1))]!);
}
