import { budgetFigures, frontierPoints } from "./drawable.ts";
import { heldPoints, type PointResults } from "./held_points.ts";
import type { Picture } from "./pictures.ts";
import type { RunConfig } from "../results/types.ts";

/** What decides about pictures in addition to the results. */
export interface PictureWishes {
  /** Whether perplexity along the text is wanted for a text of any length. */
  plotNll: boolean;
  /** Whether there are traces. */
  traces: boolean;
}

/**
 * Decides which pictures a run gets. Pure: depends on its arguments alone.
 *
 * @param results A run's results.
 * @param wishes See {@linkcode PictureWishes}.
 * @returns The comparison always, or that of number types if every configuration has its own. Quality over budget and the frontier if a method has several budgets with the figures
 * that they show; perplexity along the text if it was measured and is wanted, or the text is longer than the model was trained for;
 * traces if there are any.
 *
 * @example
 * ```ts
 * import { picturesFor } from "./pictures_for.ts";
 *
 * const results = { config: { max_tokens: 9000, max_positions: 2048 }, aggregated_stats: {}, configurations: [] };
 * console.log(picturesFor(results, { plotNll: false, traces: true })); // [ "comparison", "nll", "traces" ]
 * ```
 */
export function picturesFor(
  results: PointResults & { config: Pick<RunConfig, "max_tokens" | "max_positions" | "passes"> },
  { plotNll, traces }: PictureWishes,
): Picture[] {
  const { max_tokens, max_positions = Infinity, passes } = results.config;
  const { configurations } = results;
  // All are of types of their own: what differs between them is the type.
  const isOfTypes = configurations.length > 0 && configurations.every(({ dtype }) => dtype !== undefined);
  return [
    isOfTypes ? "precision" : "comparison",
    ...(budgetFigures(heldPoints(results)).length > 0 ? ["budget" as const] : []),
    ...(frontierPoints(results).placed.length > 0 ? ["frontier" as const] : []),
    ...(passes !== "speed" && (plotNll || max_tokens > max_positions) ? ["nll" as const] : []),
    ...(traces ? ["traces" as const] : []),
  ];
}
