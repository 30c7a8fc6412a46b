import { InputError } from "../util/errors.ts";
import { scoreFault } from "./check_score.ts";
import type { Policy, Sizes } from "./policy.ts";

/**
 * Checks a policy before a run. Asks it for the sizes of every layer at every count that the run can reach, so that an
 * impossible answer is found now and not at token 1,731.
 *
 * @example
 * ```ts
 * import { checkPolicy } from "./check_policy.ts";
 * import { definePolicy } from "./policy.ts";
 *
 * const half = definePolicy({
 *   name: "half",
 *   params: {},
 *   keep: () => ({ entries }) => ({ sink: 0, heavy: 0, recent: entries / 2 }), // 0.5 of 1 entry
 * });
 * try {
 *   checkPolicy(half(), { layers: 8, maxEntries: 2000 });
 * } catch (error) {
 *   console.log((error as Error).message);
 * }
 * ```
 *
 * @param policy The policy, custom or from the registry.
 * @param shape `layers`: layers of the model; `maxEntries`: the most entries a layer can hold in the run.
 * @throws {InputError} Naming the method, the layer and the count.
 */
export function checkPolicy(policy: Policy, shape: { layers: number; maxEntries: number }): void {
  const { layers, maxEntries } = shape;
  const unusable = scoreFault(policy);
  if (unusable !== undefined) throw new InputError(`Cannot run ${policy.method}: ${unusable}`);
  for (let layer = 0; layer < layers; layer++) {
    for (let entries = 1; entries <= maxEntries; entries++) {
      const sizes = policy.keep({ layer, layers, entries });
      if (sizes === "all") continue;
      const fault = faultOf(sizes, entries, policy);
      if (fault !== undefined) {
        throw new InputError(`Cannot run ${policy.method}: in layer ${layer} with ${entries} entries ${fault}`);
      }
    }
  }
}

/** Returns what is wrong with `sizes`, or undefined. */
function faultOf(sizes: Sizes, entries: number, policy: Policy): string | undefined {
  if (typeof sizes !== "object" || sizes === null) {
    return `it answers ${JSON.stringify(sizes)}; give { sink, heavy, recent } or "all"`;
  }
  const { sink, heavy, recent } = sizes;
  for (const [name, size] of [["sink", sink], ["heavy", heavy], ["recent", recent]] as const) {
    if (!Number.isSafeInteger(size) || size < 0) return `it keeps ${size} as ${name}; give an integer of at least 0`;
  }
  const kept = sink + heavy + recent;
  if (kept > entries) {
    return `it keeps ${kept} (${sink} + ${heavy} + ${recent}), more than are held; give "all" to keep everything`;
  }
  // Sizes never depend on the data, so an empty cache would stay empty: every token would see itself alone.
  if (kept === 0) return "it keeps none; keep at least one entry";
  if (heavy > 0 && policy.score === undefined) return `it keeps ${heavy} by score, and has no score`;
  return undefined;
}
