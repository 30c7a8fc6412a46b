import { moderateVariances } from "./statistics/moderated_variance.ts";
import { studentEffect } from "./statistics/effect.ts";
import type { JudgedMetric } from "./verdict.ts";

/** Squared correlation of two rows' ratios to one baseline: half of each one's variance is the baseline's. */
const SHARED = 0.25;

/**
 * Moderates the noise of a comparison's times by each other: of the same time in all rows, as ratios to the baseline
 * ({@linkcode moderateVariances}). Other metrics stay as they are.
 *
 * @example
 * ```ts
 * import { moderate } from "./moderate.ts";
 *
 * console.log(moderate([])); // []
 * ```
 *
 * @param metrics All metrics of all cells.
 * @returns The same in the same order, with other effects.
 */
export function moderate(metrics: readonly JudgedMetric[]): JudgedMetric[] {
  const groups = Map.groupBy(metrics.filter(({ noise }) => noise !== undefined), ({ metric }) => metric);
  const moderated = new Map(
    [...groups.values()].flatMap((group) =>
      moderateVariances(group.map(({ noise }) => noise!), SHARED).map((variance, i) => [group[i]!, variance] as const)
    ),
  );
  return metrics.map((metric) => {
    const variance = moderated.get(metric);
    if (variance === undefined || metric.effect === null || !(variance.df > 0)) return metric;
    const error = Math.sqrt(variance.variance) * metric.noise!.factor;
    const { estimate, by } = metric.effect;
    return { ...metric, effect: { ...studentEffect(estimate, error, variance.df, metric.margin), by } };
  });
}
