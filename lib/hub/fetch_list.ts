import type { HubCache, ListedFile, Listing } from "./cache.ts";
import type { HubClient } from "./client.ts";
import { HubError } from "./errors.ts";
import { printable } from "../util/printable.ts";
import { isCommit, isRelativePath } from "./repo.ts";

/** One of the `siblings` in the hub's answer to `blobs=true`. */
interface Sibling {
  readonly rfilename: string;
  readonly size?: unknown;
  readonly blobId?: unknown;
  readonly lfs?: { readonly sha256?: unknown; readonly size?: unknown } | null;
}

/**
 * Asks the hub for a repository's files, and stores the answer in the cache.
 *
 * @example
 * ```ts ignore
 * import { HubCache } from "./cache.ts";
 * import { HubClient } from "./client.ts";
 * import { fetchList } from "./fetch_list.ts";
 *
 * const client = new HubClient({ endpoint: "https://huggingface.co" });
 * const cache = new HubCache("/scratch/hf/hub", { repo: "gpt2", type: "model", revision: "main" });
 * console.log(Object.keys((await fetchList(client, cache)).listing)); // [ ".gitattributes", "config.json", … ]
 * ```
 *
 * @param client Client of the hub.
 * @param cache Cache of the repository at the wanted revision.
 * @returns The revision's commit, and its files.
 * @throws {HubError} If the request fails, with why and what would do.
 */
export async function fetchList(client: HubClient, cache: HubCache): Promise<{ commit: string; listing: Listing }> {
  const { repo } = cache;
  const { sha, siblings } = (await client.list(repo) ?? {}) as { sha?: unknown; siblings?: unknown };
  if (typeof sha !== "string" || !isCommit(sha) || !Array.isArray(siblings) || !siblings.every(isSibling)) {
    throw new HubError(
      "refused",
      `Cannot list the files of ${repo.repo}: ${client.endpoint} answers without "sha" and "siblings"; is HF_ENDPOINT right?`,
    );
  }
  const listing = Object.fromEntries(siblings.map((sibling) => [sibling.rfilename, listedFile(sibling, repo.repo)]));
  // Python requires these fields for every file.
  if (Object.values(listing).every((file) => file.size !== undefined && file.blob_id !== undefined)) {
    await cache.writeListing(sha, listing).catch(() => {}); // the cache may be read-only
  }
  return { commit: sha, listing };
}

function isSibling(value: unknown): value is Sibling {
  const path = (value as Partial<Sibling> | null)?.rfilename;
  return typeof path === "string" && isRelativePath(path);
}

/** Returns the cache's entry for a sibling. An invalid hash is left out; an invalid size is an error. */
function listedFile({ rfilename, size, blobId, lfs }: Sibling, repo: string): ListedFile {
  for (const stated of [size, lfs?.size]) {
    if (stated === undefined || stated === null || Number.isSafeInteger(stated) && Number(stated) >= 0) continue;
    throw new HubError(
      "refused",
      `Cannot list the files of ${repo}: ${printable(rfilename, 100)} has the size ${
        printable(JSON.stringify(stated).slice(0, 200), 80)
      }; is HF_ENDPOINT right?`,
    );
  }
  return {
    ...(typeof size === "number" ? { size } : {}),
    ...(isHash(blobId) ? { blob_id: blobId } : {}),
    ...(isHash(lfs?.sha256) ? { lfs_sha256: lfs.sha256 } : {}),
    ...(typeof lfs?.size === "number" ? { lfs_size: lfs.size } : {}),
  };
}

function isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(value);
}
