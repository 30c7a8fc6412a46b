import { InputError } from "../../util/errors.ts";

/** Throws an {@linkcode InputError} that names the file. */
export type Fail = (what: string, cause?: unknown) => never;

/** Returns what reports that a file cannot be read. */
export function failOf(file: string): Fail {
  return (what, cause) => {
    throw new InputError(`Cannot read ${file}: ${what}`, { cause });
  };
}
