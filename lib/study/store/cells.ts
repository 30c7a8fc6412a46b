import { join } from "@std/path";
import { formatJson } from "../../report/results/json.ts";
import { readJson } from "../../report/results/read_json.ts";
import { RESULTS_FILE, writeResults } from "../../report/results/results_file.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { syncFolder, writeAtomic } from "../../util/write_atomic.ts";
import { isTaken } from "./claims.ts";
import type { Layout } from "./layout.ts";
import {
  type CellRecord,
  type FailedAttempt,
  type FailureRecord,
  readCellRecord,
  readFailureRecord,
} from "./records.ts";

/** Name of the file beside a cell's results.json. */
export const CELL_FILE = "cell.json";

/** The cells of a sweep: done, failed, or absent. */
export class Cells {
  constructor(readonly layout: Layout) {}

  /** Returns the keys of all finished cells: one listing of a folder, whatever their number. */
  async done(): Promise<Set<string>> {
    return new Set(await namesIn(this.layout.cells));
  }

  /** Returns the keys of all cells that failed and were not measured since. */
  async failed(): Promise<Set<string>> {
    const names = await namesIn(this.layout.failed);
    return new Set(names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length)));
  }

  /** Whether a cell is finished. */
  async isDone(key: string): Promise<boolean> {
    return await Deno.stat(this.folderOf(key)).then(({ isDirectory }) => isDirectory, () => false);
  }

  /**
   * Tells of a few cells which are done or failed: a look at each, whatever the number of all cells.
   *
   * @param keys Their keys.
   */
  async stateOf(keys: readonly string[]): Promise<{ readonly done: Set<string>; readonly failed: Set<string> }> {
    const done = new Set<string>(), failed = new Set<string>();
    await Promise.all(keys.map(async (key) => {
      if (await this.isDone(key)) done.add(key);
      else if (await isThere(this.#failurePath(key))) failed.add(key);
    }));
    return { done, failed };
  }

  /**
   * Makes this machine forget what it knows about the folders of cells. A network file system's client may take a name
   * for missing for up to a minute after another machine has made it (NFS: acdirmax), unless it changes the folder
   * itself.
   */
  async refresh(): Promise<void> {
    for (const folder of [this.layout.cells, this.layout.failed]) {
      const made = join(folder, `.look-${crypto.randomUUID()}`);
      // A folder that does not exist has nothing in it.
      await Deno.mkdir(made).then(() => Deno.remove(made)).catch(() => {});
    }
  }

  /** The folder of a finished cell. */
  folderOf(key: string): string {
    return join(this.layout.cells, key);
  }

  /** Reads cell.json of a finished cell. */
  async read(key: string): Promise<CellRecord> {
    return await readJson(join(this.folderOf(key), CELL_FILE), readCellRecord);
  }

  /**
   * Stores a finished cell: whole or not at all, and once. The files are written elsewhere and flushed to the disk; then
   * their folder is renamed into place.
   *
   * @param staging A folder of this process's own on the same file system, under jobs/.
   * @param record What the cell is.
   * @param results The baseline and the cell's configuration.
   * @param files Paths of other files to copy into the cell's folder: name there → path.
   * @returns Whether this call stored it; false if it was there already, which then stays as it is.
   */
  async store(
    staging: string,
    record: CellRecord,
    results: BenchmarkResults,
    files: Readonly<Record<string, string>> = {},
  ): Promise<boolean> {
    const { layout } = this;
    const made = join(staging, `.cell-${record.key}-${crypto.randomUUID().slice(0, 8)}`);
    await Deno.mkdir(made, { recursive: true });
    await Deno.mkdir(layout.cells, { recursive: true });
    try {
      for (const [name, path] of Object.entries(files)) {
        await writeAtomic(join(made, name), await Deno.readFile(path));
      }
      await writeAtomic(join(made, CELL_FILE), `${formatJson(record)}\n`);
      await writeResults(made, results);
      await Deno.rename(made, this.folderOf(record.key));
    } catch (error) {
      await Deno.remove(made, { recursive: true }).catch(() => {});
      if (isTaken(error) || await this.isDone(record.key)) return false;
      throw error;
    }
    await syncFolder(layout.cells);
    await Deno.remove(this.#failurePath(record.key)).catch(() => {});
    return true;
  }

  /** Reads why a cell failed; undefined if it did not. */
  async failure(key: string): Promise<FailureRecord | undefined> {
    return await readJson(this.#failurePath(key), readFailureRecord).catch(() => undefined);
  }

  /** Records a try that failed, after those before it. A cell that is done does not fail any more. */
  async fail(record: Omit<FailureRecord, "attempts">, attempt: FailedAttempt): Promise<void> {
    if (await this.isDone(record.key)) return;
    await Deno.mkdir(this.layout.failed, { recursive: true });
    const attempts = [...(await this.failure(record.key))?.attempts ?? [], attempt];
    await writeAtomic(this.#failurePath(record.key), `${formatJson({ ...record, attempts })}\n`);
  }

  /** Path of a finished cell's results.json. */
  resultsOf(key: string): string {
    return join(this.folderOf(key), RESULTS_FILE);
  }

  #failurePath(key: string): string {
    return join(this.layout.failed, `${key}.json`);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/**
 * Names in a folder, without those that begin with a dot; none if there is no such folder.
 *
 * @example
 * ```ts
 * import { namesIn } from "./cells.ts";
 *
 * console.log(await namesIn("there is no such folder")); // []
 * ```
 */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name).filter((name) => !name.startsWith(".")).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
