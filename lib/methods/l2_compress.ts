import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { integer } from "../flags/values.ts";
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
  // The cache fills up to the budget and is then cut to 0.8 of it.
  atBudget: (prune_after) => l2Compress({ keep_ratio: 0.8, prune_after }),
};
