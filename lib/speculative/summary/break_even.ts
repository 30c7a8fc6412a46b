import type { DraftBreakEven, SpeculativeRow } from "../../report/results/speculative_types.ts";

type Ratio = "estimate" | "low" | "high";

/** Fields that the break-even follows from. */
export type SpeedupRow = Pick<SpeculativeRow, "draft" | "length" | "speedup">;

/**
 * Returns the row with the largest speed-up of each draft at each length: that of its best gamma.
 *
 * @example
 * ```ts
 * import { bestRows } from "./break_even.ts";
 *
 * const row = (estimate: number) => ({ draft: "ngram", length: 8, speedup: { estimate, low: 0, high: 9, confidence: 0.95 } });
 * console.log(bestRows([row(1), row(2)]).length); // 1
 * ```
 *
 * @param rows Rows of any drafts.
 */
export function bestRows<R extends SpeedupRow>(rows: readonly R[]): R[] {
  const drafted = rows.filter(({ draft, speedup }) => draft !== null && speedup !== null);
  const groups = Map.groupBy(drafted, ({ draft, length }) => `${length} ${draft}`);
  return [...groups.values()].map((group) =>
    group.reduce((best, row) => row.speedup!.estimate > best.speedup!.estimate ? row : best)
  );
}

/**
 * Finds the context length from which on each draft is faster than plain decoding, at its best gamma. Between two
 * measured lengths the speed-up is interpolated linearly. The last crossing counts.
 *
 * @example
 * ```ts
 * import { breakEvens } from "./break_even.ts";
 *
 * const row = (length: number, estimate: number) => ({
 *   draft: "ngram",
 *   length,
 *   speedup: { estimate, low: estimate - 0.25, high: estimate + 0.25, confidence: 0.95 },
 * });
 * console.log(breakEvens([row(1000, 0.5), row(2000, 1.5)]));
 * // [ { draft: "ngram", length: 1500, earliest: 1250, latest: 1750, within: 2000 } ]
 * ```
 *
 * @param rows Rows of any drafts.
 * @returns One for each draft, in tokens, rounded.
 */
export function breakEvens(rows: readonly SpeedupRow[]): DraftBreakEven[] {
  const groups = Map.groupBy(bestRows(rows), ({ draft }) => draft!);
  return [...groups].map(([draft, own]) => {
    const points = own.toSorted((a, b) => a.length - b.length);
    return {
      draft,
      length: fromWhere(points, "estimate"),
      earliest: fromWhere(points, "high"),
      latest: fromWhere(points, "low"),
      within: points.at(-1)!.length,
    };
  });
}

/** The length from which on a ratio is at least 1, or null. */
function fromWhere(points: readonly SpeedupRow[], of: Ratio): number | null {
  let after = points.at(-1)!;
  if (!(after.speedup![of] >= 1)) return null;
  for (const before of points.toReversed().slice(1)) {
    const [low, high] = [before.speedup![of], after.speedup![of]];
    if (!(low >= 1)) {
      if (Number.isNaN(low)) return null;
      return Math.round(before.length + (after.length - before.length) * (1 - low) / (high - low));
    }
    after = before;
  }
  return after.length;
}
