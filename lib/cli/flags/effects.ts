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
    const { methods, isSize }: FlagSpec<unknown> = FLAG_TABLE[name];
    if (group !== undefined && (name === "method" || methods !== undefined && !takes(group, name, methods))) {
      warnings.push(`--${name} has no effect with --${group}, which sets its own methods and sizes`);
    } else if (group === undefined && methods !== undefined && !flags.method.some((one) => methods.includes(one))) {
      warnings.push(`--${name} has no effect on ${flags.method.join(", ")}; it belongs to ${methods.join(", ")}`);
    } else if (isSize && flags.budget !== undefined) {
      throw new InputError(`Cannot use --budget and --${name} together: each says how many entries are kept`);
    }
  }
  if (flags.aa && flags.no_baseline) {
    throw new InputError("Cannot use --aa and --no_baseline together: the first measures the full cache twice");
  }
  // Two methods may say the same of a flag that they share.
  return [...warnings, ...new Set(methodEffects(flags, group))];
}

/** Checks the flags of the methods that run against each other. */
function methodEffects(flags: Flags, group: ReturnType<typeof groupOf>): string[] {
  const methods = group === undefined
    ? flags.method
    : group === "compare_papers"
    ? ["streaming_llm", ...PAPER_METHODS] as const
    : [];
  const at = (size: number, asked: string) =>
    methods.flatMap((method) => RECORDS[method].effectsAt?.(size, flags, asked) ?? []);
  if (flags.budget !== undefined) {
    const alone = methods.filter((method) => RECORDS[method].expandAt === undefined);
    return [
      ...alone.flatMap((method) => RECORDS[method].effects?.(flags) ?? []),
      // What a share is in entries is not known yet.
      ...flags.budget.flatMap((budget) => typeof budget === "number" ? at(budget, `--budget ${budget}`) : []),
    ];
  }
  if (group !== undefined) return flags.cache_sizes.flatMap((size) => at(size, `--cache_sizes ${size}`));
  return methods.flatMap((method) => RECORDS[method].effects?.(flags) ?? []);
}

/** Whether a flag of some methods affects a group. Only `compare_papers` takes such flags. */
function takes(group: string, name: FlagName, methods: readonly MethodName[]): boolean {
  if (group !== "compare_papers") return false;
  return name === "start_size" || methods.some((method) => PAPER_METHODS.some((paper) => paper === method));
}
