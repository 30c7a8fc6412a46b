import type { Interval } from "../results/spread_types.ts";

/** A change with its unit, and the interval around it; either may be "". */
export interface ChangeText {
  /** Such as `+3.2 %`. */
  change: string;
  /** Such as `[+1.1, +5.4]`. */
  interval: string;
}

/**
 * Formats a change, with its sign. Below 1000 decimals matter; of an exploded perplexity only the magnitude does.
 *
 * @param value The change, in percent or percentage points.
 * @param digits Decimals.
 * @returns The text, without a unit.
 *
 * @example
 * ```ts
 * import { signed } from "./interval_text.ts";
 *
 * console.log(signed(3.21, 1), signed(-0.354, 2), signed(12345.6, 1)); // "+3.2" "-0.35" "+12346"
 * ```
 */
export function signed(value: number, digits: number): string {
  if (Number.isNaN(value)) return "nan";
  const sign = value < 0 ? "-" : "+";
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}inf`;
  return sign + (size < 1000 ? size.toFixed(digits) : size < 1e6 ? size.toFixed(0) : size.toExponential(1));
}

/**
 * Formats an interval's ends. If an end is not finite, nothing is known of it.
 *
 * @param interval The ends, in percent or percentage points.
 * @param digits Decimals.
 * @returns The text; "" if an end is not finite.
 *
 * @example
 * ```ts
 * import { bracketed } from "./interval_text.ts";
 *
 * console.log(bracketed({ low: 1.1, high: 5.4 }, 1)); // [+1.1, +5.4]
 * ```
 */
export function bracketed({ low, high }: Pick<Interval, "low" | "high">, digits: number): string {
  return Number.isFinite(low) && Number.isFinite(high) ? `[${signed(low, digits)}, ${signed(high, digits)}]` : "";
}

/**
 * Lines up the texts of a column: changes under changes, intervals under intervals.
 *
 * @param column Its cells, from the top.
 * @returns The cells' texts, of one length unless the column has no interval.
 *
 * @example
 * ```ts
 * import { lineUp } from "./interval_text.ts";
 *
 * console.log(lineUp([{ change: "+3.2 %", interval: "[+1.1, +5.4]" }, { change: "nan", interval: "" }]));
 * // [ "+3.2 % [+1.1, +5.4]", "   nan             " ]
 * ```
 */
export function lineUp(column: readonly ChangeText[]): string[] {
  const widest = (texts: string[]) => Math.max(0, ...texts.map((text) => text.length));
  const ends = widest(column.map(({ interval }) => interval));
  if (ends === 0) return column.map(({ change }) => change);
  const widths = widest(column.map(({ change }) => change));
  return column.map(({ change, interval }) => `${change.padStart(widths)} ${interval.padStart(ends)}`);
}

/** Converts an interval of ratios to one of changes in percent. */
export function ratioPercent({ estimate, low, high }: Interval): Pick<Interval, "estimate" | "low" | "high"> {
  return { estimate: (estimate - 1) * 100, low: (low - 1) * 100, high: (high - 1) * 100 };
}
