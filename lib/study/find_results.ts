import { join } from "@std/path";
import { RESULTS_FILE } from "../report/results/results_file.ts";
import { readJson } from "../report/results/read_json.ts";
import { benchmarkResults } from "../report/results/results_reader.ts";
import type { BenchmarkResults } from "../report/results/types.ts";
import { InputError } from "../util/errors.ts";

/** A results.json and its content. */
export interface FoundResults {
  /** Path of the file. */
  file: string;
  /** Its content. */
  results: BenchmarkResults;
}

/** A file that is not read, and why. */
export interface SkippedFile {
  /** Its path. */
  file: string;
  /** One sentence, "Cannot read …". */
  reason: string;
}

/** The file that tells a sweep's folder. */
const PLAN_FILE = "plan.json";
/** Folders of a sweep whose results are not finished cells. */
const UNFINISHED: ReadonlySet<string> = new Set(["jobs", "claims"]);

/**
 * Reads every results.json in some folders: those of runs, of sweeps, or trees of them. Results of schema 1 and 2.
 *
 * @example
 * ```ts
 * import { findResults } from "./find_results.ts";
 *
 * const names = async () => (await findResults(["results"])).map(({ results }) => results.config.method);
 * ```
 *
 * @param paths Folders, or results.json files of any name.
 * @param onSkipped Takes each file that is damaged or another program's. Left out, such a file is an error.
 * @returns The results, by the order of `paths` and then of the files' paths.
 * @throws {InputError} If a path does not exist, or a file cannot be read and `onSkipped` is left out.
 */
export async function findResults(
  paths: readonly string[],
  onSkipped?: (skipped: SkippedFile) => void,
): Promise<FoundResults[]> {
  const found: FoundResults[] = [];
  for (const file of await resultFiles(paths)) {
    const results = await readOrSkip(file, onSkipped);
    if (results !== undefined) found.push({ file, results });
  }
  return found;
}

/**
 * Reads one results.json, and hands on what is wrong with it instead of throwing.
 *
 * @param file Its path.
 * @param onSkipped Takes the file and the reason if it cannot be read.
 * @returns Its content; undefined if it cannot be read.
 * @throws {InputError} If it cannot be read and `onSkipped` is left out.
 *
 * @example
 * ```ts
 * import { readOrSkip } from "./find_results.ts";
 *
 * await readOrSkip("deno.json", ({ reason }) => console.log(reason));
 * // Cannot read deno.json: config is missing, an object is needed
 * ```
 */
export async function readOrSkip(
  file: string,
  onSkipped?: (skipped: SkippedFile) => void,
): Promise<BenchmarkResults | undefined> {
  try {
    return await readJson(file, benchmarkResults);
  } catch (error) {
    if (!(error instanceof InputError) || onSkipped === undefined) throw error;
    onSkipped({ file, reason: error.message });
    return undefined;
  }
}

/**
 * Lists the results.json files in some folders, without reading them. In a sweep's folder, which has a plan.json, the
 * working folders of its jobs and claims are left out: their results are not finished cells. Folders whose names begin
 * with a dot are left out. Links are followed; each folder is visited once.
 *
 * @example
 * ```ts
 * import { resultFiles } from "./find_results.ts";
 *
 * console.log(await resultFiles(["deno.json", "lib/util"])); // [ "deno.json" ]: a file is taken by any name
 * ```
 *
 * @param paths Folders, or files.
 * @returns Paths of the files; each file once, in the order of `paths` and sorted within each.
 * @throws {InputError} If a path does not exist or may not be read.
 */
export async function resultFiles(paths: readonly string[]): Promise<string[]> {
  const files = new Map<string, string>();
  const visited = new Set<string>();
  const add = async (file: string) => {
    const real = await Deno.realPath(file);
    if (!files.has(real)) files.set(real, file);
  };
  const walk = async (folder: string): Promise<void> => {
    const real = await Deno.realPath(folder);
    if (visited.has(real)) return;
    visited.add(real);
    const entries = (await Array.fromAsync(Deno.readDir(folder))).sort((a, b) => a.name < b.name ? -1 : 1);
    const isSweep = entries.some(({ name }) => name === PLAN_FILE);
    for (const { name } of entries) {
      if (name.startsWith(".") || isSweep && UNFINISHED.has(name)) continue;
      const path = join(folder, name);
      // A link to nothing, or a folder that was moved away meanwhile.
      const info = await Deno.stat(path).catch(() => undefined);
      if (info?.isDirectory) await walk(path);
      else if (info?.isFile && name === RESULTS_FILE) await add(path);
    }
  };
  for (const path of paths) {
    try {
      const info = await Deno.stat(path);
      if (info.isDirectory) await walk(path);
      else await add(path);
    } catch (cause) {
      const reason = cause instanceof Deno.errors.NotFound
        ? "there is no such file or folder"
        : (cause as Error).message;
      throw new InputError(`Cannot read ${path}: ${reason}; name a results.json, or a folder of runs`, { cause });
    }
  }
  return [...files.values()];
}
