import { integer } from "../util/check_options.ts";
import { definePolicy } from "./policy.ts";
import { add, avgPool, constant, keyNorm, maxOver, sub } from "./score.ts";

/**
 * Keeps the last `observation_window` entries and the best of the rest up to `keep_size`, by key norm smoothed over
 * neighbours. This is SnapKV's pooled vote (Li et al. 2024, arXiv:2404.14469) with the key norm in place of the
 * attention of the window's queries.
 *
 * - `observation_window`: recent entries kept;
 * - `keep_size`: entries kept in all;
 * - `pooling_kernel`: neighbours averaged over, odd.
 *
 * @example
 * ```ts
 * import { snapkvLite } from "./snapkv_lite.ts";
 *
 * const policy = snapkvLite({ observation_window: 32, keep_size: 256 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 257 })); // { sink: 0, heavy: 224, recent: 32 }
 * ```
 */
export const snapkvLite = definePolicy({
  name: "snapkv_lite",
  params: { observation_window: 32, keep_size: 512, pooling_kernel: 5 },
  keep: ({ observation_window, keep_size }) => {
    // A window as large as the budget leaves nothing to choose: the window alone is kept, whatever the budget.
    const sizes = { sink: 0, heavy: Math.max(keep_size - observation_window, 0), recent: observation_window };
    return ({ entries }) => entries > Math.max(keep_size, observation_window) ? sizes : "all";
  },
  // Padding counts as zero in the average, so the norms are turned into positive scores first. If they were only
  // negated, the zeros next to the first and the last entry would favour these two.
  score: ({ pooling_kernel }) =>
    avgPool(pooling_kernel, sub(add(maxOver("entries", keyNorm), constant(1e-6)), keyNorm)),
}, { observation_window: integer(0), keep_size: integer(0) });
