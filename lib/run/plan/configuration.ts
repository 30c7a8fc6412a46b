import type { FloatType } from "../../util/dtype.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { Budget, PolicyMaker } from "../../policies/budget.ts";
import type { Policy } from "../../policies/policy.ts";

/** One line of the table: a policy under a name. */
export interface Configuration {
  /** Name in the table, the chart and results.json; unique within a run. */
  readonly name: string;
  /** What to keep; with a budget, the function that makes it from the number of entries that a layer may hold. */
  readonly policy: Policy | PolicyMaker;
  /**
   * What the layers may hold at the end of the quality pass: entries, on average over the layers that are not skipped;
   * or a share of the full cache's bytes over all layers, such as "25%", skipped layers included.
   */
  readonly budget?: Budget;
  /** How tokens are numbered; the run's numbering if left out. */
  readonly positions?: Positions;
  /** Type of weights, activations and cache; the run's type if left out. */
  readonly dtype?: FloatType;
}

/** A configuration whose policy is made. */
export interface MadeConfiguration extends Omit<Configuration, "policy" | "budget"> {
  readonly policy: Policy;
}

/**
 * Returns every configuration under each numbering of tokens. With several numberings, names end in the numbering, as
 * in `streaming_256@cache`. The full cache numbers tokens alike in all of them: it is measured once, under the first.
 *
 * @example
 * ```ts
 * import { acrossPositions } from "./configuration.ts";
 * import { methods } from "../../policies/registry.ts";
 *
 * const configurations = [{ name: "baseline", policy: methods.baseline() }, { name: "tova", policy: methods.tova() }];
 * console.log(acrossPositions(configurations, ["absolute", "cache"]).map(({ name }) => name).join(" "));
 * // baseline tova@absolute tova@cache
 * ```
 *
 * @param configurations Configurations that set a numbering keep it.
 * @param positions At least one numbering.
 * @returns Configurations that all set a numbering.
 */
export function acrossPositions<C extends Configuration>(
  configurations: readonly C[],
  positions: readonly Positions[],
): (C & { readonly positions: Positions })[] {
  return configurations.flatMap((configuration) => {
    const { name, policy, positions: own } = configuration;
    if (own !== undefined) return [{ ...configuration, positions: own }];
    if (typeof policy === "object" && policy.method === "baseline") {
      return [{ ...configuration, positions: positions[0]! }];
    }
    return positions.map((mode) => ({
      ...configuration,
      name: positions.length > 1 ? `${name}@${mode}` : name,
      positions: mode,
    }));
  });
}
