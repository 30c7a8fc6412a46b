import { statfs } from "node:fs/promises";
import { dirname } from "@std/path";
import { byteCount } from "../util/byte_count.ts";
import { HubError } from "./errors.ts";

/**
 * Returns the free bytes on a folder's disk. Needs `--allow-sys=statfs`.
 *
 * @example
 * ```ts
 * import { freeBytes } from "./free_space.ts";
 *
 * console.log((await freeBytes("."))! > 0); // true
 * ```
 *
 * @param folder The folder; if it does not exist yet, its nearest existing parent is used.
 * @returns The bytes; undefined if the system does not say.
 */
export async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize, blocks } = await statfs(folder);
    return blocks > 0 ? bavail * bsize : undefined; // some network file systems count no blocks
  } catch (error) {
    const above = dirname(folder);
    const isMissing = (error as { code?: string }).code === "ENOENT";
    return isMissing && above !== folder ? await freeBytes(above) : undefined;
  }
}

/**
 * Throws before a download starts if the disk has no room for it.
 *
 * @param folder Folder of the download.
 * @param bytes Bytes still to download.
 * @param what What is downloaded, for the message.
 * @throws {HubError} Naming the bytes needed, the bytes free, and the folder.
 */
export async function requireSpace(folder: string, bytes: number, what: string): Promise<void> {
  if (bytes <= 0) return;
  const free = await freeBytes(folder);
  if (free === undefined || bytes <= free) return;
  throw new HubError(
    "refused",
    `Cannot download ${what}: it needs ${byteCount(bytes)}, and ${
      byteCount(free)
    } are free in ${folder}; make room there, or set HF_HOME (or HF_HUB_CACHE, if you use it) to a folder with more`,
  );
}
