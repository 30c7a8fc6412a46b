import { InputError } from "../util/errors.ts";
import { writeResults } from "../report/results/results_file.ts";
import { createResultsFolder } from "../report/results/results_folder.ts";
import { writeTrace } from "../report/results/trace.ts";
import type { Trace } from "../report/results/trace_types.ts";
import type { BenchmarkResults } from "../report/results/types.ts";
import { removeTemporaries, syncFolder } from "../util/write_atomic.ts";

/**
 * A run's folder on disk. Only this process writes to it: a lock on the folder, which ends with the process, keeps a
 * second process from resuming the same run.
 */
export class RunFolder implements Disposable {
  readonly path: string;
  /** Whether the last attempt to save succeeded. */
  saved = true;
  readonly #lock: Deno.FsFile | undefined;
  readonly #traces = new Set<string>();

  private constructor(path: string, lock: Deno.FsFile | undefined) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes a new folder, with a results.json that describes the run.
   *
   * @param output The folder that holds all runs.
   * @param results The run, without figures so far.
   * @throws {InputError} If it cannot be made or written.
   */
  static async create(output: string, results: BenchmarkResults): Promise<RunFolder> {
    const { method, model_id: modelId, timestamp } = results.config;
    const path = await createResultsFolder({ output, method, modelId, timestamp });
    const folder = new RunFolder(path, await lockFolder(path));
    try {
      await writeResults(path, results);
      await syncFolder(output); // which holds this folder's directory entry
    } catch (error) {
      folder[Symbol.dispose]();
      await Deno.remove(path, { recursive: true }).catch(() => {});
      throw error;
    }
    return folder;
  }

  /**
   * Opens a run's folder to continue the run, and removes what a killed process left half written.
   *
   * @throws {InputError} If it does not exist, or another process works in it.
   */
  static async open(path: string): Promise<RunFolder> {
    const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
    if (!isFolder) throw new InputError(`Cannot resume ${path}: there is no such folder; give that of an earlier run`);
    const folder = new RunFolder(path, await lockFolder(path));
    await removeTemporaries(path);
    return folder;
  }

  /**
   * Writes the traces that do not exist yet, then results.json anew. Traces come first: a sample in results.json is not
   * measured again.
   *
   * @returns The reason if it could not be written. A disk that is full now may not be at the next sample: continue.
   */
  async save(results: BenchmarkResults, traces: readonly Trace[] = []): Promise<string | undefined> {
    try {
      for (const trace of traces) {
        if (this.#traces.has(trace.configuration)) continue;
        await writeTrace(this.path, trace);
        this.#traces.add(trace.configuration);
      }
      await writeResults(this.path, results);
      this.saved = true;
    } catch (error) {
      this.saved = false;
      return (error as Error).message;
    }
  }

  /** Removes the folder of a run that measured nothing. */
  async remove(): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
    this.saved = false;
  }

  [Symbol.dispose](): void {
    this.#lock?.close();
  }
}

/** Locks a folder; undefined on a file system, or operating system, without locks. */
async function lockFolder(path: string): Promise<Deno.FsFile | undefined> {
  let folder: Deno.FsFile | undefined;
  let isFree = true;
  try {
    folder = await Deno.open(path);
    isFree = await folder.tryLock(true);
  } catch {
    folder?.close();
    return undefined;
  }
  if (isFree) return folder;
  folder.close();
  throw new InputError(
    `Cannot write results to ${path}: another process is measuring this run; wait until it has ended`,
  );
}
