import { type Budget, type BudgetShape, shareOf } from "../../policies/budget.ts";
import { InputError } from "../../util/errors.ts";
import { checkPolicyFields } from "./check_options.ts";
import type { Configuration, MadeConfiguration } from "./configuration.ts";

/** A configuration as it runs. */
export type ResolvedConfiguration<C extends Configuration = Configuration> = Omit<C, "policy" | "budget"> & {
  readonly policy: MadeConfiguration["policy"];
  /** The budget as asked for, and the entries of a layer that the policy was made for. */
  readonly budget?: { readonly asked: string; readonly entries: number };
};

/**
 * Makes the policy of a configuration that has a budget, once the model and the lengths are known.
 *
 * @example
 * ```ts
 * import { methods } from "../../policies/registry.ts";
 * import { resolveBudget } from "./resolve_budget.ts";
 *
 * const shape = { layers: 8, acting: [2, 3, 4, 5, 6, 7], tokens: 1200 };
 * const half = { name: "half", budget: "50%" as const, policy: (cache_size: number) => methods.tova({ cache_size }) };
 * // 8 x 1200 / 2 entries, of which two layers hold 1200 each; the other six share the rest.
 * console.log(resolveBudget(half, shape).policy.params); // { cache_size: 400 }
 * ```
 *
 * @param configuration One with a budget and a function that makes its policy, or one with a policy.
 * @param shape The model's layers, and the length of the quality pass.
 * @returns The configuration with its policy.
 * @throws {InputError} If the budget leaves the layers nothing, or the policy made is none.
 */
export function resolveBudget<C extends Configuration>(configuration: C, shape: BudgetShape): ResolvedConfiguration<C> {
  const { policy, budget, ...rest } = configuration;
  if (typeof policy !== "function") return { ...rest, policy };
  if (budget === undefined) throw new InputError(`Cannot run ${rest.name}: it needs a budget to make its policy`);
  const entries = entriesOf(budget, shape, rest.name);
  const made = policy(entries, shape);
  checkPolicyFields(`the policy that configuration "${rest.name}" makes for ${entries} entries`, made);
  return { ...rest, policy: made, budget: { asked: `${budget}`, entries } };
}

/**
 * Returns the whole number of entries that each compressed layer may hold, so that all layers together hold at most the
 * budget. All layers have KV heads of the same number and size, so shares of bytes are shares of entries.
 */
function entriesOf(budget: Budget, { layers, acting, tokens }: BudgetShape, name: string): number {
  const share = shareOf(budget);
  if (share === undefined) return budget as number;
  const skipped = layers - acting.length;
  if (acting.length === 0) {
    if (share === 1) return tokens;
    throw new InputError(
      `Cannot run ${name} with --budget ${budget}: --skip_layers leaves no layer to compress; skip fewer layers`,
    );
  }
  const left = share * layers * tokens - skipped * tokens;
  // Adds what rounding may have lost: 0.07 x 100 is a little more than 7, 0.57 x 100 a little less than 57.
  const entries = Math.floor(left / acting.length + 1e-6);
  if (entries >= 1) return entries;
  const least = (skipped * tokens + acting.length) / (layers * tokens);
  const why = skipped === 0
    ? `it leaves a layer less than one entry of ${tokens} tokens`
    : `the layers that are not compressed (--skip_layers, ${skipped} of ${layers}) alone hold ${
      percent(skipped / layers)
    } of the full cache`;
  const remedy = skipped === 0 ? "or a longer --max_tokens" : "or skip fewer layers, as in --skip_layers none";
  throw new InputError(
    `Cannot run ${name} with --budget ${budget}: ${why}; give --budget ${percent(least)} or more, ${remedy}`,
  );
}

/** Writes a share with as many decimals as two digits need, rounded up. */
function percent(share: number): string {
  return `${Math.ceil(share * 10_000 - 1e-6) / 100}%`;
}
