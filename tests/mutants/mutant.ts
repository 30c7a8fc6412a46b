/** A fault planted in the source: a piece of text replaced by another, and the tests that must notice. */

/** Tests: a file, and a part of the names of those in it that are run. */
export type Tests = readonly [file: string, filter?: string];

/** A fault. */
export interface Mutant {
  /** What is wrong, in a few words; no other mutant has them. */
  readonly name: string;
  readonly file: string;
  /** Text that the file has exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Tests of which at least one must fail. */
  readonly tests: readonly Tests[];
}

/** A fault in a kernel, which no test without a GPU sees: a part of a name for `deno task parity cuda kernels`. */
export interface CudaMutant extends Omit<Mutant, "tests"> {
  readonly parity: string;
}

/**
 * Returns a file's text with the fault in it.
 *
 * @throws {Error} If the text to be replaced is not there exactly once: the mutant must be written anew.
 */
export function planted({ name, file, find, replace }: Omit<Mutant, "tests">, text: string): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`Cannot plant "${name}": ${file} has its text ${times} times, not once`);
  if (find === replace) throw new Error(`Cannot plant "${name}": it changes nothing`);
  return text.replace(find, () => replace);
}

/** Makes a list of mutants of a file. */
export const of = (file: string, ...tests: readonly Tests[]) =>
(
  ...faults: readonly (readonly [name: string, find: string, replace: string, ...tests: readonly Tests[]])[]
): Mutant[] =>
  faults.map(([name, find, replace, ...own]) => ({ name, file, find, replace, tests: own.length > 0 ? own : tests }));
