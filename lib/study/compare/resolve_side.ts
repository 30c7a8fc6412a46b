import type { DatabaseSync } from "node:sqlite";
import { InputError } from "../../util/errors.ts";
import { findResults, type FoundResults, type SkippedFile } from "../find_results.ts";
import { filesOfCommit, filesOfNight, lastFiles } from "../history/find_runs.ts";
import { openHistory } from "../history/open_history.ts";

/** What a comparison's sides may be, for messages. */
const KINDS = "give a results.json, a folder, a commit, a night such as 2026-11-24, or last";
const LAST = "last";

/** How sides are found. */
export interface SideOptions {
  /** The history's file, for commits, nights and `last`. */
  readonly history: string;
  /** Makes a path absolute. */
  readonly toPath: (word: string) => string;
  /** Takes files that are damaged or another program's. */
  readonly onSkipped: (skipped: SkippedFile) => void;
}

/**
 * Finds the results that the words of a command line mean. A word that is a file or folder is that; others are looked up
 * in the history. `last` is the last measurement of each cell, without the files of the other side.
 *
 * @example
 * ```ts
 * import { resolveSides } from "./resolve_side.ts";
 *
 * const options = { history: "results/history.sqlite", toPath: (word: string) => word, onSkipped: console.error };
 * const sides = () => resolveSides("last", "results/tonight", options);
 * ```
 *
 * @param a One side.
 * @param b The other.
 * @param options See {@linkcode SideOptions}.
 * @returns The results of both.
 * @throws {InputError} If a side means nothing, or has no results.
 */
export async function resolveSides(
  a: string,
  b: string,
  options: SideOptions,
): Promise<{ a: FoundResults[]; b: FoundResults[] }> {
  const isLast = (word: string) => word === LAST && !isThere(options.toPath(word));
  if (isLast(a) && isLast(b)) throw new InputError("Cannot compare last with last: name what it is compared with");
  using history = new LazyHistory(options.history);
  const read = async (word: string, paths: readonly string[]) => {
    const found = await findResults(paths, options.onSkipped);
    if (found.length > 0) return found;
    throw new InputError(`Cannot compare ${word}: there is no results.json that can be read; ${KINDS}`);
  };
  // `last` depends on the other side, which comes first.
  const first = isLast(a) ? undefined : await read(a, pathsOf(a, history, options));
  const second = isLast(b) ? undefined : await read(b, pathsOf(b, history, options));
  const last = async (other: readonly FoundResults[]) => {
    const others = await Promise.all(other.map(({ file }) => Deno.realPath(file)));
    return await read(
      LAST,
      existing(lastFiles(history.open(), [...others, ...other.map(({ file }) => file)]), history),
    );
  };
  return { a: first ?? await last(second!), b: second ?? await last(first!) };
}

function pathsOf(word: string, history: LazyHistory, { toPath }: SideOptions): string[] {
  const path = toPath(word);
  if (isThere(path)) return [path];
  if (word.includes("/") || word.endsWith(".json")) {
    throw new InputError(`Cannot compare ${word}: there is no such file or folder; ${KINDS}`);
  }
  const isNight = /^\d{4}-\d\d-\d\d$/.test(word);
  const files = isNight ? filesOfNight(history.open(), word) : filesOfCommit(history.open(), word);
  if (files.length > 0) return existing(files, history);
  const what = isNight ? "no run of that night is" : "it is no file or folder, and no run of such a commit is";
  throw new InputError(`Cannot compare ${word}: ${what} in ${history.path}; ${KINDS}`);
}

/** The history may be older than the files. */
function existing(files: readonly string[], { path }: LazyHistory): string[] {
  const gone = files.find((file) => !isThere(file));
  if (gone === undefined) return [...files];
  throw new InputError(
    `Cannot read ${gone}: ${path} knows it, and it is gone; deno task history rebuild brings the history up to date`,
  );
}

/** Opened when it is first needed: two folders are compared without a history. */
class LazyHistory implements Disposable {
  #open: DatabaseSync | undefined;

  constructor(readonly path: string) {}

  open(): DatabaseSync {
    return this.#open ??= openHistory(this.path, "read");
  }

  [Symbol.dispose](): void {
    this.#open?.close();
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
