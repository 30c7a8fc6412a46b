import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { choice, listOf, ratio } from "../flags/values.ts";
import { fixSizeL2, STRATEGIES } from "../policies/fix_size_l2.ts";
import { ratioName } from "./_ratio_name.ts";
import { list, type MethodRecord, sizes } from "./method_record.ts";

/** Flags of fix_size_l2; l2_compress has ratios too. */
export const fixSizeL2Flags = {
  keep_ratios: {
    group: "fix_size_l2, l2_compress",
    help: "fix_size_l2: share of the size that is recent; l2_compress: share kept",
    ...list(listOf(ratio), [0.8, 0.5, 0.3]),
    methods: ["fix_size_l2", "l2_compress"],
  },
  fix_kv_sizes: {
    group: "fix_size_l2",
    help: "entries kept",
    ...sizes([256, 512], ["fix_size_l2"]),
  },
  strategies: {
    group: "fix_size_l2",
    help: `what is kept in addition to the recent entries: ${Object.keys(STRATEGIES).join(", ")}`,
    value: "LIST",
    read: listOf(choice(Object.keys(STRATEGIES))),
    default: ["keep_low"],
    methods: ["fix_size_l2"],
  },
} satisfies {
  keep_ratios: FlagSpec<readonly number[]>;
  fix_kv_sizes: FlagSpec<readonly number[]>;
  strategies: FlagSpec<readonly string[]>;
};

/** A fixed number of entries by key norm. */
export const fixSizeL2Record = {
  expand: ({ fix_kv_sizes, strategies, keep_ratios }) =>
    fix_kv_sizes.flatMap((fix_kv_size) =>
      strategies.flatMap((strategy) =>
        keep_ratios.map((keep_ratio) => ({
          name: `fix${fix_kv_size}_${strategy}_kr=${ratioName(keep_ratio, keep_ratios)}`,
          policy: fixSizeL2({ fix_kv_size, strategy, keep_ratio }),
          control: fix_kv_size,
        }))
      )
    ),
  expandAt: (budget, { strategies, keep_ratios }) =>
    strategies.flatMap((strategy) =>
      keep_ratios.map((keep_ratio) => ({
        name: `fix${budget}_${strategy}_kr=${ratioName(keep_ratio, keep_ratios)}`,
        policy: (fix_kv_size) => fixSizeL2({ fix_kv_size, strategy, keep_ratio }),
      }))
    ),
  atBudget: (fix_kv_size) => fixSizeL2({ fix_kv_size, keep_ratio: 0.5, strategy: "keep_low" }),
} satisfies MethodRecord<ValuesOf<typeof fixSizeL2Flags>>;

/** A random choice of half the entries, and the recent half: the cheapest choice possible. */
export function randomAtBudget(fix_kv_size: number) {
  return fixSizeL2({ fix_kv_size, keep_ratio: 0.5, strategy: "random" });
}
