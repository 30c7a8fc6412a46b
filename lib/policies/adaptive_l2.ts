import { integer } from "../util/check_options.ts";
import { definePolicy, type Sizes } from "./policy.ts";
import { keyNorm, neg } from "./score.ts";

/**
 * Compresses gently above `soft_limit` entries, harder as they approach `hard_limit`, and above that down to
 * `target_size`. Keeps the lowest key norms (Devoto et al. 2024, arXiv:2406.11430).
 *
 * - `target_size`: entries kept when over `hard_limit`;
 * - `soft_limit`: entries up to which nothing is dropped, and below which the gentle phase never goes;
 * - `hard_limit`: entries at which the gentle phase, from 90 % kept to 30 %, ends.
 *
 * @example
 * ```ts
 * import { adaptiveL2 } from "./adaptive_l2.ts";
 *
 * const policy = adaptiveL2({ target_size: 256, soft_limit: 128, hard_limit: 512 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 320 })); // { sink: 0, heavy: 154, recent: 38 }
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 513 })); // { sink: 4, heavy: 124, recent: 128 }
 * ```
 */
export const adaptiveL2 = definePolicy({
  name: "adaptive_l2",
  params: { target_size: 512, soft_limit: 256, hard_limit: 1024 },
  keep: ({ target_size, soft_limit, hard_limit }) => {
    const atTarget = hardSizes(target_size);
    return ({ entries }) => {
      if (entries <= soft_limit) return "all";
      if (entries > hard_limit) return entries > target_size ? atTarget : "all";
      // Here soft < entries <= hard, so the difference below is not zero.
      const progress = (entries - soft_limit) / (hard_limit - soft_limit);
      const keep = Math.max(Math.trunc(entries * (0.9 - progress * 0.6)), soft_limit);
      if (keep >= entries) return "all";
      const recent = Math.trunc(keep * 0.2);
      return { sink: 0, heavy: keep - recent, recent };
    };
  },
  score: () => neg(keyNorm),
}, { target_size: integer(0), soft_limit: integer(0), hard_limit: integer(0) });

/**
 * Splits the target into sinks, a recent half, and the rest by norm. A target too small for all three gets only its
 * first and last entries.
 */
function hardSizes(target: number): Sizes {
  const recent = Math.trunc(target / 2);
  if (target > 4 + recent) return { sink: 4, heavy: target - 4 - recent, recent };
  return target > 4 ? { sink: 4, heavy: 0, recent: target - 4 } : { sink: 0, heavy: 0, recent: target };
}
