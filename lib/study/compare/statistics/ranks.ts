/**
 * Returns twice the rank of each value among all, from 2 on; equal values share the mean of their ranks. Doubled ranks
 * are integers, so that sums of them can index a table.
 *
 * @example
 * ```ts
 * import { doubledRanks } from "./ranks.ts";
 *
 * console.log(doubledRanks([10, 30, 30, 20])); // [ 2, 7, 7, 4 ]
 * ```
 *
 * @param values Numbers, not NaN.
 */
export function doubledRanks(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  const first = new Map<number, number>(), last = new Map<number, number>();
  sorted.forEach((value, place) => {
    if (!first.has(value)) first.set(value, place + 1);
    last.set(value, place + 1);
  });
  // A Map takes 0 and -0 for the same key.
  return values.map((value) => first.get(value)! + last.get(value)!);
}
