import type { HubCache, Listing } from "./cache.ts";
import type { HubClient } from "./client.ts";
import { HubError } from "./errors.ts";
import { isCommit, isRelativePath } from "./repo.ts";

/** One of `siblings` in the hub's answer, with `blobs=true`. */
interface Sibling {
  readonly rfilename: string;
  readonly size?: number;
  readonly blobId?: string;
  readonly lfs?: { readonly sha256?: string; readonly size?: number };
}

/**
 * Asks the hub which files a repository has, and keeps the answer in the cache.
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
 * @param client Speaks with the hub.
 * @param cache The cache, of the repository at the revision that is wanted.
 * @returns The commit that the revision is at, and its files.
 * @throws {HubError} Saying why it cannot be had, and what would do.
 */
export async function fetchList(client: HubClient, cache: HubCache): Promise<{ commit: string; listing: Listing }> {
  const { repo } = cache;
  const { sha, siblings } = await client.list(repo) as { sha?: unknown; siblings?: unknown };
  if (typeof sha !== "string" || !isCommit(sha) || !Array.isArray(siblings) || !siblings.every(isSibling)) {
    throw new HubError(
      "refused",
      `Cannot list the files of ${repo.repo}: ${client.endpoint} answers without "sha" and "siblings"; is HF_ENDPOINT right?`,
    );
  }
  const listing = Object.fromEntries(siblings.map(({ rfilename, size, blobId, lfs }) => [rfilename, {
    ...(size === undefined ? {} : { size }),
    ...(blobId === undefined ? {} : { blob_id: blobId }),
    ...(lfs?.sha256 === undefined ? {} : { lfs_sha256: lfs.sha256 }),
    ...(lfs?.size === undefined ? {} : { lfs_size: lfs.size }),
  }]));
  // Python reads these fields of every file.
  if (Object.values(listing).every((file) => file.size !== undefined && file.blob_id !== undefined)) {
    await cache.writeListing(sha, listing).catch(() => {}); // a cache may be for reading only
  }
  return { commit: sha, listing };
}

function isSibling(value: unknown): value is Sibling {
  const path = (value as Partial<Sibling> | null)?.rfilename;
  return typeof path === "string" && isRelativePath(path);
}
