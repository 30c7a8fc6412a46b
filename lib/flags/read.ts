import { parseArgs } from "@std/cli";
import { InputError } from "../util/errors.ts";
import type { FlagSpec } from "./spec.ts";
import { suggest } from "../util/suggest.ts";

/** A script's flags, in the order of the help: name, with underscores → its reader and its help. */
export type FlagTable<F extends object> = { readonly [K in keyof F & string]: FlagSpec<F[K]> };

/** The result of reading a command line. */
export interface FlagsRead<F extends object> {
  /** All flags. A flag that was not given has its default. */
  readonly flags: F;
  /** Names of the flags that were given. */
  readonly given: ReadonlySet<keyof F & string>;
  /** Text given for each of them; "true" or "false" for a switch. */
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * Reads a command line by a table of flags. Pure: depends on its arguments alone.
 *
 * `--help` and `--version`, where the table has them, win over everything else, so they work even if other arguments
 * are wrong.
 *
 * @example
 * ```ts
 * import { integer, listOf } from "./values.ts";
 * import { readFlags } from "./read.ts";
 *
 * const table = {
 *   sizes: { group: "", help: "sizes", value: "LIST", read: listOf(integer(1)), default: [1] },
 *   json: { group: "", help: "print JSON", default: false },
 * };
 * const { flags } = readFlags<{ sizes: readonly number[]; json: boolean }>(["--sizes=2,3"], table, "--sizes 2,3");
 * console.log(flags.sizes, flags.json); // [ 2, 3 ] false
 * ```
 *
 * @param argv The arguments, as in `Deno.args`.
 * @param table All flags of the script.
 * @param example A sample value, for the message about a value without its flag.
 * @returns The flags, and which of them were given.
 * @throws {InputError} Naming the flag, what was found and what would do.
 */
export function readFlags<F extends object>(
  argv: readonly string[],
  table: FlagTable<F>,
  example: string,
): FlagsRead<F> {
  type Name = keyof F & string;
  const names = Object.keys(table) as Name[];
  const spec = (name: Name): FlagSpec<unknown> => table[name];
  const isFlag = (name: string): name is Name => Object.hasOwn(table, name);
  const isSwitch = (name: Name) => spec(name).read === undefined;
  const shorts = new Map<string, Name>(
    names.flatMap((name) => spec(name).short ? [[`-${spec(name).short}`, name] as const] : []),
  );
  const flags: Record<string, unknown> = Object.fromEntries(names.map((name) => [name, spec(name).default]));

  const wish = ["help", "version"].find((name) =>
    isFlag(name) && argv.some((arg) => arg === `--${name}` || shorts.get(arg) === name)
  );
  if (wish !== undefined) return { flags: { ...flags, [wish]: true } as F, given: new Set(), texts: {} };

  const { args, given } = normalize();
  const parsed: Record<string, unknown> = parseArgs(args, {
    string: names.filter((name) => !isSwitch(name)),
    boolean: names.filter(isSwitch),
    unknown: (arg) => {
      throw unknown(arg);
    },
  });
  const texts: Record<string, string> = {};
  for (const name of given) {
    const { read } = spec(name);
    const value = parsed[name];
    texts[name] = String(value);
    if (read === undefined) flags[name] = value;
    else if (typeof value !== "string" || value === "") throw noValue(name);
    else flags[name] = read(name, value);
  }
  return { flags: flags as F, given, texts };

  /**
   * Brings flags to one form: full names, underscores in them, and `--flag=-1` for a value that begins with a dash, which would
   * otherwise be taken for a flag. Rejects a flag given twice.
   */
  function normalize(): { args: string[]; given: Set<Name> } {
    const args: string[] = [];
    const given = new Set<Name>();
    for (let i = 0; i < argv.length; i++) {
      const arg = argv[i]!;
      if (arg === "--") {
        if (argv[i + 1] !== undefined) throw unknown(argv[i + 1]!);
        break;
      }
      const [, dashes, typed, , value] = /^(--?)([^=]+)(=(.*))?$/s.exec(arg) ?? [];
      const name = dashes === "-" ? shorts.get(`-${typed}`) : typed?.replaceAll("-", "_");
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

  function noValue(name: Name): InputError {
    const { value, default: fallback } = spec(name);
    const example = fallback === undefined ? value : String(fallback);
    return new InputError(`Cannot read --${name}: it has no value; give one, as in --${name} ${example}`);
  }

  /** Returns the error for an argument that is not a flag, or for an unknown flag. */
  function unknown(arg: string): InputError {
    const typed = /^-+([^=]*)/.exec(arg)?.[1];
    if (typed === undefined) {
      return new InputError(
        `Cannot read the argument ${JSON.stringify(arg)}: a value follows its flag, lists are ` +
          `written with commas and without spaces, as in ${example}`,
      );
    }
    const near = suggest(typed.replaceAll("-", "_"), names);
    const remedy = near === undefined ? "" : `; did you mean --${near}?`;
    return new InputError(`Cannot read ${arg.split("=")[0]}: there is no such flag${remedy || "; --help lists them"}`);
  }
}
