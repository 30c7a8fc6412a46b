/**
 * Gives a logarithmic axis of Chart.js ticks that are read at a glance: 1, 2 and 5 times the powers of ten, or the powers
 * alone where there are many. For `afterBuildTicks`.
 *
 * @param scale The axis; its ticks are replaced.
 *
 * @example
 * ```ts
 * import { roundTicks } from "./round_ticks.ts";
 *
 * const scale = { min: 38, max: 260, ticks: [] };
 * roundTicks(scale);
 * console.log(scale.ticks); // [ { value: 50 }, { value: 100 }, { value: 200 } ]
 * ```
 */
export function roundTicks(scale: { min: number; max: number; ticks: { value: number }[] }): void {
  const factors = scale.max / scale.min > 1000 ? [1] : [1, 2, 5];
  const ticks: { value: number }[] = [];
  for (let power = Math.floor(Math.log10(scale.min)); power <= Math.log10(scale.max); power++) {
    for (const factor of factors) ticks.push({ value: factor * 10 ** power });
  }
  scale.ticks = ticks.filter(({ value }) => value >= scale.min && value <= scale.max);
}
