import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { recentOnly } from "../policies/recent_only.ts";
import { type MethodRecord, sizes } from "./method_record.ts";

/** Flags of recent_only. */
export const recentOnlyFlags = {
  window_sizes: {
    group: "recent_only",
    help: "entries kept",
    ...sizes([256, 512, 1024], ["recent_only"]),
  },
} satisfies { window_sizes: FlagSpec<readonly number[]> };

/** A window of the last entries. */
export const recentOnlyRecord: MethodRecord<ValuesOf<typeof recentOnlyFlags>> = {
  expand: ({ window_sizes }) =>
    window_sizes.map((window_size) => ({ name: `recent_only_${window_size}`, policy: recentOnly({ window_size }) })),
  expandAt: (budget) => [{ name: `recent_only_${budget}`, policy: (window_size) => recentOnly({ window_size }) }],
  atBudget: (window_size) => recentOnly({ window_size }),
};
