import { type Budget, type PolicyMaker, readBudget } from "../policies/budget.ts";
import type { MethodName } from "../policies/registry.ts";
import type { Configuration } from "../run/plan/configuration.ts";
import { InputError } from "../util/errors.ts";
import { suggest } from "../util/suggest.ts";
import { randomAtBudget } from "./fix_size_l2.ts";
import { RECORDS } from "./records.ts";

/** A method that can hold a budget. `random` keeps the recent half, and a random choice of the rest. */
export type BudgetMethodName = Exclude<MethodName, "baseline"> | "random";

/**
 * Methods at a budget: from a number of entries to the policy that holds them, with the proportions of the command
 * line's defaults, in the order of the table.
 */
export const BUDGET_MAKERS = Object.fromEntries(
  Object.entries(RECORDS).flatMap(([method, { atBudget }]) => [
    ...(atBudget ? [[method, atBudget]] : []),
    ...(method === "fix_size_l2" ? [["random", randomAtBudget]] : []),
  ]),
) as Readonly<Record<BudgetMethodName, PolicyMaker & ((budget: number) => ReturnType<PolicyMaker>)>>;

/**
 * Makes the configuration of a method at a budget: a number of entries that the layers hold on average, or a share of
 * the full cache's bytes. The budget holds at the end of the quality pass. A share counts all layers, and skipped ones
 * as full. Results hold what was asked for and what is held, in `configurations[].budget`.
 *
 * @example
 * ```ts
 * import { atBudget } from "./at_budget.ts";
 *
 * const names = [atBudget("h2o", 128), atBudget("snapkv", "25%")].map(({ name }) => name);
 * console.log(names.join(" ")); // h2o_128 snapkv_25%
 * ```
 *
 * @example A method of one's own: from the number of entries to its policy
 * ```ts
 * import { methods } from "../policies/registry.ts";
 *
 * const own = { name: "own_25%", budget: "25%", policy: (entries: number) => methods.tova({ cache_size: entries }) };
 * console.log(own.policy(320).params); // { cache_size: 320 }
 * ```
 *
 * @param method The method's name, or "random".
 * @param budget Entries, at least 1, or a share such as "25%".
 * @returns A configuration named after both; `{ ...atBudget(…), name }` has another name.
 * @throws {InputError} If there is no such method, or the budget is none.
 */
export function atBudget(method: BudgetMethodName, budget: Budget): Configuration {
  if (!Object.hasOwn(BUDGET_MAKERS, method)) {
    const near = suggest(`${method}`, Object.keys(BUDGET_MAKERS));
    const remedy = near === undefined
      ? `give one of ${Object.keys(BUDGET_MAKERS).join(", ")}`
      : `did you mean ${near}?`;
    throw new InputError(`Cannot make a configuration at a budget: there is no method ${method}; ${remedy}`);
  }
  const read = readBudget(budget);
  if (read === undefined) {
    throw new InputError(
      `Cannot make a configuration of ${method}: its budget is ${budget}; give entries, at least 1, or a share such as "25%"`,
    );
  }
  return { name: `${method}_${read}`, policy: BUDGET_MAKERS[method], budget: read };
}
