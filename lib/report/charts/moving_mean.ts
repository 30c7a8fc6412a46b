/**
 * Computes the mean of each value and the values before it. It looks back only, so a change shows where it happens and
 * not before.
 *
 * @param values Any numbers; NaN for an unknown one.
 * @param window Number of values in each mean.
 * @returns One mean for each full window: the first is that of values 0 to window - 1. A window with a NaN gives NaN.
 * @throws {RangeError} If the window is not a whole number over 0.
 *
 * @example
 * ```ts
 * import { movingMean } from "./moving_mean.ts";
 *
 * console.log(movingMean([1, 3, 5, 7], 2)); // [ 2, 4, 6 ]
 * ```
 */
export function movingMean(values: readonly number[], window: number): number[] {
  if (!Number.isInteger(window) || window < 1) throw new RangeError(`Cannot take means over ${window} values`);
  const means: number[] = [];
  let sum = 0;
  // Values that are not finite must leave the sum again: NaN cannot be subtracted.
  let unknown = 0;
  values.forEach((value, index) => {
    if (Number.isFinite(value)) sum += value;
    else unknown++;
    const left = values[index - window];
    if (left !== undefined) {
      if (Number.isFinite(left)) sum -= left;
      else unknown--;
    }
    if (index >= window - 1) means.push(unknown > 0 ? NaN : sum / window);
  });
  return means;
}
