import type { FlagSpec } from "../flags/spec.ts";
import { factor } from "../flags/values.ts";
import { pyramidSnapkv } from "../policies/pyramid_snapkv.ts";
import { PAPERS } from "./_papers.ts";
import { holdMean } from "./_hold_mean.ts";
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
  name: "pyramid_snapkv",
  policyAt,
  policyFor: (entries, shape, flags) => holdMean(entries, shape, (size) => policyAt(size, flags)),
  effectsAt: votesEffects,
  atBudget: (budget, shape) => {
    const observation_window = Math.max(1, Math.min(32, Math.trunc(budget / 2)));
    return holdMean(budget, shape, (cache_size) => pyramidSnapkv({ cache_size, observation_window }));
  },
});

function policyAt(size: number, flags: SnapkvFlags & { readonly pyramid_beta: number }) {
  return pyramidSnapkv({ ...votes(size, flags), beta: flags.pyramid_beta });
}
