import { effects } from "./effects.ts";
import { FLAG_TABLE } from "./table.ts";
import type { Flags } from "./types.ts";
import { readFlags } from "../../flags/read.ts";
import { InputError } from "../../util/errors.ts";

export { DEFAULTS, type DeviceDefaults, resolveDefaults } from "../../run/plan/device_defaults.ts";
export { EMBEDDED_MODEL_ID } from "../../run/plan/find_model.ts";
export type { Flags } from "./types.ts";
export { helpText } from "./help.ts";

/**
 * Reads the command line of `deno task bench`. Pure: depends on `argv` alone.
 *
 * `--help` and `--version` win over everything else, so they work even if other arguments are wrong.
 *
 * @example
 * ```ts
 * import { parseFlags } from "./parse.ts";
 *
 * const flags = parseFlags(["--method=fix_size_l2", "--fix-kv-sizes", "128,256"]);
 * console.log(flags.method, flags.fix_kv_sizes); // [ "fix_size_l2" ] [ 128, 256 ]
 * ```
 *
 * @param argv The arguments, as in `Deno.args`.
 * @returns All flags. A flag that was not given has its default, or is undefined where the default depends on the
 * device.
 * @throws {InputError} Naming the flag, what was found and what would do.
 */
export function parseFlags(argv: readonly string[]): Flags {
  return parseCommandLine(argv).flags;
}

/** As {@linkcode parseFlags}, and also returns the text of each flag that was given. */
export function parseCommandLine(argv: readonly string[]): { flags: Flags; texts: Readonly<Record<string, string>> } {
  const { flags, given, texts } = readFlags<Omit<Flags, "warnings">>(argv, FLAG_TABLE, "--recent_sizes 252,508");
  const complete: Flags = { ...flags, ...formatOf(flags), warnings: [] };
  const warnings = flags.help || flags.version ? [] : effects(complete, given);
  return { flags: { ...complete, warnings }, texts };
}

/** `--json` is short for `--format json`: both flags then say so. */
function formatOf({ format, json }: Pick<Flags, "format" | "json">): Pick<Flags, "format" | "json"> {
  if (json && format !== undefined && format !== "json") {
    throw new InputError(`Cannot use --json and --format ${format} together: the first asks for --format json`);
  }
  return { format: json ? "json" : format, json: json || format === "json" };
}
