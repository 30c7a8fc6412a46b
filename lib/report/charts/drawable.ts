/**
 * What the pictures of budget and frontier show. Loads nothing that draws: a run decides by it which pictures it gets.
 *
 * @module
 */
import { hasSeveralBudgets, type HeldPoint, heldPoints, type PointResults, type Spread } from "./held_points.ts";

/** A figure over the share of the cache held. */
export type BudgetFigure = "kl" | "ppl";

/**
 * Returns the figures that a method has at several budgets: each is a panel of quality_over_budget.png.
 *
 * @param points From {@linkcode heldPoints}.
 * @returns None if there is nothing to draw.
 *
 * @example
 * ```ts
 * import { budgetFigures } from "./drawable.ts";
 *
 * console.log(budgetFigures([])); // []
 * ```
 */
export function budgetFigures(points: readonly HeldPoint[]): BudgetFigure[] {
  return (["kl", "ppl"] as const).filter((figure) =>
    hasSeveralBudgets(points, (point) => point.share !== undefined && point[figure] !== undefined)
  );
}

/** A configuration in the frontier: x is its divergence or perplexity, y its TPOT, ms. */
export type FrontierPoint = HeldPoint & { x: Spread; y: Spread };

/**
 * Returns the configurations of frontier.png.
 *
 * @param results A run's results.
 * @returns Configurations with speed and quality; none if no method has several. Quality is the divergence where all
 * have it, else the perplexity.
 *
 * @example
 * ```ts
 * import { frontierPoints } from "./drawable.ts";
 *
 * console.log(frontierPoints({ aggregated_stats: {}, configurations: [] })); // { placed: [], by: "ppl" }
 * ```
 */
export function frontierPoints(results: PointResults): { placed: FrontierPoint[]; by: BudgetFigure } {
  const points = heldPoints(results).filter(({ tpot }) => tpot !== undefined);
  const by = points.some(({ kl }) => kl !== undefined) && points.every(({ kl }) => kl !== undefined) ? "kl" : "ppl";
  const placed = points.flatMap((point): FrontierPoint[] =>
    point[by] === undefined ? [] : [{ ...point, x: point[by], y: point.tpot! }]
  );
  return { placed: hasSeveralBudgets(placed, () => true) ? placed : [], by };
}

/**
 * Tells which points no other point beats: none is as good in both figures and better in one. Less is better.
 *
 * @param points Their figures.
 * @returns For each point whether it is on the frontier.
 *
 * @example
 * ```ts
 * import { paretoOptimal } from "./drawable.ts";
 *
 * console.log(paretoOptimal([{ x: 1, y: 9 }, { x: 2, y: 9 }, { x: 2, y: 3 }])); // [ true, false, true ]
 * ```
 */
export function paretoOptimal(points: readonly { x: number; y: number }[]): boolean[] {
  return points.map((point) =>
    !points.some((other) => other.x <= point.x && other.y <= point.y && (other.x < point.x || other.y < point.y))
  );
}
