import { FEWEST_FOR_RANKS, signedRankInterval } from "../../../report/statistics/signed_rank.ts";
import { blockBootstrap } from "../../../report/statistics/block_bootstrap.ts";
import type { Interval } from "../../../report/results/spread_types.ts";
import { mean, sampleStd } from "../../../report/results/stats.ts";
import { mannWhitneyTail, shiftInterval } from "./mann_whitney.ts";
import { signedRankTail } from "./signed_rank_tail.ts";
import type { Variance } from "./moderated_variance.ts";
import { studentQuantile, studentTail } from "./student_t.ts";

/** How an interval was made. */
export type EffectMethod = "mann-whitney" | "t" | "welch" | "wilcoxon" | "bootstrap" | "nights" | "exact";

/** A change and how well it is known: of a logarithm, or in nats. Over 0: more, which is worse. */
export interface Effect extends Interval {
  /** How the interval was made. */
  by: EffectMethod;
  /**
   * Two-sided probability of such a change or a larger one, if the true one were only as large as the smallest that
   * matters. Null of an exact figure.
   */
  p: number | null;
}

const CONFIDENCE = 0.95;
/** The normal distribution's 97.5 % quantile: half an interval's width in standard errors. */
const Z = 1.959964;

/** Fewest values in each group for ranks: 2 of 12,870 ways are beyond all others, which a few hundred tests leave small. */
export const FEWEST_FOR_MANN_WHITNEY = 8;

/**
 * Estimates how much higher the second of two independent groups is: by the ranks of Mann and Whitney where there are
 * enough values, else by Welch's t, which assumes normal noise. With three values each, ranks could never tell a
 * difference: 2 of 20 ways are the most extreme.
 *
 * @example
 * ```ts
 * import { shiftEffect } from "./effect.ts";
 *
 * const { estimate, by } = shiftEffect([0, 0.01, 0.02], [0.1, 0.11, 0.12], { margin: 0.03, between: 0 });
 * console.log(estimate.toFixed(2), by); // 0.10 welch
 * ```
 *
 * @param first One group: logarithms of times.
 * @param second The other.
 * @param terms `margin`: the smallest change that matters. `between`: variance of the difference that the values do not
 * show, because all of a group share it: that of the machine's state.
 * @returns The effect; ends that are NaN and p = 1 if a group has a single value.
 */
export function shiftEffect(
  first: readonly number[],
  second: readonly number[],
  { margin, between }: { readonly margin: number; readonly between: number },
): Effect {
  if (between === 0 && Math.min(first.length, second.length) >= FEWEST_FOR_MANN_WHITNEY) {
    const tail = (shift: number, sign: 1 | -1) =>
      mannWhitneyTail(first.map((each) => sign * each), second.map((each) => sign * each - shift));
    return { ...shiftInterval(first, second), by: "mann-whitney", p: twoSided(tail(margin, 1), tail(margin, -1)) };
  }
  const estimate = mean(second) - mean(first);
  if (first.length < 2 || second.length < 2) {
    return { estimate, low: NaN, high: NaN, confidence: 0, by: "welch", p: 1 };
  }
  const parts = [first, second].map((values) => ({
    variance: sampleStd(values) ** 2 / values.length,
    df: values.length - 1,
  }));
  const seen = parts.reduce((sum, { variance }) => sum + variance, 0);
  const variance = seen + between;
  // Satterthwaite: the part that is given has no uncertainty of its own.
  const df = variance ** 2 / parts.reduce((sum, { variance, df }) => sum + variance ** 2 / df, 0);
  return { ...studentEffect(estimate, Math.sqrt(variance), Number.isNaN(df) ? Infinity : df, margin), by: "welch" };
}

/**
 * Estimates how much higher the second of two groups is, of which values have one variance: by Student's t.
 *
 * @example
 * ```ts
 * import { pooledEffect } from "./effect.ts";
 *
 * const { effect, noise } = pooledEffect([0, 0.01, 0.02], [0.1, 0.11, 0.12], 0.03);
 * console.log(effect.estimate.toFixed(2), noise.df); // 0.10 4
 * ```
 *
 * @param first One group.
 * @param second The other.
 * @param margin The smallest change that matters.
 * @returns The effect; the variance of a value, and by what its root is multiplied for the error of the estimate.
 */
