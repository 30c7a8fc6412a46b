import { dirname } from "@std/path";

/**
 * Waits until no other process writes a blob, using the same lock (flock) as Python's huggingface_hub.
 *
 * On a file system without locks it returns at once and excludes nobody: the result must be right without a lock, even
 * if the file is written twice.
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
 * @param path The lock's file. It is not deleted: otherwise, waiting processes could hold locks on different files.
 * @param onWait Called if another process holds the lock.
 * @returns Releases the lock when disposed of. The lock also ends with the process.
 */
export async function lockFile(path: string, onWait: () => void): Promise<Disposable> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const file = await Deno.open(path, { read: true, write: true, create: true });
  // Other users who share the cache lock this file too, also from Python.
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
