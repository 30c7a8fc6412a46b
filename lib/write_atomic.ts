/**
 * Writes a file so that a reader sees the old one or the whole new one, even where the machine stops in between: beside
 * it first, flushed to the disk, then renamed over it.
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
  const beside = `${path}.${Deno.pid}-${++calls}.tmp`;
  try {
    {
      using file = await Deno.open(beside, { write: true, createNew: true });
      let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      await file.syncData();
    }
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}

let calls = 0;
