import { randomAtBudget } from "../methods/fix_size_l2.ts";
import type { PlannedAt } from "../methods/method_record.ts";
import { RECORDS } from "../methods/records.ts";
import type { Budget, PolicyMaker } from "../policies/budget.ts";
import type { MethodName } from "../policies/registry.ts";
import type { Configuration } from "../run/plan/configuration.ts";
import { PAPER_METHODS } from "./flags/effects.ts";
import type { Flags } from "./flags/types.ts";

/** A configuration, and the size or budget of its control group; undefined where it has none. */
export type Controlled = Configuration & { readonly control?: Budget };

/**
 * Returns what is measured at one budget, in the order of the table: the methods named, or those of the group.
 *
 * @param budget The budget.
 * @param flags What the command line says.
 * @returns Configurations, and the control group of each; the full cache has none.
 */
export function expandAt(budget: Budget, flags: Flags): Controlled[] {
  const at = ({ name, policy }: PlannedAt) => ({ name, policy, budget, control: budget });
  const of = (method: MethodName): Controlled[] => {
    const record = RECORDS[method];
    if (record.expandAt === undefined) return record.expand(flags);
    // A share is known in entries only when the policy is made: flags are checked against it then.
    const checked = (make: PolicyMaker): PolicyMaker => (entries, shape) => {
      record.effectsAt?.(entries, flags, `--budget ${budget}${budget === entries ? "" : ` (${entries} entries)`}`);
      return make(entries, shape);
    };
    return record.expandAt(budget, flags).map(({ name, policy }) => at({ name, policy: checked(policy) }));
  };
  if (flags.compare_all || flags.compare_new) {
    const { fix_size_l2, streaming_llm, ...rest } = GROUP_NAMES;
    const names = flags.compare_all ? { streaming_llm, ...rest, fix_size_l2 } : rest;
    return Object.entries(names).map(([method, name]) =>
      at({ name: `${name}_${budget}`, policy: RECORDS[method as MethodName].atBudget! })
    );
  }
  if (!flags.compare_papers) return flags.method.flatMap(of);
  return [
    ...of("streaming_llm"),
    at({ name: `random_${budget}`, policy: randomAtBudget }),
    ...PAPER_METHODS.flatMap(of),
  ];
}

/** Methods of `--compare_all`, with the beginning of their names in the table. */
const GROUP_NAMES = {
  streaming_llm: "streaming",
  h2o_l2: "h2o_l2",
  snapkv_lite: "snapkv",
  pyramid_kv: "pyramid",
  adaptive_l2: "adaptive",
  fix_size_l2: "fix_l2",
} satisfies Partial<Record<MethodName, string>>;
