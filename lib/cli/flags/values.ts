/**
 * How the value of a flag is read: each function here makes a reader, which takes the flag's name and the text given and
 * returns the value, or throws an {@linkcode InputError} that says what was found and what would do.
 *
 * @module
 */
import { InputError } from "../../util/errors.ts";
import { suggest } from "../../util/suggest.ts";

/** Reads a flag's value. */
export type FlagReader<T> = (flag: string, text: string) => T;

/** Beyond this, sizes overflow the 32-bit lengths that models are run with. */
const LARGEST = 2 ** 31 - 1;

/** Any text. */
export const text: FlagReader<string> = (_flag, text) => text;

/** An integer of at least `min`; `why` is added to the message. */
export function integer(min: number, why?: string): FlagReader<number> {
  return (flag, text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= LARGEST) return value;
    const bound = value > LARGEST ? `at most ${LARGEST}` : `at least ${min}`;
    throw fault(flag, text, `give an integer of ${bound}${why === undefined ? "" : `: ${why}`}`);
  };
}

/** A number over 0 and up to 1. */
export const ratio: FlagReader<number> = (flag, text) => {
  const value = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (value > 0 && value <= 1) return value;
  throw fault(flag, text, "give a number over 0 and up to 1");
};

/** A number from 0 to 1. */
export const share: FlagReader<number> = (flag, text) => {
  const value = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (value <= 1) return value;
  throw fault(flag, text, "give a number from 0 to 1");
};

/** An odd integer of at least 1. */
export const odd: FlagReader<number> = (flag, text) => {
  const value = integer(1)(flag, text);
  if (value % 2 === 1) return value;
  throw fault(flag, text, "give an odd integer: as many neighbours on either side");
};

/** A number of at least 1. */
export const factor: FlagReader<number> = (flag, text) => {
  const value = /^\d+\.?\d*$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= LARGEST) return value;
  throw fault(flag, text, "give a number of at least 1");
};

/** One of some names. */
export function choice<const T extends string>(names: readonly T[]): FlagReader<T> {
  return (flag, text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    const near = suggest(text, names);
    throw fault(flag, text, `${near === undefined ? "" : `did you mean ${near}? `}give one of ${names.join(", ")}`);
  };
}

/** Several of what `item` reads, with commas between, none twice. */
export function listOf<T>(item: FlagReader<T>): FlagReader<readonly T[]> {
  return (flag, text) => {
    const values: T[] = [];
    for (const part of text.split(",")) {
      if (part.trim() === "") throw fault(flag, text, "an item is empty; give a list such as A,B,C");
      const value = item(flag, part.trim());
      if (values.includes(value)) throw fault(flag, text, `${value} stands there twice; give each once`);
      values.push(value);
    }
    return values;
  };
}

/** What `list` reads, or `none` for an empty list. */
export function noneOr<T>(list: FlagReader<readonly T[]>): FlagReader<readonly T[]> {
  return (flag, text) => {
    if (text.trim() === "none") return [];
    if (text.split(",").some((part) => part.trim() === "none")) {
      throw fault(flag, text, "none stands alone");
    }
    return list(flag, text);
  };
}

function fault(flag: string, found: string, remedy: string): InputError {
  return new InputError(`Cannot read --${flag}: found ${JSON.stringify(found)}, ${remedy}`);
}
