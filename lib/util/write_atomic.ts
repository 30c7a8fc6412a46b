import { dirname } from "@std/path";

/**
 * Writes a file so that a reader sees either the old or the whole new one, even if the machine stops in between. It
 * writes under another name, flushes it to the disk, renames it, and flushes the folder, which holds the names.
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
  // The name differs between processes, and between calls of one process.
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
 * Removes files left in a folder by a process that was killed during {@linkcode writeAtomic}. No other process may be
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
 * Flushes a folder's names to the disk. Some systems and file systems do not support it.
 *
 * @param folder The folder.
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    using opened = await Deno.open(folder);
    await opened.sync();
  } catch {
    // Not supported; the file itself is already on the disk.
  }
}

let calls = 0;
