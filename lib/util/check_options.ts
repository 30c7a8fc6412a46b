/**
 * Checks of options objects at run time. `deno run` does not type-check a script, and an unknown option would silently
 * leave a default in force.
 *
 * @module
 */
import { InputError } from "./errors.ts";
import { suggest } from "./suggest.ts";

/** Valid values of an option. */
export interface Kind {
  /** Worded to fit "found X, ... is needed". */
  readonly needed: string;
  /** Whether a value is valid. */
  // deno-lint-ignore no-explicit-any -- a check reads the value as the type it should be
  readonly fits: (value: any) => boolean;
  /** Whether the option is required. */
  readonly required?: boolean;
}

/**
 * Every option of a type, by name. Write `{ … } satisfies KnownOptions<X>`, so that an option added only to the type is
 * a type error.
 */
export type KnownOptions<X> = Record<keyof X, Kind>;

/**
 * Throws for unknown options, and for values of another type.
 *
 * @example
 * ```ts
 * import { checkOptions, integer } from "./check_options.ts";
 *
 * try {
 *   checkOptions("tova", { cache_sizes: 64 }, { cache_size: integer(1) });
 * } catch (error) {
 *   console.log((error as Error).message);
 * }
 * // Cannot use option "cache_sizes" of tova: there is no such option; did you mean cache_size?
 * ```
 *
 * @param of Name of the function or method.
 * @param given The options object.
 * @param known All valid options.
 * @throws {InputError} Naming the option, and what would do.
 */
export function checkOptions(of: string, given: unknown, known: Readonly<Record<string, Kind>>): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InputError(`Cannot use the options of ${of}: found ${show(given)}, an object is needed`);
  }
  const names = Object.keys(known);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) throw unknownOption(of, name, names);
    if (value !== undefined) checkValue(`option "${name}" of ${of}`, value, known[name]!);
  }
  for (const name of names) {
    if (known[name]!.required && (given as Record<string, unknown>)[name] === undefined) {
      throw new InputError(`Cannot use the options of ${of}: ${name} is missing, ${known[name]!.needed} is needed`);
    }
  }
}

/**
 * Throws for a value of another type.
 *
 * @param what Name of the value, worded to follow "Cannot use ".
 * @param value The value.
 * @param kind Its valid values.
 * @throws {InputError} Saying what was found and what would do.
 */
export function checkValue(what: string, value: unknown, { needed, fits }: Kind): void {
  if (!fits(value)) throw new InputError(`Cannot use ${what}: found ${show(value)}, ${needed} is needed`);
}

function unknownOption(of: string, name: string, names: readonly string[]): InputError {
  const near = suggest(name, names);
  const remedy = near !== undefined
    ? `did you mean ${near}?`
    : names.length === 0
    ? "it takes none"
    : `the options are ${names.join(", ")}`;
  return new InputError(`Cannot use option ${JSON.stringify(name)} of ${of}: there is no such option; ${remedy}`);
}

/** Shows a value in a message, shortened to fit a line. */
function show(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "number" || typeof value === "bigint" || value === undefined) return String(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // It refers to itself.
  }
  text ??= String(value);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

/** A text. */
export const text: Kind = { needed: "a text", fits: (value) => typeof value === "string" };
/** true or false. */
export const flag: Kind = { needed: "true or false", fits: (value) => typeof value === "boolean" };
/** A function. */
export const callback: Kind = { needed: "a function", fits: (value) => typeof value === "function" };
/** A number of any range; its user checks the range. */
export const number: Kind = { needed: "a number", fits: (value) => typeof value === "number" };
/** An object. */
export const object: Kind = {
  needed: "an object",
  fits: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};
/** An AbortSignal. */
export const signal: Kind = { needed: "an AbortSignal", fits: (value) => value instanceof AbortSignal };

/** An integer of at least `least`. */
export function integer(least: number): Kind {
  return {
    needed: `an integer of at least ${least}`,
    fits: (value) => Number.isSafeInteger(value) && (value as number) >= least,
  };
}

/** One of a few texts. */
export function oneOf(...words: string[]): Kind {
  return {
    needed: words.map((word) => JSON.stringify(word)).join(" or "),
    fits: (value) => words.some((word) => word === value),
  };
}

/** A list. */
export function listOf(items: string, fits: (item: unknown) => boolean): Kind {
  return { needed: `a list of ${items}`, fits: (value) => Array.isArray(value) && value.every(fits) };
}

/** Either of two. */
export function either(a: Kind, b: Kind): Kind {
  return { needed: `${a.needed} or ${b.needed}`, fits: (value) => a.fits(value) || b.fits(value) };
}

/** null, or what `kind` takes. */
export function orNull(kind: Kind): Kind {
  return either(kind, { needed: "null", fits: (value) => value === null });
}

/** The same kind, as a required option. */
export function required(kind: Kind): Kind {
  return { ...kind, required: true };
}
