import { median } from "../results/stats.ts";

/** An axis around zero, as places for figures: linear, or linear near zero and logarithmic away from it. */
export interface SymmetricAxis {
  /** Whether it is linear throughout. */
  linear: boolean;
  /** Returns the place of a figure. */
  place: (value: number) => number;
  /** Ends, as places. */
  min: number;
  max: number;
  /** Ticks: places, and labels in the figures' unit. */
  ticks: { value: number; label: string }[];
}

/** How many times a usual line's reach the widest may have on a linear axis: beyond, usual lines would look like zero. */
const LINEAR_UP_TO = 8;
/** Least distance of neighbouring ticks, as a share of the axis. */
const TICK_DISTANCE = 0.075;

/**
 * Makes an axis for lines around zero. If a few lines reach much further than the others, it is scaled by asinh: both
 * can be read.
 *
 * @param lines Figures of each line; those that are not finite do not count.
 * @returns The axis.
 *
 * @example
 * ```ts
 * import { symmetricAxis } from "./symmetric_axis.ts";
 *
 * console.log(symmetricAxis([[0, 0.2], [-0.1, 0.1]]).linear); // true
 * const { linear, ticks } = symmetricAxis([[0, 0.02], [0, 0.01], [0, 5]]);
 * console.log(linear, ticks.some(({ label }) => label === "0")); // false true
 * ```
 */
export function symmetricAxis(lines: readonly (readonly number[])[]): SymmetricAxis {
  const finite = lines.map((line) => line.filter(Number.isFinite)).filter((line) => line.length > 0);
  const [low, high] = finite.flat().reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
    0,
    0,
  ]);
  const reaches = finite.map((line) => line.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
  const usual = reaches.length === 0 ? 0 : median(reaches);
  const linear = usual === 0 || Math.max(...reaches) <= LINEAR_UP_TO * usual;
  const unit = usual / 2;
  const place = linear ? (value: number) => value : (value: number) => Math.asinh(value / unit);
  const rim = 0.06 * (place(high) - place(low) || 0.1);
  const [min, max] = [place(low) - rim, place(high) + rim];
  return { linear, place, min, max, ticks: ticksBetween(min, max, place, linear, unit) };
}

/** Ticks from zero outwards, each far enough from the one before. */
function ticksBetween(min: number, max: number, place: (value: number) => number, linear: boolean, unit: number) {
  const span = max - min;
  const ticks = [{ value: 0, label: "0" }];
  const step = 10 ** Math.floor(Math.log10(span / 6));
  const factor = [1, 2, 5, 10].find((factor) => span / (factor * step) <= 9)!;
  for (const sign of [1, -1]) {
    let last = 0;
    for (const size of linear ? multiples(factor * step) : decades(unit / 10)) {
      const value = place(sign * size);
      if (value > max || value < min) break;
      if (Math.abs(value - last) < TICK_DISTANCE * span) continue;
      ticks.push({ value, label: `${sign > 0 ? "+" : "−"}${Number(size.toPrecision(3))}` });
      last = value;
    }
  }
  return ticks.sort((a, b) => a.value - b.value);
}

function* multiples(step: number): Generator<number> {
  for (let count = 1; count <= 100; count++) yield count * step;
}

/** 1, 2 and 5 times the powers of ten, from the one below `least` on. */
function* decades(least: number): Generator<number> {
  for (let power = Math.floor(Math.log10(least));; power++) {
    for (const factor of [1, 2, 5]) yield factor * 10 ** power;
  }
}
