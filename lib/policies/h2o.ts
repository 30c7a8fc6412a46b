import { integer } from "../util/check_options.ts";
import { definePolicy } from "./policy.ts";
import { attention } from "./score.ts";

/**
 * Keeps the last `recent_size` entries and, of the rest, the `heavy_size` heavy hitters: the entries with the most
 * accumulated attention. H2O: Zhang et al. 2023, arXiv:2306.14048.
 *
 * An entry's score is the sum of the attention from every query since it was added. Per KV head this is the mean over
 * its query heads. The sum stays with the entry.
 *
 * - `start_size`: first entries kept regardless of score; 0 in the paper;
 * - `heavy_size`: heavy hitters kept;
 * - `recent_size`: last entries kept; in the paper as many as heavy hitters.
 *
 * @example
 * ```ts
 * import { h2o } from "./h2o.ts";
 *
 * const policy = h2o({ heavy_size: 128, recent_size: 128 });
 * console.log(policy.keep({ layer: 2, layers: 8, entries: 257 })); // { sink: 0, heavy: 128, recent: 128 }
 * ```
 */
export const h2o = definePolicy({
  name: "h2o",
  params: { start_size: 0, heavy_size: 256, recent_size: 256 },
  keep: ({ start_size: sink, heavy_size: heavy, recent_size: recent }) => ({ entries }) =>
    entries > sink + heavy + recent ? { sink, heavy, recent } : "all",
  score: () => attention,
  attention: () => ({ from: "all", accumulate: true }),
}, { start_size: integer(0), heavy_size: integer(0), recent_size: integer(0) });
