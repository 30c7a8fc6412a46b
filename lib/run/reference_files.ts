import { dirname, join } from "@std/path";
import { Reason } from "../util/reason.ts";

/** Start of the names of the folders: a run that finds an old one removes it. */
const PREFIX = "kvcompress_reference_";
/** The file in a folder that its process locks. */
const LOCK = "lock";
/** Age from which a folder without a held lock is stale, ms: a new one is not locked in the first moment. */
const STALE_MS = 60_000;

/**
 * A temporary folder for the full cache's logits: the process that measures the baseline writes a file for each sample,
 * and those of the other configurations read it. It is removed when disposed of. If this process is killed, the next
 * run removes it: a lock in the folder ends with the process that made it.
 *
 * @example
 * ```ts
 * import { ReferenceFiles } from "./reference_files.ts";
 *
 * await using files = await ReferenceFiles.create() as ReferenceFiles;
 * await Deno.writeFile(files.path(0), new Uint8Array(8));
 * console.log(await files.problem(0, 8), await files.problem(1, 8));
 * // undefined "the full cache's logits of sample 1 were not written"
 * ```
 */
export class ReferenceFiles implements AsyncDisposable {
  readonly #lock: Deno.FsFile;

  private constructor(readonly folder: string, lock: Deno.FsFile) {
    this.#lock = lock;
  }

  /**
   * Makes the folder, and removes those of runs that were killed.
   *
   * @param dir Where; the system's folder for temporary files if omitted (TMPDIR).
   * @returns The files, or why there is no such folder.
   */
  static async create(dir?: string): Promise<ReferenceFiles | Reason> {
    let folder: string | undefined;
    try {
      folder = await Deno.makeTempDir({ prefix: PREFIX, ...(dir === undefined ? {} : { dir }) });
      await removeStale(dirname(folder));
      const lock = await Deno.open(join(folder, LOCK), { write: true, createNew: true });
      // On a file system without locks nobody can tell whether the folder is in use: then nobody removes it.
      await lock.tryLock(true).catch(() => {});
      return new ReferenceFiles(folder, lock);
    } catch (error) {
      if (folder !== undefined) await Deno.remove(folder, { recursive: true }).catch(() => {});
      return new Reason(`there is no room for the full cache's logits: ${(error as Error).message}`);
    }
  }

  /** Path of a sample's file. */
  path(sample: number): string {
    return join(this.folder, `sample_${sample}.f32`);
  }

  /**
   * Tells whether a sample's file can be read.
   *
   * @param sample Index of the sample.
   * @param bytes The size that it must have.
   * @returns Why not, to continue a sentence; undefined if it can.
   */
  async problem(sample: number, bytes: number): Promise<string | undefined> {
    try {
      const { size } = await Deno.stat(this.path(sample));
      if (size === bytes) return undefined;
      return `the full cache's logits of sample ${sample} have ${size} bytes instead of ${bytes}`;
    } catch {
      return `the full cache's logits of sample ${sample} were not written`;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lock.close(); // first: Windows does not remove open files
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }
}

/** Removes folders of processes that no longer run. */
async function removeStale(parent: string): Promise<void> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(parent)) {
      if (isDirectory && name.startsWith(PREFIX)) names.push(name);
    }
  } catch {
    return; // a folder whose entries may not be listed
  }
  for (const name of names) {
    const folder = join(parent, name);
    if (await isStale(folder)) await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

/** Whether a folder's process has ended. False for another user's folder, and without locks. */
async function isStale(folder: string): Promise<boolean> {
  try {
    const { mtime } = await Deno.stat(folder);
    if (Date.now() - mtime!.getTime() < STALE_MS) return false;
    const path = join(folder, LOCK);
    if (!(await Deno.lstat(path)).isFile) return false; // not this project's: opening a pipe would wait
    using lock = await Deno.open(path, { write: true });
    return await lock.tryLock(true);
  } catch (error) {
    // Killed before it made the file.
    return error instanceof Deno.errors.NotFound;
  }
}
