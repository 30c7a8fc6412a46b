import { FLAG_TABLE, flagNames } from "../../cli/flags/table.ts";
import type { FlagName } from "../../cli/flags/types.ts";
import type { FlagSpec } from "../../flags/spec.ts";

/** Flags of `bench` that a plan cannot set, and why. */
const NOT_IN_PLANS: Partial<Record<FlagName, string>> = {
  output: "a sweep has a folder of its own; --output names it",
  resume: "a sweep resumes its runs by itself",
  keep_failed: "--retry_failed of the sweep decides it",
  configuration_timeout: "--cell_timeout of the sweep sets it",
  only: "exclude leaves out combinations",
  no_baseline: "every cell is compared with the full cache of its own run",
  no_chart: "a sweep draws no charts",
  plot_nll: "a sweep draws no charts",
  format: "a sweep writes results.json files",
  json: "a sweep writes results.json files",
  memory: "a sweep writes results.json files",
  help: "it is no setting of a run",
  version: "it is no setting of a run",
};

/** Names of the flags that a plan may set. */
export const planFlagNames: readonly FlagName[] = flagNames.filter((name) => NOT_IN_PLANS[name] === undefined);

/**
 * Returns why a plan cannot set a flag; undefined if it can, or if there is no such flag.
 *
 * @example
 * ```ts
 * import { whyNot } from "./plan_flags.ts";
 *
 * console.log(whyNot("resume"), whyNot("method")); // a sweep resumes its runs by itself undefined
 * ```
 */
export function whyNot(name: string): string | undefined {
  return Object.hasOwn(NOT_IN_PLANS, name) ? NOT_IN_PLANS[name as FlagName] : undefined;
}

/**
 * Returns the specification of a flag that a plan may set; undefined for other names.
 *
 * @example
 * ```ts
 * import { planFlag } from "./plan_flags.ts";
 *
 * console.log(planFlag("method")?.value, planFlag("output")); // LIST undefined
 * ```
 */
export function planFlag(name: string): FlagSpec<unknown> | undefined {
  return planFlagNames.includes(name as FlagName) ? FLAG_TABLE[name as FlagName] : undefined;
}

/**
 * Whether a flag's list says what is measured side by side in one run: methods, budgets, numberings and sizes. Each of
 * its values is a value of an axis, and the runs of a plan join them again. Of other flags a list is one value.
 *
 * @example
 * ```ts
 * import { isJoined } from "./plan_flags.ts";
 *
 * console.log(isJoined("budget"), isJoined("skip_layers")); // true false
 * ```
 */
export function isJoined(name: string): boolean {
  const spec = planFlag(name);
  return spec?.value === "LIST" && (["method", "budget", "positions"].includes(name) || spec.methods !== undefined);
}

/**
 * Whether a flag decides between configurations, not what they share.
 *
 * @example
 * ```ts
 * import { isOfConfigurations } from "./plan_flags.ts";
 *
 * console.log(isOfConfigurations("start_size"), isOfConfigurations("dtype")); // true false
 * ```
 */
export function isOfConfigurations(name: string): boolean {
  return isJoined(name) || planFlag(name)?.methods !== undefined ||
    ["compare_all", "compare_new", "compare_papers", "no_recent_only", "aa"].includes(name);
}

/** Flags that say how a run goes on, not what is measured: a cell's key is without them. */
export const WAYS: readonly string[] = ["offline", "timeout"] satisfies FlagName[];

/** Flags that name what is measured: a cell's key has fingerprints of the files instead. */
export const NAMES: readonly string[] = ["model_id", "revision", "dataset"] satisfies FlagName[];
