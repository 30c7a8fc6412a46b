import { basename, join } from "@std/path";
import { list, number, object, string } from "../../report/results/json_reader.ts";
import { readJson } from "../../report/results/read_json.ts";
import { readResults, RESULTS_FILE, writeResults } from "../../report/results/results_file.ts";
import { isTraceFile } from "../../report/results/trace.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { namesIn } from "../store/cells.ts";

/** One attempt at a job: a folder of its own, in which one run of `bench` works. */
export interface Attempt {
  readonly folder: string;
  /** Names of the configurations that it measures, as in the run. */
  readonly wanted: readonly string[];
  /** Attempts before it that left cells without what they are compared with. */
  readonly failures: number;
}

/** An earlier attempt, with what its run has measured so far. */
export interface EarlierAttempt extends Attempt {
  /** The run's folder. */
  readonly run: string;
  readonly results: BenchmarkResults;
}

const ATTEMPT_FILE = "attempt.json";
const readAttempt = object<{ wanted: string[]; failures: number }>({ wanted: list(string), failures: number });

/**
 * Returns the latest attempt at a job whose run has begun; undefined if there is none.
 *
 * @example
 * ```ts
 * import { latestAttempt } from "./attempts.ts";
 *
 * console.log(await latestAttempt("a job that nobody began")); // undefined
 * ```
 *
 * @param folder The job's folder.
 */
export async function latestAttempt(folder: string): Promise<EarlierAttempt | undefined> {
  for (const number of (await numbersIn(folder)).reverse()) {
    const path = join(folder, `${number}`);
    const attempt = await readJson(join(path, ATTEMPT_FILE), readAttempt).catch(() => undefined);
    if (attempt === undefined) continue;
    for (const name of await namesIn(path)) {
      const run = join(path, name);
      // A run that was killed before it wrote anything has no results.
      const results = await readResults(join(run, RESULTS_FILE)).catch(() => undefined);
      if (results !== undefined) {
        return { folder: path, wanted: attempt.wanted, failures: attempt.failures, run, results };
      }
    }
  }
  return undefined;
}

/**
 * Makes the folder of a new attempt. With an earlier one, its run is copied: a process that seems dead but is not goes
 * on writing into its own folder.
 *
 * @example
 * ```ts
 * import { beginAttempt } from "./attempts.ts";
 *
 * const folder = await Deno.makeTempDir();
 * console.log((await beginAttempt(folder, ["tova_64"])).folder.slice(folder.length)); // /1
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param folder The job's folder.
 * @param wanted Names of the configurations to measure.
 * @param failures Attempts before it that left cells without what they are compared with.
 * @param earlier The attempt to go on with, and the results to go on from.
 * @returns The attempt, and the folder of the run to resume, if any.
 */
export async function beginAttempt(
  folder: string,
  wanted: readonly string[],
  failures = 0,
  earlier?: EarlierAttempt,
): Promise<Attempt & { readonly resume?: string }> {
  await Deno.mkdir(folder, { recursive: true });
  let path: string | undefined;
  for (let number = ((await numbersIn(folder)).at(-1) ?? 0) + 1; path === undefined; number++) {
    const made = join(folder, `${number}`);
    try {
      await Deno.mkdir(made);
      path = made;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
  await writeAtomic(join(path, ATTEMPT_FILE), `${JSON.stringify({ wanted, failures })}\n`);
  if (earlier === undefined) return { folder: path, wanted, failures };
  const resume = join(path, basename(earlier.run));
  await Deno.mkdir(resume);
  for (const name of await namesIn(earlier.run)) {
    if (isTraceFile(name)) await writeAtomic(join(resume, name), await Deno.readFile(join(earlier.run, name)));
  }
  await writeResults(resume, earlier.results);
  return { folder: path, wanted, failures, resume };
}

/**
 * Finds the folder of an attempt's run; undefined before it has begun.
 *
 * @example
 * ```ts
 * import { runOf } from "./attempts.ts";
 *
 * console.log(await runOf({ folder: "an attempt that has not begun" })); // undefined
 * ```
 */
export async function runOf({ folder }: Pick<Attempt, "folder">): Promise<string | undefined> {
  for (const name of await namesIn(folder)) {
    const run = join(folder, name);
    if (await Deno.stat(join(run, RESULTS_FILE)).then(({ isFile }) => isFile, () => false)) return run;
  }
  return undefined;
}

/**
 * Removes all attempts at a job but the latest.
 *
 * @example
 * ```ts
 * import { beginAttempt, removeOldAttempts } from "./attempts.ts";
 *
 * const folder = await Deno.makeTempDir();
 * for (const names of [["a"], ["a"]]) await beginAttempt(folder, names);
 * await removeOldAttempts(folder);
 * console.log([...Deno.readDirSync(folder)].map(({ name }) => name)); // [ "2" ]
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function removeOldAttempts(folder: string): Promise<void> {
  for (const number of (await numbersIn(folder)).slice(0, -1)) {
    await Deno.remove(join(folder, `${number}`), { recursive: true }).catch(() => {});
  }
}

/**
 * Waits until no process of this machine works in a run's folder: a run whose parent was killed ends by itself, a moment
 * later. Waits no longer than `patience` ms, and not on a file system without locks.
 *
 * @example
 * ```ts
 * import { untilUnused } from "./attempts.ts";
 *
 * await untilUnused("lib"); // no run works there: returns at once
 * ```
 */
export async function untilUnused(run: string, patience = 15_000): Promise<void> {
  for (const until = performance.now() + patience; performance.now() < until;) {
    try {
      using folder = await Deno.open(run);
      if (await folder.tryLock(true)) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function numbersIn(folder: string): Promise<number[]> {
  return (await namesIn(folder)).filter((name) => /^\d+$/.test(name)).map(Number).sort((a, b) => a - b);
}
