import { integer } from "../util/check_options.ts";
import { definePolicy } from "./policy.ts";
import { pooledVotes } from "./snapkv.ts";

/**
 * SnapKV with budgets that fall linearly from the first layer, whose attention is spread wide, to the last. PyramidKV: Cai
 * et al. 2024, arXiv:2406.02069.
 *
 * In addition to the window, the last layer has `(cache_size - window) / beta` entries. The first has twice the mean
 * less that, and the layers between lie on the line from one to the other. The mean over all layers is exactly
 * `cache_size`: the line is cut to whole entries, and the entries lost go, one each, to the layers that lost most. (The
 * paper's code truncates the step from layer to layer instead, so that its layers hold up to 11 % more than named. And
 * for a prompt shorter than the first layer's budget, it makes the pyramid flatter. Here sizes do not depend on the
 * prompt, and a layer keeps everything until it exceeds its own budget.)
 *
 * Skipped layers are not compressed: skipping the first ones, which have the most, leaves the others less than
 * `cache_size` on average. `--budget` chooses `cache_size` so that the mean over the others is the budget.
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
 * console.log(policy.keep({ layer: 7, layers: 8, entries: 1000 })); // { sink: 0, heavy: 11, recent: 32 }
 * ```
 */
export const pyramidSnapkv = definePolicy({
  name: "pyramid_snapkv",
  params: { cache_size: 512, observation_window: 32, pooling: "avg", pooling_kernel: 5, beta: 20 },
  keep: ({ cache_size, observation_window, beta }) => {
    if (!(beta >= 1)) throw new RangeError(`Cannot make pyramid_snapkv: beta is ${beta}; give a number of at least 1`);
    const recent = Math.min(observation_window, cache_size);
    const mean = cache_size - recent;
    const known = new Map<number, readonly number[]>();
    return ({ layer, layers, entries }) => {
      let line = known.get(layers);
      if (line === undefined) known.set(layers, line = wholeLine(mean, Math.trunc(mean / beta), layers));
      const heavy = line[layer]!;
      return entries > heavy + recent ? { sink: 0, heavy, recent } : "all";
    };
  },
  score: (params) => pooledVotes("pyramid_snapkv", params),
  attention: ({ observation_window: window }) => ({ from: "last", window }),
}, { cache_size: integer(0), observation_window: integer(0) });

/**
 * Returns whole numbers on the line that falls to `least`, one for each layer, whose mean is exactly `mean`. They never
 * rise: of two layers with the same whole part, the earlier one lost at least as much.
 */
function wholeLine(mean: number, least: number, layers: number): number[] {
  if (layers === 1) return [mean];
  const most = 2 * mean - least;
  // In units of 1 / (layers - 1), in which the line is whole, so that nothing is lost to rounding.
  const unit = layers - 1;
  const line = Array.from({ length: layers }, (_, layer) => most * unit - layer * (most - least));
  const sizes = line.map((value) => Math.floor(value / unit));
  const lost = mean * layers - sizes.reduce((sum, size) => sum + size, 0);
  // Sorting keeps the order of equal ones: the earlier layer comes first.
  const byLoss = line.map((value, layer) => ({ layer, loss: value % unit })).sort((a, b) => b.loss - a.loss);
  for (const { layer } of byLoss.slice(0, lost)) sizes[layer]!++;
  return sizes;
}
