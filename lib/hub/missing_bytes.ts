import type { HubCache, Listing } from "./cache.ts";

/**
 * Returns how many bytes of files are still to download, as far as their sizes are known. Bytes of partial files count
 * as present.
 *
 * @example
 * ```ts
 * import { HubCache } from "./cache.ts";
 * import { missingBytes } from "./missing_bytes.ts";
 *
 * const cache = new HubCache("/no/such/cache", { repo: "gpt2", type: "model", revision: "main" });
 * console.log(missingBytes(cache, "0".repeat(40), { "config.json": { size: 665 } }, ["config.json"])); // 665
 * ```
 *
 * @param cache The repository's cache.
 * @param commit The commit.
 * @param listing The hub's list of its files.
 * @param paths Paths of the wanted files.
 */
export function missingBytes(cache: HubCache, commit: string, listing: Listing, paths: readonly string[]): number {
  let bytes = 0;
  for (const path of paths) {
    const { lfs_size, size, lfs_sha256, blob_id } = listing[path] ?? {};
    if (cache.find(commit, path) !== undefined) continue;
    const etag = lfs_sha256 ?? blob_id;
    const blob = etag === undefined ? undefined : cache.blob(etag);
    if (blob !== undefined && fileSize(blob) > 0) continue;
    const there = blob === undefined ? 0 : fileSize(`${blob}.incomplete`);
    bytes += Math.max(0, (lfs_size ?? size ?? 0) - there);
  }
  return bytes;
}

/** Returns the size of a file; 0 if it does not exist or is a link. */
export function fileSize(path: string): number {
  try {
    const { isFile, size } = Deno.lstatSync(path);
    return isFile ? size : 0;
  } catch {
    return 0;
  }
}