export function pooledEffect(
  first: readonly number[],
  second: readonly number[],
  margin: number,
): { effect: Effect; noise: Variance & { factor: number } } {
  const estimate = mean(second) - mean(first);
  const df = first.length + second.length - 2;
  const factor = Math.sqrt(1 / first.length + 1 / second.length);
  if (df === 0) {
    const effect: Effect = { estimate, low: NaN, high: NaN, confidence: 0, by: "t", p: 1 };
    return { effect, noise: { variance: NaN, df, factor } };
  }
  const squares = [first, second].reduce((sum, values) => sum + sampleStd(values) ** 2 * (values.length - 1), 0);
  const variance = squares / df;
  const effect: Effect = { ...studentEffect(estimate, Math.sqrt(variance) * factor, df, margin), by: "t" };
  return { effect, noise: { variance, df, factor } };
}

/**
 * Estimates the mean of differences in pairs: by Wilcoxon's signed ranks of the texts' means if there are enough texts,
 * else by the block bootstrap along the texts.
 *
 * @example
 * ```ts
 * import { pairedEffect } from "./effect.ts";
 *
 * const { by, high } = pairedEffect([[0, 0, 0, 0]], { margin: 0.0005, texts: 1 });
 * console.log(by, high); // bootstrap 0
 * ```
 *
 * @param series Differences of each sample's steps, nats.
 * @param terms `margin`: the smallest change that matters, nats; `texts`: different texts that the samples are from.
 */
export function pairedEffect(
  series: readonly (readonly number[])[],
  { margin, texts }: { readonly margin: number; readonly texts: number },
): Effect {
  const steps = series.filter((values) => values.length > 0);
  // Samples of one text are no independent draws of texts.
  if (steps.length >= FEWEST_FOR_RANKS && texts >= steps.length) {
    const means = steps.map(mean);
    const tail = (sign: 1 | -1) => signedRankTail(means.map((each) => sign * each - margin));
    if (means.every(Number.isFinite)) {
      return { ...signedRankInterval(means), by: "wilcoxon", p: twoSided(tail(1), tail(-1)) };
    }
  }
  // Equal builds repeat likelihoods to the last bit: there is nothing to draw from.
  if (steps.length > 0 && steps.every((values) => values.every((each) => each === 0))) {
    return { estimate: 0, low: 0, high: 0, confidence: CONFIDENCE, by: "bootstrap", p: 1 };
  }
  const interval = blockBootstrap(steps);
  const { p } = studentEffect(interval.estimate, (interval.high - interval.low) / (2 * Z), Infinity, margin);
  return { ...interval, by: "bootstrap", p: Number.isNaN(interval.estimate) ? 1 : p };
}

/**
 * Makes the effect of an estimate whose error is Student's t.
 *
 * @param estimate The change.
 * @param error Its standard error; 0 if it is known exactly.
 * @param df Degrees of freedom of the error.
 * @param margin The smallest change that matters.
 * @returns The effect, without its method.
 *
 * @example
 * ```ts
 * import { studentEffect } from "./effect.ts";
 *
 * console.log(studentEffect(0.1, 0, 6, 0.03)); // { estimate: 0.1, low: 0.1, high: 0.1, confidence: 0.95, p: 0 }
 * ```
 */
export function studentEffect(
  estimate: number,
  error: number,
  df: number,
  margin: number,
): Interval & { p: number } {
  const half = error === 0 ? 0 : error * studentQuantile((1 - CONFIDENCE) / 2, df);
  const tail = (beyond: number) => beyond === 0 && error === 0 ? 1 : studentTail(beyond / error, df);
  const p = twoSided(tail(estimate - margin), tail(-estimate - margin));
  return { estimate, low: estimate - half, high: estimate + half, confidence: CONFIDENCE, p };
}

/** Both directions are looked at, so the smaller tail counts twice. */
function twoSided(upper: number, lower: number): number {
  return Math.min(1, 2 * Math.min(upper, lower));
}
