import type { MedianInterval } from "./median_interval.ts";

/** The full cache's time per token at one length, s. */
export interface FullCachePoint extends MedianInterval {
  /** Entries held. */
  readonly length: number;
}

/** Length from which on a method is faster than the full cache; null if it is not among the lengths measured. */
export interface BreakEven {
  readonly length: number | null;
  /** The earliest length that the intervals of both medians allow. */
  readonly earliest: number | null;
  /** The latest length that they allow. */
  readonly latest: number | null;
  /** The longest full cache measured. */
  readonly within: number;
}

/**
 * Finds the text length from which on a method at its budget is faster than the full cache. The full cache's time
 * between two measured lengths is interpolated linearly. If it crosses the method's time more than once, the last
 * crossing counts. The result is never below the budget: until there nothing is evicted, and both do the same.
 *
 * @example The full cache takes 3 ms + 1 ms for 4096 entries, the method 3.5 ms
 * ```ts
 * import { breakEven } from "./break_even.ts";
 *
 * const at = (length: number) => {
 *   const median = 0.003 + 0.001 * length / 4096;
 *   return { length, median, low: median, high: median };
 * };
 * console.log(breakEven([at(256), at(4096)], { median: 0.0035, low: 0.0034, high: 0.0036 }, 512));
 * // { length: 2048, earliest: 1638, latest: 2458, within: 4096 }
 * ```
 *
 * @param full The full cache at two lengths or more, in ascending order.
 * @param method The method's time per token at its budget, s.
 * @param budget Entries the method keeps.
 * @returns Lengths in tokens, rounded.
 */
export function breakEven(full: readonly FullCachePoint[], method: MedianInterval, budget: number): BreakEven {
  const cross = (of: keyof MedianInterval, time: number) => {
    const length = lastCrossing(full.map((point) => [point.length, point[of]]), time);
    return length === null ? null : Math.max(budget, Math.round(length));
  };
  return {
    length: cross("median", method.median),
    earliest: cross("high", method.low),
    latest: cross("low", method.high),
    within: full.at(-1)!.length,
  };
}

/** End of the last stretch in which a line through points is below `level`; the first point's x if no stretch is. */
function lastCrossing(points: readonly (readonly [x: number, y: number])[], level: number): number | null {
  let after = points.at(-1)!;
  if (after[1] < level) return null;
  for (const before of points.toReversed().slice(1)) {
    if (before[1] < level) {
      return before[0] + (after[0] - before[0]) * (level - before[1]) / (after[1] - before[1]);
    }
    after = before;
  }
  return after[0];
}
