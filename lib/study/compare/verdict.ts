import type { MetricComparison, Verdict } from "./types.ts";
import { holm } from "./statistics/holm.ts";
import type { Effect } from "./statistics/effect.ts";
import type { Variance } from "./statistics/moderated_variance.ts";

/** Chance of one or more false findings in a comparison. */
export const LEVEL = 0.05;

/** A metric before the number of tests is known. */
export type JudgedMetric = Omit<MetricComparison, "p_adjusted" | "verdict"> & {
  /** The smallest change that matters, in the effect's unit. */
  margin: number;
  /** The verdict, if it does not follow from the effect. */
  fixed?: Verdict;
  /** What speaks against a change, however unlikely chance is: the verdict is then unknown. */
  doubt?: string;
  /** Variance of a single value, and the estimate's error over its root: of times that may be moderated. */
  noise?: Variance & { readonly factor: number };
};

/**
 * Gives each metric its verdict. All of a comparison's metrics are adjusted together (Holm).
 *
 * @example
 * ```ts
 * import { judge, type JudgedMetric } from "./verdict.ts";
 *
 * const effect = { estimate: 0.1, low: 0.08, high: 0.12, confidence: 0.95, by: "welch", p: 0.001 } as const;
 * const tpot: JudgedMetric = { metric: "tpot", a: 1, b: 1.1, is_ratio: false, effect, margin: 0.03 };
 * console.log(judge([tpot])[0]?.verdict); // worse
 * ```
 *
 * @param metrics All metrics of all cells.
 * @returns The same, in the same order.
 */
export function judge(metrics: readonly JudgedMetric[]): MetricComparison[] {
  const tested = metrics.filter(({ effect, fixed }) => fixed === undefined && effect?.p != null);
  const adjusted = new Map(holm(tested.map(({ effect }) => effect!.p!)).map((p, i) => [tested[i]!, p]));
  return metrics.map((judged) => {
    const { margin, fixed, doubt, noise: _, ...metric } = judged;
    const p_adjusted = adjusted.get(judged) ?? null;
    const found = fixed ?? (metric.effect === null ? "unknown" : verdictOf(metric.effect, margin, p_adjusted));
    const isDoubted = doubt !== undefined && (found === "worse" || found === "better");
    const verdict = isDoubted ? "unknown" : found;
    const reason = isDoubted ? doubt : metric.reason ?? reasonOf(verdict, metric.effect);
    return { ...metric, p_adjusted, verdict, ...(reason === undefined ? {} : { reason }) };
  });
}

/**
 * Returns the verdict that follows from one change: worse or better if it is significantly larger than the smallest that
 * matters; same if its interval is within that; else unknown.
 */
function verdictOf({ estimate, low, high, p }: Effect, margin: number, adjusted: number | null): Verdict {
  if (p === null) return Math.abs(estimate) <= margin ? "same" : estimate > 0 ? "worse" : "better";
  if (adjusted !== null && adjusted < LEVEL) return estimate > 0 ? "worse" : "better";
  return -margin <= low && high <= margin ? "same" : "unknown";
}

function reasonOf(verdict: Verdict, effect: Effect | null): string | undefined {
  if (verdict !== "unknown") return undefined;
  if (effect === null) return "there is no figure on both sides";
  return effect.confidence === 0 ? "a single measurement has no spread" : undefined;
}
