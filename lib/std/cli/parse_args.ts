/** The value returned from {@linkcode parseArgs}. */
export type Args<
  TArgs extends Record<string, unknown> = Record<string, unknown>,
> = TArgs & {
  /** Arguments that belong to no flag. */
  _: Array<string | number>;
  /** Arguments after `--`, if the option `"--"` is set. */
  "--"?: string[];
};

/** Type of each flag's value, from the options. */
type Values<
  TBooleans extends string,
  TStrings extends string,
  TCollectable extends string,
> =
  & Record<string, unknown>
  & { [K in Exclude<TBooleans, TCollectable>]: boolean }
  & { [K in Exclude<TStrings, TCollectable>]?: string }
  & { [K in TCollectable]: K extends TBooleans ? boolean[] : string[] };

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions<
  TBooleans extends string,
  TStrings extends string,
  TCollectable extends string,
> {
  /** Put arguments after `--` into `["--"]` instead of `_`. */
  "--"?: boolean;
  /** Other names of a flag; every name is in the result. */
  alias?: Record<string, string | readonly string[]>;
  /** Flags without a value; false where absent. */
  boolean?: TBooleans | readonly TBooleans[];
  /** Flags whose value stays a string; others that look like numbers become numbers. */
  string?: TStrings | readonly TStrings[];
  /** Flags that may be given several times; their value is a list. */
  collect?: TCollectable | readonly TCollectable[];
  /** Values of flags that are absent. */
  default?: Record<string, unknown>;
  /** Called for arguments that no option names; return false to drop one. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

const list = (value: string | readonly string[] | undefined): string[] =>
  (typeof value === "string" ? [value] : [...value ?? []]).filter((name) => name !== "");
const NUMBER = /^(?:0x[0-9a-f]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i;

/**
 * Parses command line arguments: `--flag`, `--flag value`, `--flag=value`, `-f`, `-fg`, `-f value`, and other
 * arguments.
 *
 * @example
 * ```ts
 * import { parseArgs } from "./parse_args.ts";
 *
 * const args = parseArgs(["--out=a.json", "--quiet", "in.txt"], { string: ["out"], boolean: ["quiet"] });
 * console.log(args.out, args.quiet, args._); // a.json true [ "in.txt" ]
 * ```
 *
 * @param args The arguments, as in `Deno.args`.
 * @param options The flags.
 * @returns Values by flag, and the rest under `_`.
 */
export function parseArgs<
  TBooleans extends string = never,
  TStrings extends string = never,
  TCollectable extends string = never,
>(
  args: string[],
  options: ParseOptions<TBooleans, TStrings, TCollectable> = {},
): Args<Values<TBooleans, TStrings, TCollectable>> {
  const namesOf = new Map<string, string[]>();
  for (const [name, others] of Object.entries(options.alias ?? {})) {
    const all = [name, ...list(others)];
    for (const each of all) namesOf.set(each, all);
  }
  const names = (key: string) => namesOf.get(key) ?? [key];
  const booleans = new Set(list(options.boolean).flatMap(names));
  const strings = new Set(list(options.string).flatMap(names));
  const collect = new Set(list(options.collect).flatMap(names));
  const known = new Set([
    ...booleans,
    ...strings,
    ...collect,
    ...namesOf.keys(),
  ]);

  const result: Record<string, unknown> & {
    _: Array<string | number>;
    "--"?: string[];
  } = { _: [] };
  const set = (key: string, value: unknown, arg: string) => {
    if (!known.has(key) && options.unknown?.(arg, key, value) === false) return;
    if (booleans.has(key) && typeof value === "string") {
      value = value !== "false";
    }
    if (!strings.has(key) && typeof value === "string" && NUMBER.test(value)) {
      value = Number(value);
    }
    for (const name of names(key)) {
      const before = result[name];
      result[name] = collect.has(key) ? [...Array.isArray(before) ? before : [], value] : value;
    }
  };

  const end = args.indexOf("--");
  const flags = end === -1 ? args : args.slice(0, end);
  const rest = end === -1 ? [] : args.slice(end + 1);
  for (let i = 0; i < flags.length; i++) {
    const arg = flags[i]!;
    const next = flags[i + 1];
    /**
     * Returns the value of a flag without "=": the next argument, unless that is a flag too, or this flag takes none.
     */
    const follow = (key: string, pattern: RegExp): unknown => {
      const takes = next !== undefined && next !== "" &&
        (booleans.has(key) ? next === "true" || next === "false" : !pattern.test(next));
      if (takes) i++;
      return takes ? next : strings.has(key) ? "" : true;
    };
    const long = /^--(.+?)(?:=(.*))?$/s.exec(arg);
    const short = /^-([^-].*)$/s.exec(arg);
    if (long) {
      const key = long[1]!;
      set(key, long[2] ?? follow(key, /^-/), arg);
    } else if (short) {
      setShort(
        short[1]!,
        arg,
        strings,
        set,
        (key) => follow(key, /^(?:-|--)[^-]/),
      );
    } else if (options.unknown?.(arg) !== false) {
      result._.push(strings.has("_") || !NUMBER.test(arg) ? arg : Number(arg));
    }
  }

  for (const [key, value] of Object.entries(options.default ?? {})) {
    for (const name of names(key)) if (!(name in result)) result[name] = value;
  }
  for (const key of booleans) {
    if (!(key in result)) result[key] = collect.has(key) ? [] : false;
  }
  for (const key of strings) {
    if (collect.has(key) && !(key in result)) result[key] = [];
  }
  if (options["--"]) result["--"] = rest;
  else result._.push(...rest);
  return result as Args<Values<TBooleans, TStrings, TCollectable>>;
}

/** `-abc` is three flags; `-n5` and `-n=5` are one with a value; the last letter takes the next argument. */
function setShort(
  letters: string,
  arg: string,
  strings: ReadonlySet<string>,
  set: (key: string, value: unknown, arg: string) => void,
  follow: (key: string) => unknown,
): void {
  for (let at = 0; at < letters.length; at++) {
    const key = letters[at]!;
    const rest = letters.slice(at + 1);
    if (rest.startsWith("=")) return set(key, rest.slice(1), arg);
    if (rest === "") return set(key, follow(key), arg);
    if (/^[A-Za-z]$/.test(key) && /^-?\d+(?:\.\d*)?(?:e-?\d+)?$/.test(rest)) {
      return set(key, rest, arg);
    }
    if (/\W/.test(rest[0]!)) return set(key, rest, arg);
    set(key, strings.has(key) ? "" : true, arg);
  }
}
