import { integer } from "../util/check_options.ts";
import { definePolicy } from "./policy.ts";
import { pooledVotes } from "./snapkv.ts";

/**
 * SnapKV with budgets that fall linearly from the first layer, whose attention is spread wide, to the last. PyramidKV: Cai
 * et al. 2024, arXiv:2406.02069.
 *
 * Budgets are those of the paper's code. In addition to the window, the last layer has `(cache_size - window) / beta`
 * entries. The first has twice the mean less that, and the layers between fall in equal steps. The mean over all layers
 * is `cache_size`. (Skipped layers are not compressed: skipping the first ones, which have the most, leaves the others
 * less than `cache_size` on average. For a prompt shorter than the first layer's budget, the paper's code makes the
 * pyramid flatter. Here sizes do not depend on the prompt, and a layer keeps everything until it exceeds its own
 * budget.)
 *
 * - `cache_size`: entries kept in all, mean over the layers;
 * - `beta`: how steep the pyramid is; at 1 all layers have the same budget; 20 in the paper;
 * - `observation_window`, `pooling`, `pooling_kernel`: as in SnapKV.
 *
 * @example
 * ```ts
 * import { pyramidSnapkv } from "./pyramid_snapkv.ts";
 *
 * const policy = pyramidSnapkv({ cache_size: 256 });
 * console.log(policy.keep({ layer: 0, layers: 8, entries: 1000 })); // { sink: 0, heavy: 437, recent: 32 }
 * console.log(policy.keep({ layer: 7, layers: 8, entries: 1000 })); // { sink: 0, heavy: 17, recent: 32 }
 * ```
 */
export const pyramidSnapkv = definePolicy({
  name: "pyramid_snapkv",
  params: { cache_size: 512, observation_window: 32, pooling: "avg", pooling_kernel: 5, beta: 20 },
  keep: ({ cache_size, observation_window, beta }) => {
    if (!(beta >= 1)) throw new RangeError(`Cannot make pyramid_snapkv: beta is ${beta}; give a number of at least 1`);
    const recent = Math.min(observation_window, cache_size);
    const mean = cache_size - recent;
    const least = Math.trunc(mean / beta);
    const most = 2 * mean - least;
    return ({ layer, layers, entries }) => {
      const step = layers > 1 ? Math.trunc((most - least) / (layers - 1)) : 0;
      const heavy = layers > 1 ? most - layer * step : mean;
      return entries > heavy + recent ? { sink: 0, heavy, recent } : "all";
    };
  },
  score: (params) => pooledVotes("pyramid_snapkv", params),
  attention: ({ observation_window: window }) => ({ from: "last", window }),
}, { cache_size: integer(0), observation_window: integer(0) });
