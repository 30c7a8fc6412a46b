/**
 * Student's t: tails and quantiles for any number of degrees of freedom.
 *
 * @module
 */

/** From here on, the t distribution is the normal one to six digits. */
const LARGEST_DF = 1e7;

/**
 * Returns the probability that Student's t exceeds a value: half the regularized incomplete beta function (Abramowitz
 * and Stegun 26.7.1, 26.5.8).
 *
 * @example
 * ```ts
 * import { studentTail } from "./student_t.ts";
 *
 * console.log(studentTail(2.4469, 6).toFixed(4)); // 0.0250
 * ```
 *
 * @param t The value.
 * @param df Degrees of freedom, over 0; Infinity for the normal distribution.
 * @returns 0 to 1; NaN if `t` is.
 */
export function studentTail(t: number, df: number): number {
  if (Number.isNaN(t)) return NaN;
  if (t === Infinity) return 0;
  if (t === -Infinity) return 1;
  const n = Math.min(df, LARGEST_DF);
  const half = incompleteBeta(n / (n + t * t), n / 2, 0.5) / 2;
  return t >= 0 ? half : 1 - half;
}

/**
 * Returns the value that Student's t exceeds with a given probability: the inverse of {@linkcode studentTail}.
 *
 * @example
 * ```ts
 * import { studentQuantile } from "./student_t.ts";
 *
 * console.log(studentQuantile(0.025, 6).toFixed(3), studentQuantile(0.025, Infinity).toFixed(3)); // 2.447 1.960
 * ```
 *
 * @param tail The probability, over 0 and up to 0.5.
 * @param df Degrees of freedom, over 0.
 * @returns At least 0.
 */
export function studentQuantile(tail: number, df: number): number {
  let low = 0, high = 1;
  while (studentTail(high, df) > tail) high *= 2;
  // Halving ends where the doubles do.
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, df) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularized incomplete beta function I_x(a, b), by its continued fraction. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on one side only; the other follows from symmetry.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  return front * fraction(x, a, b);
}

/** The continued fraction 26.5.8, by Lentz's method. */
function fraction(x: number, a: number, b: number): number {
  const least = 1e-300;
  const safe = (value: number) => Math.abs(value) < least ? least : value;
  let c = 1, d = 1 / safe(1 - (a + b) * x / (a + 1)), value = d;
  for (let m = 1; m < 10_000; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / safe(1 + even * d);
    c = safe(1 + even / c);
    value *= d * c;
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / safe(1 + odd * d);
    c = safe(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return value;
}

/** Lanczos' coefficients for g = 7 and nine terms. */
const LANCZOS = [
  0.99999999999980993,
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** ln Γ(x) for x of at least 0.5. */
function logGamma(x: number): number {
  const t = x + 6.5;
  const sum = LANCZOS.reduce((sum, each, i) => i === 0 ? each : sum + each / (x - 1 + i), 0);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}
