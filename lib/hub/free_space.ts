import { statfs } from "node:fs/promises";
import { dirname } from "@std/path";
import { byteCount } from "../util/byte_count.ts";
import { HubError } from "./errors.ts";

/**
 * Bytes that may still be written to a folder's disk. Needs `--allow-sys=statfs`.
 *
 * @example
 * ```ts
 * import { freeBytes } from "./free_space.ts";
 *
 * console.log((await freeBytes("."))! > 0); // true
 * ```
 *
 * @param folder The folder; where it is not there yet, the nearest above it counts.
 * @returns Undefined where the system does not say.
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
 * Refuses a download that the disk has no room for, before it begins.
 *
 * @param folder Where it is to go.
 * @param bytes How much is still to come.
 * @param what What is downloaded, for the message.
 * @throws {HubError} Saying how much is needed, how much is free, and where.
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
