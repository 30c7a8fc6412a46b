import { dirname } from "@std/path";

/**
 * Writes a file so that a reader sees the old one or the whole new one, even where the machine stops in between: first
 * under another name, flushed to the disk, then renamed over it, and the folder flushed, which holds the names.
 *
 * @param path File to write; its folder exists.
 * @param data Its content; text is written as UTF-8.
 *
 * @example
 * ```ts
 * import { writeAtomic } from "./write_atomic.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await writeAtomic(`${folder}/results.json`, "{}\n");
 * console.log(await Deno.readTextFile(`${folder}/results.json`)); // "{}\n"
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeAtomic(path: string, data: string | Uint8Array): Promise<void> {
  // The name tells two processes and two calls of one process apart.
  const temporary = `${path}.${Deno.pid}-${++calls}.tmp`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Removes what {@linkcode writeAtomic} left in a folder where a process was killed within it. No other process may be
 * writing there.
 *
 * @param folder The folder.
 */
export async function removeTemporaries(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (/\.\d+-\d+\.tmp$/.test(name)) await Deno.remove(`${folder}/${name}`).catch(() => {});
  }
}

/**
 * Flushes a folder's names to the disk. Some systems and file systems have no such thing.
 *
 * @param folder The folder.
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    using opened = await Deno.open(folder);
    await opened.sync();
  } catch {
    // The file itself is on the disk.
  }
}

let calls = 0;
