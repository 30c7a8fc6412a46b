import type { Interval } from "../../../report/results/spread_types.ts";
import { quantile } from "../../../report/results/stats.ts";
import { doubledRanks } from "./ranks.ts";

/**
 * Returns the probability of ranks at least as high as those of the second group, if the two groups have one
 * distribution: the test of Mann and Whitney 1947, one-sided and exact. Equal values share a rank; the probability is
 * then over all ways to share these ranks out.
 *
 * @example
 * ```ts
 * import { mannWhitneyTail } from "./mann_whitney.ts";
 *
 * console.log(mannWhitneyTail([1, 2, 3], [4, 5, 6])); // 0.05: one of 20 ways
 * ```
 *
 * @param first At least one number.
 * @param second At least one number.
 * @returns Over 0, up to 1. Small: the second group is higher.
 */
export function mannWhitneyTail(first: readonly number[], second: readonly number[]): number {
  const ranks = doubledRanks([...first, ...second]);
  const sum = ranks.slice(first.length).reduce((a, b) => a + b, 0);
  const ways = waysOfSums(ranks, second.length);
  let above = 0, all = 0;
  ways.forEach((count, at) => {
    all += count;
    if (at >= sum) above += count;
  });
  return above / all;
}

/**
 * Interval of how much higher the second group is, by the ranks of Mann and Whitney: exact for whatever the distribution
 * is, as long as the groups' differ by a shift alone. The estimate is the median of all differences (Hodges and Lehmann
 * 1963). Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, section 4.3.
 *
 * @example
 * ```ts
 * import { shiftInterval } from "./mann_whitney.ts";
 *
 * const { estimate, low, high } = shiftInterval([1, 2, 3, 4], [11, 12, 13, 14]);
 * console.log(estimate, low, high); // 10 7 13
 * ```
 *
 * @param first At least one number.
 * @param second At least one number.
 * @param wanted Least confidence, if there are enough numbers for it.
 * @returns The shortest interval with at least that confidence, or the widest possible; `confidence` is the exact one.
 */
export function shiftInterval(first: readonly number[], second: readonly number[], wanted = 0.95): Interval {
  const differences = Float64Array.from(first.flatMap((a) => second.map((b) => b - a))).sort();
  const [n, m] = [first.length, second.length];
  const ways = waysOfSums(Array.from({ length: n + m }, (_, i) => 2 * (i + 1)), m);
  const all = ways.reduce((a, b) => a + b, 0);
  // U = (sum of ranks) - m (m + 1) / 2; ranks are doubled.
  const share = (u: number) => (ways[2 * u + m * (m + 1)] ?? 0) / all;
  let skipped = 0, tail = share(0);
  while (2 * (skipped + 1) < differences.length && tail + share(skipped + 1) <= (1 - wanted) / 2) {
    tail += share(++skipped);
  }
  return {
    estimate: quantile([...differences], 0.5),
    low: differences[skipped]!,
    high: differences[differences.length - 1 - skipped]!,
    confidence: 1 - 2 * tail,
  };
}

/** Ways to choose `count` of the ranks, by their sum. */
function waysOfSums(ranks: readonly number[], count: number): Float64Array {
  const most = ranks.toSorted((a, b) => b - a).slice(0, count).reduce((a, b) => a + b, 0);
  const ways = Array.from({ length: count + 1 }, () => new Float64Array(most + 1));
  ways[0]![0] = 1;
  for (const rank of ranks) {
    for (let chosen = count; chosen > 0; chosen--) {
      const [to, from] = [ways[chosen]!, ways[chosen - 1]!];
      for (let sum = most; sum >= rank; sum--) to[sum]! += from[sum - rank]!;
    }
  }
  return ways[count]!;
}
