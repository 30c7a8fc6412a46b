import { InputError } from "../errors.ts";
import { FLAG_TABLE, type FlagName, type Flags, type FlagSpec } from "./flag_table.ts";

/**
 * Looks at flags together: refuses combinations that make no sense, and says which flags have no effect.
 *
 * @param flags All flags.
 * @param given Names of those that were on the command line.
 * @returns Warnings, one line each.
 * @throws {InputError} Naming the flags that do not go together.
 */
export function effects(flags: Flags, given: ReadonlySet<FlagName>): string[] {
  if (flags.compare_all && flags.compare_new) {
    throw new InputError("Cannot use --compare_all and --compare_new together: the first includes the second");
  }
  const group = flags.compare_all ? "compare_all" : flags.compare_new ? "compare_new" : undefined;
  const warnings: string[] = [];
  for (const name of given) {
    const { methods }: FlagSpec<unknown> = FLAG_TABLE[name];
    if (group !== undefined && (methods !== undefined || name === "method")) {
      warnings.push(`--${name} has no effect with --${group}, which has methods and sizes of its own`);
    } else if (methods !== undefined && !methods.includes(flags.method)) {
      warnings.push(`--${name} has no effect on ${flags.method}; it belongs to ${methods.join(", ")}`);
    }
  }
  return group === undefined ? [...warnings, ...methodEffects(flags)] : warnings;
}

/** What one method's own flags do to each other. */
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
    default:
      return [];
  }
}
