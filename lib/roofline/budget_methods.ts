import { BUDGET_MAKERS, type BudgetMethodName } from "../methods/at_budget.ts";
import type { Policy } from "../policies/policy.ts";

export type { BudgetMethodName } from "../methods/at_budget.ts";

/**
 * Methods at a budget, as rows of the engine benchmark: from a number of entries to the policy that keeps that many,
 * with the proportions of the main benchmark's defaults. Methods with budgets by layer keep that many on average or at
 * most; l2_compress lets the cache fill up to the budget and then cuts it to 0.8 of it.
 *
 * @example
 * ```ts
 * import { BUDGET_METHODS } from "./budget_methods.ts";
 *
 * console.log(BUDGET_METHODS.h2o(256).params); // { start_size: 0, heavy_size: 128, recent_size: 128 }
 * ```
 */
export const BUDGET_METHODS: Readonly<Record<BudgetMethodName, (budget: number) => Policy>> = BUDGET_MAKERS;

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
