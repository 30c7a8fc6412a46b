import type { DatabaseSync } from "node:sqlite";
import { InputError } from "../../util/errors.ts";

/** Shortest prefix of a commit. */
const FEWEST_DIGITS = 4;
/** Most of several commits that a message names. */
const MOST_NAMED = 5;

/**
 * Returns the results.json files of a night.
 *
 * @example
 * ```ts
 * import { filesOfNight } from "./find_runs.ts";
 * import { openHistory } from "./open_history.ts";
 *
 * const files = () => filesOfNight(openHistory("results/history.sqlite", "read"), "2026-11-24");
 * ```
 *
 * @param history An open history.
 * @param night `YYYY-MM-DD`, the date of its evening.
 * @returns Paths, by when the runs began; empty if there are none.
 */
export function filesOfNight(history: DatabaseSync, night: string): string[] {
  return filesOf(history.prepare("SELECT file FROM runs WHERE night = ? ORDER BY started, file").all(night));
}

/**
 * Returns the results.json files measured with a commit.
 *
 * @example
 * ```ts
 * import { filesOfCommit } from "./find_runs.ts";
 * import { openHistory } from "./open_history.ts";
 *
 * const files = () => filesOfCommit(openHistory("results/history.sqlite", "read"), "6916b0d");
 * ```
 *
 * @param history An open history.
 * @param prefix The first digits of a commit, at least four.
 * @returns Paths, by when the runs began; empty if there are none, or if `prefix` is no such prefix.
 * @throws {InputError} If several commits begin so.
 */
export function filesOfCommit(history: DatabaseSync, prefix: string): string[] {
  if (!/^[0-9a-f]+$/.test(prefix) || prefix.length < FEWEST_DIGITS) return [];
  const runs = history.prepare("SELECT git_commit, file FROM runs WHERE git_commit GLOB ? ORDER BY started, file")
    .all(`${prefix}*`);
  const commits = [...new Set(runs.map(({ git_commit }) => String(git_commit)))];
  if (commits.length > 1) {
    const named = commits.slice(0, MOST_NAMED).map((commit) => commit.slice(0, prefix.length + 6)).join(", ");
    throw new InputError(
      `Cannot find the commit ${prefix}: ${commits.length} commits begin so, ${named}; give more digits`,
    );
  }
  return filesOf(runs);
}

/**
 * Returns the files with the last measurement of each cell: one for each series and hardware, often the same file for
 * many.
 *
 * @example
 * ```ts
 * import { lastFiles } from "./find_runs.ts";
 * import { openHistory } from "./open_history.ts";
 *
 * const files = () => lastFiles(openHistory("results/history.sqlite", "read"), []);
 * ```
 *
 * @param history An open history.
 * @param except Files that do not count: those of the other side of a comparison.
 * @returns Paths, sorted.
 */
export function lastFiles(history: DatabaseSync, except: readonly string[]): string[] {
  const rows = history.prepare(
    "SELECT series, hardware, file FROM rows JOIN runs ON run = id WHERE status = 'done' ORDER BY started, file",
  ).all();
  const others = new Set(except);
  const last = new Map<string, string>();
  for (const { series, hardware, file } of rows) {
    if (!others.has(String(file))) last.set(`${series} ${hardware}`, String(file));
  }
  return [...new Set(last.values())].sort();
}

/**
 * Returns the nights before one, the newest last.
 *
 * @example
 * ```ts
 * import { nightsBefore } from "./find_runs.ts";
 * import { openHistory } from "./open_history.ts";
 *
 * const week = () => nightsBefore(openHistory("results/history.sqlite", "read"), "2026-11-24", 7);
 * ```
 *
 * @param history An open history.
 * @param night `YYYY-MM-DD`.
 * @param count How many.
 */
export function nightsBefore(history: DatabaseSync, night: string, count: number): string[] {
  const found = history.prepare("SELECT DISTINCT night FROM runs WHERE night < ? ORDER BY night DESC LIMIT ?")
    .all(night, count);
  return found.map(({ night }) => String(night)).reverse();
}

function filesOf(runs: readonly Record<string, unknown>[]): string[] {
  return runs.map(({ file }) => String(file));
}
