/**
 * Formats a time as milliseconds with three significant digits.
 *
 * @param seconds The time, s.
 * @returns Such as "3.00 ms".
 *
 * @example
 * ```ts
 * import { milliseconds } from "./duration.ts";
 *
 * console.log(milliseconds(0.0123), milliseconds(0.5)); // 12.3 ms 500 ms
 * ```
 */
export function milliseconds(seconds: number): string {
  const value = seconds * 1000;
  const digits = value > 0 ? Math.max(0, 2 - Math.floor(Math.log10(value))) : 0;
  return `${value.toFixed(Math.min(digits, 6))} ms`;
}
