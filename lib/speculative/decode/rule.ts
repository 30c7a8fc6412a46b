import { draw, normalized } from "./distribution.ts";

/** What a verification decides. */
export interface Outcome {
  /** Drafted tokens that are kept: the first ones. */
  readonly accepted: number;
  /** The token after them, which the target chooses. */
  readonly next: number;
}

/**
 * Decides which drafted tokens greedy decoding keeps: each while it is the target's own choice. The result is what the
 * target would have written by itself.
 *
 * @example
 * ```ts
 * import { acceptGreedy } from "./rule.ts";
 *
 * console.log(acceptGreedy([5, 6, 7], [5, 6, 9, 8])); // { accepted: 2, next: 9 }
 * ```
 *
 * @param drafted The drafted tokens.
 * @param predicted The target's choice before each of them, and after the last; it may end with the first that differs.
 * @returns How many are kept, and the target's choice after them.
 */
export function acceptGreedy(drafted: readonly number[], predicted: readonly number[]): Outcome {
  let accepted = 0;
  while (accepted < drafted.length && drafted[accepted] === predicted[accepted]) accepted++;
  return { accepted, next: predicted[accepted]! };
}

/**
 * Decides which drafted tokens sampling keeps: a token x with probability min(1, p(x) / q(x)); after the first that is
 * not kept, a token from max(0, p - q), normalised, takes its place. Each token then has the target's distribution p,
 * whatever the draft's q is. Leviathan et al. 2023, arXiv:2211.17192; Chen et al. 2023, arXiv:2302.01318.
 *
 * @example
 * ```ts
 * import { acceptSampled } from "./rule.ts";
 *
 * const p = () => Float64Array.of(0, 1);
 * console.log(acceptSampled([0], [Float64Array.of(1, 0)], p, () => 0.5)); // { accepted: 0, next: 1 }
 * ```
 *
 * @param drafted The drafted tokens.
 * @param drafts The distribution that each was drawn from, `[vocab]`; undefined for a token that was not drawn.
 * @param target Returns the target's distribution before a drafted token, by index, or after the last, `[vocab]`.
 * @param random Returns the next number, 0 <= x < 1.
 * @returns How many are kept, and the token after them.
 */
export function acceptSampled(
  drafted: readonly number[],
  drafts: readonly (Float64Array | undefined)[],
  target: (row: number) => Float64Array,
  random: () => number,
): Outcome {
  for (const [row, token] of drafted.entries()) {
    const p = target(row);
    const q = drafts[row];
    const chance = p[token]! / (q?.[token] ?? 1);
    if (random() < chance) continue;
    return { accepted: row, next: draw(rest(p, q, token), random()) };
  }
  return { accepted: drafted.length, next: draw(target(drafted.length), random()) };
}

/** What the target has and the draft has not, normalised. A token that was not drawn has all of the draft's. */
function rest(p: Float64Array, q: Float64Array | undefined, token: number): Float64Array {
  const left = p.map((own, i) => Math.max(0, own - (q ? q[i] ?? 0 : i === token ? 1 : 0)));
  // Rounding may leave nothing where p and q are equal: then either's distribution is right.
  return left.some((weight) => weight > 0) ? normalized(left) : p;
}
