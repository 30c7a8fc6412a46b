import { join } from "@std/path";
import { sha256OfFiles } from "../util/sha256.ts";
import type { BenchmarkOptions } from "./plan/options.ts";
import type { Plan } from "./plan/plan.ts";

/**
 * Adds the hashes of the weights to the results, after the last measurement: a checkpoint takes a second per GB, and
 * nobody should wait for that before the first figure. A run that is ended early has no hashes.
 */
export async function hashWeights(
  { results, weights: { folder, files } }: Plan,
  { signal, onNote }: BenchmarkOptions,
): Promise<void> {
  const { environment } = results;
  try {
    signal?.throwIfAborted();
    const sizes = await Promise.all(files.map(async (name) => (await Deno.stat(join(folder, name))).size));
    const bytes = sizes.reduce((a, b) => a + b, 0);
    if (bytes > 2e9) onNote?.(`Everything is measured and saved; hashing ${(bytes / 1e9).toFixed(1)} GB of weights`);
    Object.assign(environment.model_sha256, await sha256OfFiles(folder, files, signal));
  } catch (error) {
    if (!signal?.aborted) onNote?.(`Cannot hash the weights: ${(error as Error).message}`);
  }
}
