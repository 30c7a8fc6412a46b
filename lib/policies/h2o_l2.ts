import { integer } from "../util/check_options.ts";
import { definePolicy } from "./policy.ts";
import { keyNorm, neg } from "./score.ts";

/**
 * Keeps the first `start_size` entries, the `heavy_hitter_size` of the middle with the lowest key norm, and the last
 * `recent_size`. These are H2O's heavy hitters (Zhang et al. 2023, arXiv:2306.14048) with the key norm in place of
 * accumulated attention (Devoto et al. 2024, arXiv:2406.11430), so attention need not be computed explicitly.
 *
 * - `start_size`, `heavy_hitter_size`, `recent_size`: entries kept of each kind.
 *
 * @example
 * ```ts
 * import { h2oL2 } from "./h2o_l2.ts";
 *
 * const policy = h2oL2({ start_size: 4, heavy_hitter_size: 64, recent_size: 188 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 257 })); // { sink: 4, heavy: 64, recent: 188 }
 * ```
 */
export const h2oL2 = definePolicy({
  name: "h2o_l2",
  params: { start_size: 4, heavy_hitter_size: 64, recent_size: 444 },
  // Above the sum of the three, the middle is always larger than `heavy_hitter_size`, so it is never empty.
  keep: ({ start_size: sink, heavy_hitter_size: heavy, recent_size: recent }) => ({ entries }) =>
    entries > sink + heavy + recent ? { sink, heavy, recent } : "all",
  score: () => neg(keyNorm),
}, { start_size: integer(0), heavy_hitter_size: integer(0), recent_size: integer(0) });
