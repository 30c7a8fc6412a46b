/** A variance estimated from few values. */
export interface Variance {
  /** The estimate. */
  readonly variance: number;
  /** Degrees of freedom; not an integer where estimates are combined. */
  readonly df: number;
}

/**
 * Moderates the variances of similar rows by each other (Smyth 2004, Statistical Applications in Genetics 3, article 3).
 * A variance from seven nights may be far too small by chance, and Student's t then has to allow for that. The rows of
 * a run are timed in the same way on the same machine. How much their variances differ beyond chance tells how much one
 * row's says of another's: much alike, each counts for all; very different, none does.
 *
 * @example
 * ```ts
 * import { moderateVariances } from "./moderated_variance.ts";
 *
 * const rows = [1, 1.2, 0.2, 0.9, 1.1].map((variance) => ({ variance, df: 6 }));
 * const [, , third] = moderateVariances(rows, 0.25);
 * console.log(third!.variance > 0.2, third!.df > 6); // true true
 * ```
 *
 * @param rows The rows' variances. Those of 0, or without degrees of freedom, stay and say nothing of the others.
 * @param shared Squared correlation between two rows, 0 to 1: what rows have in common, such as the baseline that all
 * are divided by, is estimated once, however many they are. It limits the degrees of freedom.
 * @returns One for each row, in order.
 */
export function moderateVariances(rows: readonly Variance[], shared: number): Variance[] {
  const known = rows.filter(({ variance, df }) => variance > 0 && df > 0);
  const n = known.length;
  if (n < 2) return [...rows];
  // Logarithms of the variances less what chance does to them on average.
  const logs = known.map(({ variance, df }) => Math.log(variance) - digamma(df / 2) + Math.log(df / 2));
  const centre = logs.reduce((a, b) => a + b, 0) / n;
  const spread = logs.reduce((sum, each) => sum + (each - centre) ** 2, 0) / (n - 1);
  const chance = known.reduce((sum, { df }) => sum + trigamma(df / 2), 0) / n;
  const fitted = spread > chance ? 2 * inverseTrigamma(spread - chance) : Infinity;
  const prior = Math.exp(centre + (fitted === Infinity ? 0 : digamma(fitted / 2) - Math.log(fitted / 2)));
  return rows.map(({ variance, df }) => {
    if (!(variance > 0 && df > 0)) return { variance, df };
    const weight = Math.min(fitted, df * (n / (1 + (n - 1) * shared) - 1));
    return { variance: (weight * prior + df * variance) / (weight + df), df: weight + df };
  });
}

/**
 * The derivative of ln Γ(x), for x over 0: Abramowitz and Stegun 6.3.5, 6.3.18.
 *
 * @example
 * ```ts
 * import { digamma } from "./moderated_variance.ts";
 *
 * console.log(digamma(1).toFixed(6)); // -0.577216
 * ```
 */
export function digamma(x: number): number {
  let sum = 0, at = x;
  for (; at < 10; at++) sum -= 1 / at;
  const q = 1 / at ** 2;
  return sum + Math.log(at) - 1 / (2 * at) - q * (1 / 12 - q * (1 / 120 - q * (1 / 252 - q / 240)));
}

/**
 * The derivative of {@linkcode digamma}, for x over 0: 6.4.6, 6.4.12.
 *
 * @example
 * ```ts
 * import { trigamma } from "./moderated_variance.ts";
 *
 * console.log(trigamma(1).toFixed(6)); // 1.644934
 * ```
 */
export function trigamma(x: number): number {
  let sum = 0, at = x;
  for (; at < 10; at++) sum += 1 / at ** 2;
  const q = 1 / at ** 2;
  return sum + 1 / at + q / 2 + q / at * (1 / 6 - q * (1 / 30 - q * (1 / 42 - q / 30)));
}

/** The x of a trigamma over 0: it falls from infinity to 0. */
function inverseTrigamma(value: number): number {
  let low = Math.log(1e-8), high = Math.log(1e8);
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (trigamma(Math.exp(middle)) > value) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}
