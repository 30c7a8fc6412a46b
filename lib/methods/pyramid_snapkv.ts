import type { FlagSpec } from "../flags/spec.ts";
import { factor } from "../flags/values.ts";
import { pyramidSnapkv } from "../policies/pyramid_snapkv.ts";
import { PAPERS } from "./_papers.ts";
import { byCacheSize } from "./method_record.ts";
import { type SnapkvFlags, votes, votesEffects } from "./snapkv.ts";

/** Flags of pyramid_snapkv. */
export const pyramidSnapkvFlags = {
  pyramid_beta: {
    group: PAPERS,
    help: "pyramid_snapkv: how steeply sizes fall over the layers; at 1 all layers keep the same",
    value: "X",
    read: factor,
    default: 20,
    methods: ["pyramid_snapkv"],
  },
} satisfies { pyramid_beta: FlagSpec<number> };

/** snapkv with budgets that fall over the layers; a budget is their mean. */
export const pyramidSnapkvRecord = byCacheSize<SnapkvFlags & { readonly pyramid_beta: number }>({
  atCacheSize: (size, flags) => ({
    name: `pyramid_snapkv_${size}`,
    policy: pyramidSnapkv({ ...votes(size, flags), beta: flags.pyramid_beta }),
    control: size,
  }),
  effectsAt: votesEffects,
  atBudget: (cache_size) => pyramidSnapkv({ cache_size, observation_window: Math.min(32, Math.trunc(cache_size / 2)) }),
});
