import { doubledRanks } from "./ranks.ts";

/**
 * Returns the probability of positive ranks at least as high as those of the differences, if they are symmetric about 0:
 * Wilcoxon's signed ranks, one-sided and exact. Differences of 0 are left out, as Wilcoxon did; equal sizes share a rank.
 *
 * @example
 * ```ts
 * import { signedRankTail } from "./signed_rank_tail.ts";
 *
 * console.log(signedRankTail([1, 2, 3, 4, 5])); // 0.03125: one of 32 ways
 * ```
 *
 * @param differences Finite numbers.
 * @returns Over 0, up to 1; 1 if all are 0. Small: the differences are positive.
 */
export function signedRankTail(differences: readonly number[]): number {
  const others = differences.filter((each) => each !== 0);
  const ranks = doubledRanks(others.map(Math.abs));
  const sum = ranks.reduce((sum, rank, i) => others[i]! > 0 ? sum + rank : sum, 0);
  const most = ranks.reduce((a, b) => a + b, 0);
  const share = new Float64Array(most + 1);
  share[0] = 1;
  for (const rank of ranks) {
    // Each sign has a probability of one half; a share does not overflow as a number of ways would.
    for (let at = most; at >= 0; at--) share[at] = (share[at]! + (at >= rank ? share[at - rank]! : 0)) / 2;
  }
  return Math.min(1, share.slice(sum).reduce((a, b) => a + b, 0));
}
