import type { Policy } from "../policies/policy.ts";
import { type MethodName, methods } from "../policies/registry.ts";

/** A method of the engine benchmark. `random` is fix_size_l2 with random scores, the cheapest choice possible. */
export type BudgetMethodName = Exclude<MethodName, "baseline"> | "random";

const window = (budget: number) => Math.min(32, Math.trunc(budget / 2));
const half = (budget: number) => Math.trunc(budget / 2);

/**
 * Methods at a budget: from a number of entries to the policy that keeps that many, with the proportions of the main
 * benchmark's defaults. Methods with budgets by layer keep that many on average or at most; l2_compress lets the cache
 * fill up to the budget and then cuts it to 0.8 of it.
 *
 * @example
 * ```ts
 * import { BUDGET_METHODS } from "./budget_methods.ts";
 *
 * console.log(BUDGET_METHODS.h2o(256).params); // { start_size: 0, heavy_size: 128, recent_size: 128 }
 * ```
 */
export const BUDGET_METHODS: Readonly<Record<BudgetMethodName, (budget: number) => Policy>> = {
  recent_only: (window_size) => methods.recent_only({ window_size }),
  streaming_llm: (budget) => methods.streaming_llm({ start_size: 4, recent_size: budget - 4 }),
  fix_size_l2: (fix_kv_size) => methods.fix_size_l2({ fix_kv_size, keep_ratio: 0.5, strategy: "keep_low" }),
  random: (fix_kv_size) => methods.fix_size_l2({ fix_kv_size, keep_ratio: 0.5, strategy: "random" }),
  l2_compress: (prune_after) => methods.l2_compress({ keep_ratio: 0.8, prune_after }),
  h2o_l2: (budget) => {
    const heavy_hitter_size = Math.trunc((budget - 4) / 8);
    return methods.h2o_l2({ start_size: 4, heavy_hitter_size, recent_size: budget - 4 - heavy_hitter_size });
  },
  snapkv_lite: (keep_size) => methods.snapkv_lite({ keep_size, observation_window: window(keep_size) }),
  pyramid_kv: (base_size) => methods.pyramid_kv({ base_size, min_size: Math.min(64, base_size) }),
  // Between its limits, where it drops one entry for each new one.
  adaptive_l2: (soft_limit) => methods.adaptive_l2({ target_size: soft_limit, soft_limit, hard_limit: 2 * soft_limit }),
  h2o: (budget) => methods.h2o({ start_size: 0, heavy_size: half(budget), recent_size: budget - half(budget) }),
  tova: (cache_size) => methods.tova({ cache_size }),
  snapkv: (cache_size) => methods.snapkv({ cache_size, observation_window: window(cache_size) }),
  pyramid_snapkv: (cache_size) => methods.pyramid_snapkv({ cache_size, observation_window: window(cache_size) }),
  keydiff: (cache_size) => methods.keydiff({ cache_size, recent_size: Math.trunc(cache_size / 4) }),
};

/** Names of all methods, in the order of the table. */
export const budgetMethodNames: readonly BudgetMethodName[] = Object.keys(BUDGET_METHODS) as BudgetMethodName[];

/** Methods measured by default: one for each kind of work that eviction does. */
export const DEFAULT_METHODS: readonly BudgetMethodName[] = [
  "streaming_llm",
  "fix_size_l2",
  "random",
  "h2o",
  "tova",
  "snapkv",
  "pyramid_snapkv",
  "keydiff",
];

/** The smallest budget that all methods accept, entries. */
export const LEAST_BUDGET = 16;
