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
