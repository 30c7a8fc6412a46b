import { integer } from "../util/check_options.ts";
import { ratio } from "./check_params.ts";
import { definePolicy } from "./policy.ts";
import { keyNorm, neg } from "./score.ts";

/**
 * Keeps the share `keep_ratio` of entries whose keys have the lowest L2 norm, once the cache has more than
 * `prune_after`. A low key norm correlates with high attention. Devoto et al. 2024, arXiv:2406.11430.
 *
 * Applied after every token, the cache falls to `ceil(keep_ratio x n)` entries, grows back to `prune_after`, and falls
 * again.
 *
 * - `keep_ratio`: share kept, (0, 1];
 * - `prune_after`: entries up to which nothing is dropped.
 *
 * @example
 * ```ts
 * import { l2Compress } from "./l2_compress.ts";
 *
 * const policy = l2Compress({ keep_ratio: 0.8, prune_after: 100 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 101 })); // { sink: 0, heavy: 81, recent: 0 }
 * ```
 */
export const l2Compress = definePolicy({
  name: "l2_compress",
  params: { keep_ratio: 0.8, prune_after: 100 },
  keep: ({ keep_ratio, prune_after }) => ({ entries }) => {
    if (entries <= prune_after || keep_ratio >= 1) return "all";
    const heavy = Math.ceil(keep_ratio * entries);
    return heavy < entries ? { sink: 0, heavy, recent: 0 } : "all";
  },
  score: () => neg(keyNorm),
}, { keep_ratio: ratio, prune_after: integer(0) });
