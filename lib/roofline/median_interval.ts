import { median } from "../report/results/stats.ts";

/** A median and its confidence interval. */
export interface MedianInterval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Standard normal quantile of 97.5 %. */
const Z = 1.96;

/**
 * Returns the median with its 95 % confidence interval by order statistics. That assumes no distribution, only
 * independent samples: the normal approximation of the binomial (Conover 1999, Practical Nonparametric Statistics,
 * section 3.2). For fewer than about 6 samples it is their whole range, which holds the median less often than that.
 *
 * @example
 * ```ts
 * import { medianInterval } from "./median_interval.ts";
 *
 * console.log(medianInterval(Array.from({ length: 101 }, (_, i) => i))); // { median: 50, low: 40, high: 60 }
 * ```
 *
 * @param values At least one number.
 * @returns In the values' unit.
 * @throws {RangeError} If no number is given.
 */
export function medianInterval(values: readonly number[]): MedianInterval {
  const middle = median(values);
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const rank = Math.max(0, Math.floor((n - Z * Math.sqrt(n)) / 2));
  return { median: middle, low: sorted[rank]!, high: sorted[n - 1 - rank]! };
}
