import { InputError } from "../../util/errors.ts";
import { RECORDS } from "../../methods/records.ts";
import type { MethodName } from "../../policies/registry.ts";
import { FLAG_TABLE } from "./table.ts";
import type { FlagName, Flags } from "./types.ts";
import type { FlagSpec } from "../../flags/spec.ts";

/** Switches that run a group of methods. */
export const GROUPS = ["compare_all", "compare_new", "compare_papers"] as const;

/** Methods as their papers define them. `--cache_sizes` belongs to these. */
export const PAPER_METHODS = ["h2o", "tova", "snapkv", "pyramid_snapkv", "keydiff"] as const satisfies MethodName[];

/** Returns the group that was requested, or undefined. */
export function groupOf(flags: Flags): typeof GROUPS[number] | undefined {
  return GROUPS.find((group) => flags[group]);
}

/**
 * Checks flags together: rejects combinations that make no sense, and reports flags that have no effect.
 *
 * @param flags All flags.
 * @param given Names of the flags on the command line.
 * @returns Warnings, one line each.
 * @throws {InputError} Naming the flags that do not go together.
 */
export function effects(flags: Flags, given: ReadonlySet<FlagName>): string[] {
  const [group, another] = GROUPS.filter((group) => flags[group]);
  if (another !== undefined) {
    const why = another === "compare_new" ? "the first includes the second" : "each is a separate run";
    throw new InputError(`Cannot use --${group} and --${another} together: ${why}`);
  }
  const warnings: string[] = [];
  for (const name of given) {
    const { methods }: FlagSpec<unknown> = FLAG_TABLE[name];
    if (group !== undefined && (name === "method" || methods !== undefined && !takes(group, name, methods))) {
      warnings.push(`--${name} has no effect with --${group}, which sets its own methods and sizes`);
    } else if (group === undefined && methods !== undefined && !methods.includes(flags.method)) {
      warnings.push(`--${name} has no effect on ${flags.method}; it belongs to ${methods.join(", ")}`);
    }
  }
  if (group === "compare_papers") {
    const methods = ["streaming_llm", ...PAPER_METHODS] as const;
    const found = flags.cache_sizes.flatMap((size) =>
      methods.flatMap((method) => RECORDS[method].effectsAt?.(size, flags) ?? [])
    );
    return [...warnings, ...new Set(found)]; // two methods may say the same of a flag that they share
  }
  return group === undefined ? [...warnings, ...RECORDS[flags.method].effects?.(flags) ?? []] : warnings;
}

/** Whether a flag of some methods affects a group. Only `compare_papers` takes such flags. */
function takes(group: string, name: FlagName, methods: readonly MethodName[]): boolean {
  if (group !== "compare_papers") return false;
  return name === "start_size" || methods.some((method) => PAPER_METHODS.some((paper) => paper === method));
}
