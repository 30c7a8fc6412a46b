import type { FlagSpec } from "../flags/spec.ts";
import { choice, integer, odd } from "../flags/values.ts";
import { POOLINGS, snapkv } from "../policies/snapkv.ts";
import { type PaperFlags, PAPERS } from "./_papers.ts";
import { byCacheSize, count, leavesNothing } from "./method_record.ts";

/** Flags of snapkv; pyramid_snapkv has them too. */
export const snapkvFlags = {
  query_window: {
    group: PAPERS,
    help: "snapkv, pyramid_snapkv: the observation window: last queries that vote, last entries kept",
    ...count(integer(1), 32),
    methods: ["snapkv", "pyramid_snapkv"],
  },
  pooling: {
    group: PAPERS,
    help: `snapkv, pyramid_snapkv: what votes are smoothed by, ${Object.keys(POOLINGS).join(" or ")}`,
    value: "NAME",
    read: choice(Object.keys(POOLINGS)),
    default: "avg",
    methods: ["snapkv", "pyramid_snapkv"],
  },
  pooling_kernel: {
    group: PAPERS,
    help: "snapkv, pyramid_snapkv: neighbours votes are smoothed over, odd",
    value: "N",
    read: odd,
    default: undefined,
    defaultText: "5, or 7 with --pooling max",
    methods: ["snapkv", "pyramid_snapkv"],
  },
} satisfies {
  query_window: FlagSpec<number>;
  pooling: FlagSpec<string>;
  pooling_kernel: FlagSpec<number | undefined>;
};

/** Values of the flags. */
export interface SnapkvFlags extends PaperFlags {
  readonly query_window: number;
  readonly pooling: string;
  readonly pooling_kernel: number | undefined;
}

/** Settings shared by snapkv and pyramid_snapkv. The paper's code averages over 5 neighbours, or takes the maximum of 7. */
export function votes(cache_size: number, { query_window, pooling, pooling_kernel }: SnapkvFlags) {
  return {
    cache_size,
    observation_window: query_window,
    pooling,
    pooling_kernel: pooling_kernel ?? (pooling === "max" ? 7 : 5),
  };
}

/** Warns where the window is all that is kept. */
export function votesEffects(size: number, { query_window }: SnapkvFlags, asked: string): string[] {
  return query_window >= size ? [leavesNothing("query_window", query_window, asked, size)] : [];
}

/** What the last queries of a pass pay most attention. Its name differs from snapkv_lite's in the Python benchmark. */
export const snapkvRecord = byCacheSize<SnapkvFlags>({
  name: "snapkv_attention",
  policyAt: (size, flags) => snapkv(votes(size, flags)),
  effectsAt: votesEffects,
  atBudget: (cache_size) =>
    snapkv({ cache_size, observation_window: Math.max(1, Math.min(32, Math.trunc(cache_size / 2))) }),
});
