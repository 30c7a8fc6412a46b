import type { Spread } from "./held_points.ts";

/** An axis for figures with intervals. */
export interface SpreadAxis {
  title: string;
  logarithmic: boolean;
  min: number;
  max: number;
  /** On a logarithmic axis, where zeros are drawn, if there are any. */
  zero?: number;
  /** On a logarithmic axis, its ticks. */
  ticks?: { value: number; label: string }[];
}

/** Ratio of the largest to the smallest value from which an axis is logarithmic. */
const LOGARITHMIC_FROM = 10;
/** Factors of the ticks of a logarithmic axis, from few to many. */
const FACTORS = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 5, 7], [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]];
/** Fewest ticks of a logarithmic axis. */
const FEWEST = 4;
/** Longest part of an interval below its value on a logarithmic axis, as a ratio: near zero, it would fill the axis. */
const DEEPEST = 10;

/**
 * Makes an axis that shows all figures: linear, or logarithmic if they span more than a decade. A logarithmic axis has
 * no zero: zeros get a place of their own below the least figure.
 *
 * @param figures What is drawn along it; none negative.
 * @param title The quantity, with its unit.
 * @param options `logarithmicFrom`: another ratio than 10; `fromZero`: whether a linear axis begins at 0.
 * @returns The axis.
 *
 * @example
 * ```ts
 * import { spreadAxis } from "./spread_axis.ts";
 *
 * const axis = spreadAxis([{ value: 0 }, { value: 0.001 }, { value: 0.5, low: 0.4, high: 0.6 }], "KL (nats)");
 * console.log(axis.logarithmic, axis.zero! < 0.001, axis.ticks?.[0]?.label); // true true "0"
 * ```
 */
export function spreadAxis(
  figures: readonly Spread[],
  title: string,
  { logarithmicFrom = LOGARITHMIC_FROM, fromZero = false } = {},
): SpreadAxis {
  const values = figures.map(({ value }) => value);
  const over = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...over), Math.max(...over)];
  if (over.length > 0 && most > logarithmicFrom * least) return logarithmic(figures, title, least);
  const ends = figures.flatMap(({ value, low = value, high = value }) => [low, high]);
  const [low, high] = ends.length === 0 ? [0, 1] : [Math.min(...ends), Math.max(...ends)];
  const rim = 0.08 * (high - low || Math.abs(high) || 1);
  return { title, logarithmic: false, min: fromZero ? 0 : low - rim, max: high + rim };
}

function logarithmic(figures: readonly Spread[], title: string, least: number): SpreadAxis {
  const low = Math.min(
    ...figures.flatMap(({ value, low = value }) => value > 0 ? [Math.max(low, least / DEEPEST)] : []),
  );
  const high = Math.max(...figures.map(({ value, high = value }) => high));
  const hasZero = figures.some(({ value }) => value <= 0);
  const rim = (high / low) ** 0.08;
  const zero = low / Math.max(2, (high / low) ** 0.12);
  const min = hasZero ? zero / rim : low / rim;
  const max = high * rim;
  const ticks = logarithmicTicks(low / (hasZero ? 1 : rim), max);
  return {
    title: `${title}, logarithmic`,
    logarithmic: true,
    min,
    max,
    ...(hasZero ? { zero } : {}),
    ticks: [...(hasZero ? [{ value: zero, label: "0" }] : []), ...ticks],
  };
}

/**
 * Returns ticks of a logarithmic axis: few round numbers, but at least four where there are as many.
 *
 * @param min Over 0; `max` is the upper end.
 * @returns Ticks with their labels, ascending.
 *
 * @example
 * ```ts
 * import { logarithmicTicks } from "./spread_axis.ts";
 *
 * console.log(logarithmicTicks(9, 60).map(({ label }) => label)); // [ "10", "20", "30", "50" ]
 * ```
 */
export function logarithmicTicks(min: number, max: number): { value: number; label: string }[] {
  const powers = Array.from(
    { length: Math.floor(Math.log10(max)) - Math.floor(Math.log10(min)) + 1 },
    (_, index) => Math.floor(Math.log10(min)) + index,
  );
  const tried = FACTORS.map((factors) =>
    powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)))
      .filter((value) => value >= min && value <= max)
  );
  const chosen = tried.find((values) => values.length >= FEWEST) ?? tried.at(-1)!;
  return chosen.map((value) => ({ value, label: labelOf(value) }));
}

function labelOf(value: number): string {
  if (value >= 10_000 || value < 0.001) return value.toExponential().replace("e+", "e");
  return value >= 1000 ? value.toLocaleString("en-US") : String(value);
}
