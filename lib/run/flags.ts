import { parseArgs } from "@std/cli";
import { InputError } from "../errors.ts";
import { FLAG_TABLE, flagNames } from "./flag_table.ts";
import type { FlagName, Flags, FlagSpec } from "./flag_types.ts";
import { effects } from "./flag_effects.ts";
import { suggest } from "../suggest.ts";

export { DEFAULTS, type DeviceDefaults, resolveDefaults } from "./device_defaults.ts";
export { EMBEDDED_MODEL_ID } from "./flag_table.ts";
export type { Flags } from "./flag_types.ts";
export { helpText } from "./help.ts";

const spec = (name: FlagName): FlagSpec<unknown> => FLAG_TABLE[name];
const isFlag = (name: string): name is FlagName => Object.hasOwn(FLAG_TABLE, name);
const isSwitch = (name: FlagName) => spec(name).read === undefined;
const shorts = new Map(flagNames.flatMap((name) => spec(name).short ? [[`-${spec(name).short}`, name]] : []));

/**
 * Reads the command line of `deno task bench`. Pure: nothing is looked at but `argv`.
 *
 * `--help` and `--version` win over everything else, so that they answer whatever else is on the line.
 *
 * @example
 * ```ts
 * import { parseFlags } from "./flags.ts";
 *
 * const flags = parseFlags(["--method=fix_size_l2", "--fix-kv-sizes", "128,256"]);
 * console.log(flags.method, flags.fix_kv_sizes); // fix_size_l2 [ 128, 256 ]
 * ```
 *
 * @param argv The arguments, as in `Deno.args`.
 * @returns All flags; what was not given has its default, or stays undefined where that depends on the device.
 * @throws {InputError} Naming the flag, what was found and what would do.
 */
export function parseFlags(argv: readonly string[]): Flags {
  const wish = (["help", "version"] as const).find((name) =>
    argv.some((arg) => arg === `--${name}` || shorts.get(arg) === name)
  );
  if (wish !== undefined) return { ...defaultFlags(), [wish]: true };

  const { args, given } = normalize(argv);
  const parsed: Record<string, unknown> = parseArgs(args, {
    string: flagNames.filter((name) => !isSwitch(name)),
    boolean: flagNames.filter(isSwitch),
    unknown: (arg) => {
      throw unknown(arg);
    },
  });
  const flags: Record<string, unknown> = defaultFlags();
  for (const name of given) {
    const { read } = spec(name);
    const value = parsed[name];
    if (read === undefined) flags[name] = value;
    else if (typeof value !== "string" || value === "") throw noValue(name);
    else flags[name] = read(name, value);
  }
  const complete = flags as unknown as Flags;
  return { ...complete, warnings: effects(complete, given) };
}

/** Every flag at its default. */
function defaultFlags(): Flags & Record<string, unknown> {
  const flags = Object.fromEntries(flagNames.map((name) => [name, spec(name).default]));
  return { ...flags, warnings: [] } as unknown as Flags & Record<string, unknown>;
}

/**
 * Brings flags to one form: underscores in names, and `--flag=-1` for a value that begins with a dash, which would
 * otherwise be taken for a flag. Refuses what is given twice.
 */
function normalize(argv: readonly string[]): { args: string[]; given: Set<FlagName> } {
  const args: string[] = [];
  const given = new Set<FlagName>();
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === "--") {
      if (argv[i + 1] !== undefined) throw unknown(argv[i + 1]!);
      break;
    }
    const [, typed, , value] = /^--([^=]+)(=(.*))?$/s.exec(arg) ?? [];
    const name = typed?.replaceAll("-", "_");
    if (name === undefined || !isFlag(name)) {
      args.push(arg);
      continue;
    }
    if (given.has(name)) {
      const lists = spec(name).value === "LIST" ? "; a list is written with commas, A,B" : "";
      throw new InputError(`Cannot read --${name}: it is given twice${lists}`);
    }
    given.add(name);
    if (isSwitch(name)) {
      if (value !== undefined && value !== "true" && value !== "false") {
        throw new InputError(`Cannot read --${name}: found ${JSON.stringify(value)}, it takes no value`);
      }
      args.push(value === undefined ? `--${name}` : `--${name}=${value}`);
      continue;
    }
    if (value === "") throw noValue(name);
    const next = argv[i + 1];
    if (value === undefined && next !== undefined && /^-(?:[\d.]|$)/.test(next)) {
      args.push(`--${name}=${next}`);
      i++;
    } else args.push(value === undefined ? `--${name}` : `--${name}=${value}`);
  }
  return { args, given };
}

function noValue(name: FlagName): InputError {
  const { value, default: fallback } = spec(name);
  const example = fallback === undefined ? value : String(fallback);
  return new InputError(`Cannot read --${name}: it has no value; give one, as in --${name} ${example}`);
}

/** What to say of an argument that is no flag, or of a flag that there is not. */
function unknown(arg: string): InputError {
  const typed = /^-+([^=]*)/.exec(arg)?.[1];
  if (typed === undefined) {
    return new InputError(
      `Cannot read the argument ${JSON.stringify(arg)}: a value follows its flag, as in --method NAME; lists are ` +
        "written with commas and without spaces, as in --recent_sizes 252,508",
    );
  }
  const near = suggest(typed.replaceAll("-", "_"), flagNames);
  const remedy = near === undefined ? "" : `; did you mean --${near}?`;
  return new InputError(`Cannot read ${arg.split("=")[0]}: there is no such flag${remedy || "; --help lists them"}`);
}
