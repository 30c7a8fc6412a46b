import { integer } from "../util/check_options.ts";
import { share } from "./check_params.ts";
import { definePolicy } from "./policy.ts";
import { keyNorm, neg, random, type Score } from "./score.ts";

/** Scores by which `fix_size_l2` chooses among the entries that are not recent. */
export const STRATEGIES: Readonly<Record<string, Score<"key_norm" | "random">>> = {
  /** Lowest key norm: the paper's choice. */
  keep_low: neg(keyNorm),
  /** Highest key norm: the opposite, as a control. */
  keep_high: keyNorm,
  /** Drawn anew at each step, per head: a random choice, as a control. */
  random,
};

/**
 * Keeps `fix_kv_size` entries: the last `int(fix_kv_size x keep_ratio)`, and the rest of the budget by key norm.
 * The fixed-size form of Devoto et al. 2024, arXiv:2406.11430.
 *
 * - `fix_kv_size`: entries kept;
 * - `keep_ratio`: share of them that is the recent window, [0, 1];
 * - `strategy`: `keep_low`, `keep_high` or `random`.
 *
 * @example
 * ```ts
 * import { fixSizeL2 } from "./fix_size_l2.ts";
 *
 * const policy = fixSizeL2({ fix_kv_size: 256, keep_ratio: 0.2 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 257 })); // { sink: 0, heavy: 205, recent: 51 }
 * ```
 */
export const fixSizeL2 = definePolicy({
  name: "fix_size_l2",
  params: { fix_kv_size: 512, keep_ratio: 0.5, strategy: "keep_low" },
  keep: ({ fix_kv_size, keep_ratio }) => {
    const recent = Math.trunc(fix_kv_size * keep_ratio);
    const sizes = { sink: 0, heavy: Math.max(fix_kv_size - recent, 0), recent };
    // A ratio over 1 would make the recent part larger than the budget, and perhaps larger than the cache.
    return ({ entries }) => entries > Math.max(fix_kv_size, recent) ? sizes : "all";
  },
  score: ({ strategy }) => {
    const score = Object.hasOwn(STRATEGIES, strategy) ? STRATEGIES[strategy] : undefined;
    if (score === undefined) {
      const known = Object.keys(STRATEGIES).join(", ");
      throw new RangeError(`Cannot make fix_size_l2: strategy ${strategy} is not one of ${known}`);
    }
    return score;
  },
}, { fix_kv_size: integer(0), keep_ratio: share });
