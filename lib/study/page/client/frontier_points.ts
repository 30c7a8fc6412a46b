import type { Packed, PageCell } from "../page_data.ts";

/** What stands for quality. */
export type Quality = "kl" | "ppl";
/** What it is drawn over. */
export type Cost = "cache" | "tpot";

/** A cell with both figures. */
export interface FrontierPoint {
  cell: PageCell;
  cost: Packed;
  quality: Packed;
}

/**
 * Chooses the cells of a frontier: the newest of each configuration of a group, where they have both figures.
 *
 * @param cells All cells of the page.
 * @param options The group's index, the figures, and the series that are hidden.
 *
 * @example
 * ```ts
 * import { frontierPoints } from "./frontier_points.ts";
 *
 * console.log(frontierPoints([], { group: 0, quality: "kl", cost: "tpot", hidden: new Set() })); // []
 * ```
 */
export function frontierPoints(
  cells: readonly PageCell[],
  { group, quality, cost, hidden }: { group: number; quality: Quality; cost: Cost; hidden: ReadonlySet<string> },
): FrontierPoint[] {
  return cells.filter((cell) => cell.group === group && cell.newest && !hidden.has(cell.series)).flatMap((cell) => {
    const { figures: { cache }, spreads } = cell;
    const over = cost === "cache" ? cache === undefined ? undefined : [cache] as const : spreads.tpot;
    const good = spreads[quality];
    return over === undefined || good === undefined ? [] : [{ cell, cost: over, quality: good }];
  });
}

/**
 * Joins points of one series and look to lines, from the lowest cost on.
 *
 * @example
 * ```ts
 * import { frontierLines } from "./frontier_points.ts";
 *
 * console.log(frontierLines([])); // []
 * ```
 */
export function frontierLines(points: readonly FrontierPoint[]): FrontierPoint[][] {
  const lines = Map.groupBy(points, ({ cell }) => `${cell.look} ${cell.series}`);
  return [...lines.values()].map((line) =>
    line.toSorted((a, b) => (a.cell.figures.cache ?? a.cost[0]) - (b.cell.figures.cache ?? b.cost[0]))
  );
}
