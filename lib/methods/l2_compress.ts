import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { integer } from "../flags/values.ts";
import type { BudgetShape } from "../policies/budget.ts";
import { l2Compress } from "../policies/l2_compress.ts";
import { ratioName } from "./_ratio_name.ts";
import type { fixSizeL2Flags } from "./fix_size_l2.ts";
import { count, type MethodRecord } from "./method_record.ts";

/** Flags of l2_compress. */
export const l2CompressFlags = {
  prune_after: {
    group: "l2_compress",
    help: "entries up to which nothing is dropped",
    ...count(integer(1), 100),
    methods: ["l2_compress"],
    isSize: true,
  },
} satisfies { prune_after: FlagSpec<number> };

type Read = ValuesOf<typeof l2CompressFlags> & Pick<ValuesOf<typeof fixSizeL2Flags>, "keep_ratios"> & {
  readonly no_baseline: boolean;
};

/** A share of the entries by key norm. */
export const l2CompressRecord: MethodRecord<Read> = {
  expand: ({ keep_ratios, prune_after, no_baseline }) =>
    // A ratio of 1 never drops anything: with a baseline, the full cache would be measured twice.
    keep_ratios.filter((keep_ratio) => keep_ratio < 1 || no_baseline).map((keep_ratio) => ({
      name: `l2_kr=${ratioName(keep_ratio, keep_ratios)}`,
      policy: l2Compress({ keep_ratio, prune_after }),
    })),
  expandAt: (budget, { keep_ratios }) =>
    // A ratio of 1 holds no budget.
    keep_ratios.filter((keep_ratio) => keep_ratio < 1).map((keep_ratio) => ({
      name: `l2_${budget}_kr=${ratioName(keep_ratio, keep_ratios)}`,
      policy: (entries, shape) => atBudget(keep_ratio, entries, shape),
    })),
  atBudget: (budget, shape) => atBudget(0.8, budget, shape),
};

/**
 * The cache fills up to `prune_after`, is cut to a share of it, and fills again. Chooses the limit so that the cache
 * holds the budget, or what is nearest below, when the text ends; of several such limits, that with which it also holds
 * about the budget on average. Without a shape, the budget is the limit.
 */
function atBudget(keep_ratio: number, budget: number, shape?: BudgetShape) {
  if (shape === undefined || budget >= shape.tokens) return l2Compress({ keep_ratio, prune_after: budget });
  let best = { prune_after: budget, held: 0, off: Infinity };
  // A lower limit never leaves as much as the budget's own does; a higher one always leaves more.
  for (let limit = Math.ceil(budget * keep_ratio); limit <= Math.ceil(budget / keep_ratio); limit++) {
    const { low, high } = swing(keep_ratio, limit);
    const held = shape.tokens <= high ? shape.tokens : low + (shape.tokens - high - 1) % (high + 1 - low);
    const off = Math.abs((low + high) / 2 - budget);
    if (held > budget || held < best.held || held === best.held && off >= best.off) continue;
    best = { prune_after: limit, held, off };
  }
  return l2Compress({ keep_ratio, prune_after: best.prune_after });
}

/** Between how many entries a cache swings that is cut as soon as it has more than `limit` and that makes it smaller. */
function swing(keep_ratio: number, limit: number): { low: number; high: number } {
  let high = limit;
  while (Math.ceil(keep_ratio * (high + 1)) > high) high++;
  return { low: Math.ceil(keep_ratio * (high + 1)), high };
}
