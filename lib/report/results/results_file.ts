import { join } from "@std/path";
import { formatJson } from "./json.ts";
import { readJson } from "./read_json.ts";
import { cannotWrite } from "./results_folder.ts";
import { benchmarkResults } from "./results_reader.ts";
import type { BenchmarkResults } from "./types.ts";
import { writeAtomic } from "../../util/write_atomic.ts";

/** Name of the file in a run's folder. */
export const RESULTS_FILE = "results.json";

/**
 * Writes results.json into a run's folder, over an earlier one of the same run. A reader never sees half a file.
 *
 * @param folder From {@linkcode createResultsFolder}.
 * @param results What to write. NaN and infinity become null.
 * @returns The path of the file.
 * @throws {InputError} If it cannot be written.
 *
 * @example
 * ```ts
 * import { writeResults } from "./results_file.ts";
 * import { createResultsFolder } from "./results_folder.ts";
 * import type { BenchmarkResults } from "./types.ts";
 *
 * async function keep(results: BenchmarkResults) {
 *   const { method, model_id, timestamp } = results.config;
 *   const folder = await createResultsFolder({ output: "results", method, modelId: model_id, timestamp });
 *   return await writeResults(folder, results);
 * }
 * ```
 */
export async function writeResults(folder: string, results: BenchmarkResults): Promise<string> {
  const path = join(folder, RESULTS_FILE);
  try {
    await writeAtomic(path, `${formatJson(results)}\n`);
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  return path;
}

/**
 * Reads a results.json and checks its shape.
 *
 * @param path The file, or the folder of a run that holds it.
 * @returns Its content; figures that could not be measured, null in the file, are NaN.
 * @throws {InputError} If the file does not exist, it is not JSON, or a field is missing or of another type.
 *
 * @example
 * ```ts
 * import { readResults } from "./results_file.ts";
 *
 * async function perplexityOfBaseline(folder: string) {
 *   const { aggregated_stats } = await readResults(folder);
 *   return aggregated_stats["baseline"]?.perplexity;
 * }
 * ```
 */
export async function readResults(path: string): Promise<BenchmarkResults> {
  const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
  return await readJson(isFolder ? join(path, RESULTS_FILE) : path, benchmarkResults);
}
