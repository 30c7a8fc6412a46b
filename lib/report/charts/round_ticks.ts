/**
 * Gives a logarithmic axis of Chart.js ticks that are easy to read: 1, 2 and 5 times the powers of ten, or only the
 * powers if that would be too many. For `afterBuildTicks`.
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

/**
 * Returns ticks of a linear axis of whole numbers: 1, 2 or 5 times a power of ten apart.
 *
 * @param min The axis's lower end; `max` is its upper end.
 * @param most Most ticks allowed.
 * @returns The ticks, ascending.
 *
 * @example
 * ```ts
 * import { linearTicks } from "./round_ticks.ts";
 *
 * console.log(linearTicks(0, 2000, 5)); // [ 0, 500, 1000, 1500, 2000 ]
 * ```
 */
export function linearTicks(min: number, max: number, most: number): number[] {
  const power = 10 ** Math.max(0, Math.floor(Math.log10((max - min) / most)));
  const step = [1, 2, 5, 10, 20].map((factor) => factor * power)
    .find((step) => Math.floor(max / step) - Math.ceil(min / step) < most)!;
  const first = Math.ceil(min / step);
  return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, index) => (first + index) * step);
}
