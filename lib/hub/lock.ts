import { dirname } from "@std/path";

/**
 * Waits until no other process writes a blob, by the lock that Python's huggingface_hub takes as well (flock).
 *
 * Where a file system has no locks this gives one that holds nobody off: what is written must be right without, and
 * only be written twice.
 *
 * @example
 * ```ts
 * import { lockFile } from "./lock.ts";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   using _lock = await lockFile(`${folder}/abc.lock`, () => console.log("waiting"));
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param path The lock's file. It stays: one that is removed would split those who wait for it.
 * @param onWait Called where another process has it.
 * @returns To be disposed of; the lock goes with the process as well.
 */
export async function lockFile(path: string, onWait: () => void): Promise<Disposable> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const file = await Deno.open(path, { read: true, write: true, create: true });
  // Others of the group that shares the cache take it too, as from Python.
  await Deno.chmod(path, 0o664).catch(() => {});
  try {
    if (!await file.tryLock(true)) {
      onWait();
      await file.lock(true);
    }
  } catch {
    // A file system without locks
  }
  return file;
}
