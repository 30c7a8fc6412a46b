/**
 * Readers of flag values. A reader takes the flag's name and its text, and returns the value. It throws an
 * {@linkcode InputError} that says what was found and what would do.
 *
 * @module
 */
import { InputError } from "../util/errors.ts";
import { suggest } from "../util/suggest.ts";

/** Reads a flag's value. */
export type FlagReader<T> = (flag: string, text: string) => T;

/** Larger sizes overflow the 32-bit lengths that models run with. */
const LARGEST = 2 ** 31 - 1;

/** Reads any text. */
export const text: FlagReader<string> = (_flag, text) => text;

/** Reads an integer of at least `min`; `why` is added to the message. */
export function integer(min: number, why?: string): FlagReader<number> {
  return (flag, text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= LARGEST) return value;
    const bound = value > LARGEST ? `at most ${LARGEST}` : `at least ${min}`;
    throw fault(flag, text, `give an integer of ${bound}${why === undefined ? "" : `: ${why}`}`);
  };
}

/** Reads a number over 0 and up to 1. */
export const ratio: FlagReader<number> = (flag, text) => {
  const value = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (value > 0 && value <= 1) return value;
  throw fault(flag, text, "give a number over 0 and up to 1");
};

/** Reads a number from 0 to 1. */
export const share: FlagReader<number> = (flag, text) => {
  const value = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (value <= 1) return value;
  throw fault(flag, text, "give a number from 0 to 1");
};

/** Reads a percentage under 100, such as `3%`, as a share. The sign is needed: 3 could be a share to another reader. */
export const percent: FlagReader<number> = (flag, text) => {
  const value = Number(/^(\d+\.?\d*|\.\d+)\s*%$/.exec(text)?.[1] ?? NaN);
  if (value < 100) return value / 100;
  throw fault(flag, text, "give a percentage from 0% to below 100%, such as 3% or 0.05%");
};

/** Reads an odd integer of at least 1. */
export const odd: FlagReader<number> = (flag, text) => {
  const value = integer(1)(flag, text);
  if (value % 2 === 1) return value;
  throw fault(flag, text, "give an odd integer, for the same number of neighbours on either side");
};

/** Reads a number of at least 1. */
export const factor: FlagReader<number> = (flag, text) => {
  const value = /^\d+\.?\d*$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= LARGEST) return value;
  throw fault(flag, text, "give a number of at least 1");
};

/** Reads one of some names. */
export function choice<const T extends string>(names: readonly T[]): FlagReader<T> {
  return (flag, text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    const near = suggest(text, names);
    throw fault(flag, text, `${near === undefined ? "" : `did you mean ${near}? `}give one of ${names.join(", ")}`);
  };
}

/**
 * Reads one of some names, or another word for one of them, in capitals or not.
 *
 * @param names The names, which messages list.
 * @param words Other words for them.
 */
export function wordFor<const T extends string>(
  names: readonly T[],
  words: Readonly<Record<string, NoInfer<T>>>,
): FlagReader<T> {
  const one = choice(names);
  return (flag, text) => {
    const word = text.trim().toLowerCase();
    return Object.hasOwn(words, word) ? words[word]! : one(flag, names.find((name) => name === word) ?? text);
  };
}

/** Reads a comma-separated list of what `item` reads; no value may occur twice. */
export function listOf<T>(item: FlagReader<T>): FlagReader<readonly T[]> {
  return listOfLists((flag, text) => [item(flag, text)]);
}

/** Reads a comma-separated list whose items may each stand for several values; no value may occur twice. */
export function listOfLists<T>(item: FlagReader<Iterable<T>>): FlagReader<readonly T[]> {
  return (flag, text) => {
    const values = new Set<T>();
    for (const part of text.split(",")) {
      if (part.trim() === "") throw fault(flag, text, "an item is empty; give a list such as A,B,C");
      for (const value of item(flag, part.trim())) {
        if (values.has(value)) throw fault(flag, text, `${value} is given twice; give each once`);
        values.add(value);
      }
    }
    return [...values];
  };
}

/** Reads what `list` reads, or `none` for an empty list. */
export function noneOr<T>(list: FlagReader<readonly T[]>): FlagReader<readonly T[]> {
  return (flag, text) => {
    if (text.trim() === "none") return [];
    if (text.split(",").some((part) => part.trim() === "none")) {
      throw fault(flag, text, "give none alone");
    }
    return list(flag, text);
  };
}

/** Makes the error for a value: what was found, and what would do. */
export function fault(flag: string, found: string, remedy: string): InputError {
  return new InputError(`Cannot read --${flag}: found ${JSON.stringify(found)}, ${remedy}`);
}
