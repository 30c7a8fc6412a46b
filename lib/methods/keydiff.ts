import type { FlagSpec, ValuesOf } from "../flags/spec.ts";
import { share } from "../flags/values.ts";
import { keydiff } from "../policies/keydiff.ts";
import { type PaperFlags, PAPERS } from "./_papers.ts";
import { byCacheSize, leavesNothing } from "./method_record.ts";

/** Flags of keydiff. */
export const keydiffFlags = {
  keydiff_recent_ratio: {
    group: PAPERS,
    help: "keydiff: share of the size reserved for the last entries; at 0, quality collapses",
    value: "X",
    read: share,
    default: 0.25,
    methods: ["keydiff"],
  },
} satisfies { keydiff_recent_ratio: FlagSpec<number> };

/** The most distinct keys, and a window. */
export const keydiffRecord = byCacheSize<PaperFlags & ValuesOf<typeof keydiffFlags>>({
  name: "keydiff",
  policyAt: (size, { keydiff_recent_ratio }) =>
    keydiff({ cache_size: size, recent_size: Math.trunc(size * keydiff_recent_ratio) }),
  effectsAt: (size, { keydiff_recent_ratio: ratio }, asked) =>
    ratio === 1 ? [leavesNothing("keydiff_recent_ratio", ratio, asked, size)] : [],
  atBudget: (cache_size) => keydiff({ cache_size, recent_size: Math.trunc(cache_size / 4) }),
});
