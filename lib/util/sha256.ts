import { createHash } from "node:crypto";
import { join } from "@std/path";
import { digestOfFile } from "./digest.ts";

/**
 * Returns the SHA-256 of a file. Reads it in pieces, so that memory does not depend on its size. About 1 GB/s.
 *
 * @param path Path of the file.
 * @param signal Ends it early.
 * @returns 64 hex digits.
 *
 * @throws {Deno.errors.NotFound} If the file does not exist.
 * @throws The signal's reason, if it was ended.
 *
 * @example
 * ```ts
 * import { sha256OfFile } from "./sha256.ts";
 *
 * console.log(await sha256OfFile("deno.json")); // 64 hex digits
 * ```
 */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  return await digestOfFile(path, "sha256", signal);
}

/**
 * Returns the SHA-256 of files in a folder, such as a model's.
 *
 * @param folder The folder.
 * @param names Names of files in it.
 * @param signal Ends it early.
 * @returns 64 hex digits for each name, in the order of the names.
 *
 * @throws {Deno.errors.NotFound} If one of the files is missing.
 * @throws The signal's reason, if it was ended.
 *
 * @example
 * ```ts
 * import { sha256OfFiles } from "./sha256.ts";
 *
 * console.log(await sha256OfFiles(".", ["deno.json", "mod.ts"])); // by file name
 * ```
 */
export async function sha256OfFiles(
  folder: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of names) hashes[name] = await sha256OfFile(join(folder, name), signal);
  return hashes;
}

/**
 * Returns the SHA-256 of token ids, as little-endian 32-bit integers: in Python, `sha256(numpy.array(ids,
 * "<i4").tobytes())`.
 *
 * @param ids The ids.
 * @returns 64 hex digits.
 *
 * @example
 * ```ts
 * import { sha256OfTokens } from "./sha256.ts";
 *
 * console.log(sha256OfTokens([0, 1, 2]).slice(0, 8)); // ad5dc147
 * ```
 */
export function sha256OfTokens(ids: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(ids.length * 4));
  ids.forEach((id, i) => view.setInt32(i * 4, id, true));
  return createHash("sha256").update(view).digest("hex");
}
