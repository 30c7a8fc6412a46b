import { mean, sampleStd } from "../results/stats.ts";
import type { Interval } from "../results/spread_types.ts";

/** 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom. */
const T_975 = [12.7062, 4.3027, 3.1824, 2.7764] as const;

/**
 * Interval of the mean of a few numbers by Student's t with 95 % confidence: right if they are normally distributed, and
 * wide, because so few numbers say little about their spread.
 *
 * @example
 * ```ts
 * import { studentInterval } from "./student.ts";
 *
 * const { estimate, low, high } = studentInterval([0.9, 1, 1.1]);
 * console.log(estimate, low.toFixed(3), high.toFixed(3)); // 1 "0.752" "1.248"
 * ```
 *
 * @param values One to five numbers.
 * @returns The interval. Of a single number no spread is known: its ends are NaN and its confidence is 0.
 * @throws {RangeError} For other counts: more numbers allow an exact interval by ranks.
 */
export function studentInterval(values: readonly number[]): Interval {
  const estimate = mean(values);
  if (values.length === 1) return { estimate, low: NaN, high: NaN, confidence: 0 };
  const t = T_975[values.length - 2];
  if (t === undefined) throw new RangeError(`Cannot take Student's interval of ${values.length} values: at most 5`);
  const half = t * sampleStd(values) / Math.sqrt(values.length);
  return { estimate, low: estimate - half, high: estimate + half, confidence: 0.95 };
}
