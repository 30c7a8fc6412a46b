import type { Interval } from "../results/spread_types.ts";
import { quantile } from "../results/stats.ts";

/** Fewest differences from which ranks give a 95 % interval: with 6, both ends together miss 1 of 32 times. */
export const FEWEST_FOR_RANKS = 6;

/**
 * Interval of the centre of differences that are symmetric about it, by Wilcoxon's signed ranks: exact, whatever else
 * the distribution is. The differences of two equal things, measured in pairs in random order, are symmetric about 0.
 *
 * The estimate is the median of the means of all pairs (Hodges and Lehmann 1963); the ends are such means too.
 * Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, section 3.3.
 *
 * @example
 * ```ts
 * import { signedRankInterval } from "./signed_rank.ts";
 *
 * const { low, high, confidence } = signedRankInterval([1, 2, 3, 4, 5, 6]);
 * console.log(low, high, confidence); // 1 6 0.96875
 * ```
 *
 * @param differences At least one.
 * @param wanted Least confidence, if there are enough differences for it.
 * @returns The shortest interval with at least that confidence, or the widest possible; `confidence` is the exact one.
 */
export function signedRankInterval(differences: readonly number[], wanted = 0.95): Interval {
  const n = differences.length;
  const means = new Float64Array(n * (n + 1) / 2);
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = i; j < n; j++) means[at++] = (differences[i]! + differences[j]!) / 2;
  }
  means.sort();
  const cut = cutOff(n, (1 - wanted) / 2);
  return {
    estimate: quantile([...means], 0.5),
    low: means[cut.skipped]!,
    high: means[means.length - 1 - cut.skipped]!,
    confidence: 1 - 2 * cut.tail,
  };
}

/**
 * Returns how many of the means may be left out at each end, and the probability that the centre is beyond such an end:
 * that of a sum of ranks of at most `skipped`.
 */
function cutOff(n: number, tail: number): { skipped: number; tail: number } {
  // Ways in which ranks 1 to n, each taken or not, have each sum.
  const most = n * (n + 1) / 2;
  const ways = new Float64Array(most + 1);
  ways[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let sum = most; sum >= rank; sum--) ways[sum]! += ways[sum - rank]!;
  }
  const all = 2 ** n;
  let below = ways[0]! / all;
  let skipped = 0;
  while (skipped + 1 < most / 2 && below + ways[skipped + 1]! / all <= tail) below += ways[++skipped]! / all;
  return { skipped, tail: below };
}
