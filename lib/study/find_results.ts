import { join, resolve } from "@std/path";
import { readResults, RESULTS_FILE } from "../report/results/results_file.ts";
import type { BenchmarkResults } from "../report/results/types.ts";
import { InputError } from "../util/errors.ts";
import { printable } from "../util/printable.ts";

/** A results.json and its content. */
export interface FoundResults {
  /** Absolute path of the results.json. */
  file: string;
  /** What it holds. */
  results: BenchmarkResults;
}

/** The file that makes a folder a sweep's. */
const PLAN = "plan.json";
/** Folders of a sweep whose results.json are not finished cells: a job's are in its cells, too. */
const UNFINISHED = new Set(["jobs", "claims"]);

/**
 * Finds every results.json at or below some paths: of runs, and of a sweep's finished cells.
 *
 * @param paths Folders, which are searched to the bottom, or files. Links within folders are not followed.
 * @returns Absolute paths, each once, sorted.
 * @throws {InputError} If a path does not exist, or there is no results.json at or below it.
 *
 * @example
 * ```ts
 * import { findResultFiles } from "./find_results.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await Deno.mkdir(`${folder}/a/b`, { recursive: true });
 * await Deno.writeTextFile(`${folder}/a/b/results.json`, "{}");
 * console.log((await findResultFiles([folder])).length); // 1
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function findResultFiles(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const here = resolve(path);
    const { isDirectory } = await Deno.stat(here).catch((cause) => {
      const what = cause instanceof Deno.errors.NotFound ? "there is no such file or folder" : cause.message;
      throw new InputError(`Cannot read ${printable(path)}: ${what}`, { cause });
    });
    const files = isDirectory ? await below(here) : [here];
    if (files.length === 0) {
      throw new InputError(
        `Cannot find results in ${printable(path)}: there is no ${RESULTS_FILE} in it or below; ` +
          "name the folder of a run, of many runs or of a sweep",
      );
    }
    for (const file of files) found.add(file);
  }
  return [...found].sort();
}

/**
 * Reads every results.json at or below some paths; see {@linkcode findResultFiles}.
 *
 * All of them are held in memory. Where few of their fields are needed, read one file after another instead.
 *
 * @param paths Folders or files.
 * @returns In the order of their paths.
 * @throws {InputError} If there are none, or one cannot be read.
 *
 * @example
 * ```ts
 * import { findResults } from "./find_results.ts";
 *
 * const models = async (folder: string) => (await findResults([folder])).map(({ results }) => results.config.model_id);
 * ```
 */
export async function findResults(paths: readonly string[]): Promise<FoundResults[]> {
  const found: FoundResults[] = [];
  for (const file of await findResultFiles(paths)) found.push({ file, results: await readResults(file) });
  return found;
}

/** Lists the results.json below a folder. */
async function below(folder: string): Promise<string[]> {
  const entries = [];
  try {
    for await (const entry of Deno.readDir(folder)) entries.push(entry);
  } catch (cause) {
    throw new InputError(`Cannot read ${printable(folder)}: ${(cause as Error).message}`, { cause });
  }
  const isSweep = entries.some(({ name }) => name === PLAN);
  const files: string[] = [];
  for (const { name, isDirectory, isFile } of entries) {
    if (isFile && name === RESULTS_FILE) files.push(join(folder, name));
    else if (isDirectory && !(isSweep && UNFINISHED.has(name))) files.push(...await below(join(folder, name)));
  }
  return files;
}
