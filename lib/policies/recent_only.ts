import { integer } from "../util/check_options.ts";
import { definePolicy } from "./policy.ts";

/**
 * Keeps the last `window_size` entries and nothing else: the control group that shows what a method adds to a plain
 * sliding window of the same size. "Window attention" in Xiao et al. 2024, arXiv:2309.17453.
 *
 * - `window_size`: entries kept.
 *
 * @example
 * ```ts
 * import { recentOnly } from "./recent_only.ts";
 *
 * const policy = recentOnly({ window_size: 256 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 300 })); // { sink: 0, heavy: 0, recent: 256 }
 * ```
 */
export const recentOnly = definePolicy({
  name: "recent_only",
  params: { window_size: 512 },
  keep: ({ window_size }) => ({ entries }) =>
    entries > window_size ? { sink: 0, heavy: 0, recent: window_size } : "all",
}, { window_size: integer(0) });
