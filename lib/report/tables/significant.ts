/**
 * Formats a number with a fixed number of significant digits.
 *
 * @param value The number.
 * @param digits Significant digits. Whole digits are all kept: 12345 with three stays "12345".
 * @returns The text; in powers of ten from a million on and below a millionth.
 *
 * @example
 * ```ts
 * import { significant } from "./significant.ts";
 *
 * console.log(significant(156.78, 4), significant(4.5, 3), significant(0.01234, 3)); // "156.8" "4.50" "0.0123"
 * ```
 */
export function significant(value: number, digits: number): string {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-6) return value.toExponential(Math.min(digits, 3) - 1).replace("e+", "e");
  // Round first: 99.96 with three digits is 100, not 100.0.
  const rounded = Number(value.toPrecision(digits));
  return value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded)))));
}
