import { InputError } from "../../util/errors.ts";
import type { MethodName } from "../../policies/registry.ts";
import { FLAG_TABLE } from "./table.ts";
import type { FlagName, Flags, FlagSpec } from "./types.ts";

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
  if (group === "compare_papers") return [...warnings, ...paperEffects(flags, ["streaming_llm", ...PAPER_METHODS])];
  return group === undefined ? [...warnings, ...methodEffects(flags)] : warnings;
}

/** Whether a flag of some methods affects a group. Only `compare_papers` takes such flags. */
function takes(group: string, name: FlagName, methods: readonly MethodName[]): boolean {
  if (group !== "compare_papers") return false;
  return name === "start_size" || methods.some((method) => PAPER_METHODS.some((paper) => paper === method));
}

/** Checks one method's own flags against each other. */
function methodEffects(flags: Flags): string[] {
  switch (flags.method) {
    case "baseline":
      if (flags.no_baseline) {
        throw new InputError("Cannot use --no_baseline with --method baseline: nothing would be left to run");
      }
      return [];
    case "adaptive_l2":
      if (flags.soft_limit > flags.hard_limit) {
        throw new InputError(
          `Cannot use --soft_limit ${flags.soft_limit}: it is over --hard_limit ${flags.hard_limit}; ` +
            "give a smaller --soft_limit or a larger --hard_limit",
        );
      }
      return [];
    case "pyramid_kv":
      return flags.base_sizes.filter((base) => base < flags.min_size).map((base) =>
        `--base_sizes ${base} is under --min_size ${flags.min_size}: every layer keeps ${flags.min_size}`
      );
    case "snapkv_lite":
      return flags.snapkv_keep_sizes.flatMap((keep) =>
        flags.observation_windows.filter((window) => window >= keep).map((window) =>
          `--observation_windows ${window} leaves nothing of --snapkv_keep_sizes ${keep} to choose: the last ${window} are kept`
        )
      );
    case "h2o":
    case "snapkv":
    case "pyramid_snapkv":
    case "keydiff":
      return paperEffects(flags, [flags.method]);
    default:
      return [];
  }
}

/** Checks what `--cache_sizes` leaves to each method after the entries that its own flags reserve. */
function paperEffects(flags: Flags, methods: readonly MethodName[]): string[] {
  const { cache_sizes, start_size, heavy_ratio, sink_size, query_window, keydiff_recent_ratio } = flags;
  return cache_sizes.flatMap((size) => {
    const has = (...names: MethodName[]) => names.some((name) => methods.includes(name));
    if (has("streaming_llm") && start_size >= size) {
      throw new InputError(
        `Cannot use --start_size ${start_size} with --cache_sizes ${size}: nothing is left for the last entries`,
      );
    }
    if (has("h2o") && Math.trunc(size * heavy_ratio) + sink_size > size) {
      throw new InputError(
        `Cannot use --sink_size ${sink_size} with --cache_sizes ${size} and --heavy_ratio ${heavy_ratio}: ` +
          `they leave room for ${size - Math.trunc(size * heavy_ratio)} at most`,
      );
    }
    const nothing = (flag: FlagName, is: boolean) =>
      is
        ? [`--${flag} ${flags[flag]} leaves nothing of --cache_sizes ${size} to choose: the last ${size} are kept`]
        : [];
    return [
      ...nothing("query_window", has("snapkv", "pyramid_snapkv") && query_window >= size),
      ...nothing("keydiff_recent_ratio", has("keydiff") && keydiff_recent_ratio === 1),
    ];
  });
}
