import { dirname } from "@std/path";
import { byteCount } from "../util/byte_count.ts";
import { digestOfFile } from "../util/digest.ts";
import { printable } from "../util/printable.ts";
import type { HubCache, ListedFile } from "./cache.ts";
import type { FileHead, HubClient } from "./client.ts";
import { HubError } from "./errors.ts";
import { freeBytes, requireSpace } from "./free_space.ts";
import { lockFile } from "./lock.ts";
import { fileSize } from "./missing_bytes.ts";
import { type HubRepo, isCommit, isRelativePath } from "./repo.ts";
import { LEAST_PROGRESS, Watch } from "./watch.ts";

/**
 * Largest file whose size is not stated, bytes. The hub keeps larger files in large-file storage and states their size.
 */
const MOST_UNSTATED_BYTES = 256 * 2 ** 20;

/** Receives how many bytes of a file are present, and the total if the hub states it. */
export type OnBytes = (path: string, done: number, total: number | undefined) => void;

/**
 * Downloads a file into the cache, unless its content is already there. Bytes are written to `blobs/{etag}.incomplete`,
 * which a later try resumes. Once they match the hub's hash, the file is renamed.
 *
 * The transfer stops at the size that the hub states: if the server sends more, the download fails and the bytes are
 * removed.
 *
 * Several processes may download the same file at once, Python's included: the first one holds a lock. On a file system
 * without locks, each writes the same bytes to the same positions of one file.
 *
 * @example
 * ```ts ignore
 * import { HubCache } from "./cache.ts";
 * import { HubClient } from "./client.ts";
 * import { fetchFile } from "./fetch_file.ts";
 *
 * const client = new HubClient({ endpoint: "https://huggingface.co" });
 * const cache = new HubCache("/scratch/hf/hub", { repo: "gpt2", type: "model", revision: "main" });
 * console.log(await fetchFile(client, cache, "config.json")); // /scratch/hf/hub/models--gpt2/snapshots/…/config.json
 * ```
 *
 * @param client Client of the hub.
 * @param cache Cache of the repository at the wanted revision.
 * @param path The file's path in the repository.
 * @param onBytes Receives the progress.
 * @param listed The file's entry in the repository's list, which must agree. Its size is used if the hub does not state
 * one with the file.
 * @returns The file's path, in the folder of the revision's commit.
 * @throws {HubError} If the download fails, with why and what would do.
 */
export async function fetchFile(
  client: HubClient,
  cache: HubCache,
  path: string,
  onBytes: OnBytes = () => {},
  listed?: ListedFile,
): Promise<string> {
  try {
    if (!isRelativePath(path)) {
      throw new HubError("refused", `Cannot use ${JSON.stringify(printable(path, 200))} as a file's path`);
    }
    const head = await knownOf(client, cache, path, listed);
    const there = cache.find(head.commit, path);
    if (there !== undefined) {
      await cache.writeCommit(head.commit).catch(() => {}); // the cache may be read-only
      return there;
    }
    const file = await place(client, cache, path, head, onBytes);
    await cache.writeCommit(head.commit);
    return file;
  } catch (error) {
    if (error instanceof HubError) {
      if (error.commit !== undefined) await cache.writeLack(error.commit, path).catch(() => {});
      throw error;
    }
    client.options.signal?.throwIfAborted();
    throw unwritable(cache, error);
  }
}

/** Gets the hub's facts about a file, and checks them against the list and the revision. */
async function knownOf(client: HubClient, cache: HubCache, path: string, listed?: ListedFile): Promise<FileHead> {
  const { repo } = cache;
  const head = await client.head(repo, path);
  const fail = (what: string) =>
    new HubError(
      "refused",
      `Cannot use ${printable(path, 200)} of ${repo.repo}: ${what}; a proxy may change it, or try again later`,
    );
  if (isCommit(repo.revision) && head.commit !== repo.revision) {
    throw fail(`it was requested at commit ${repo.revision}, but the hub returns it at ${head.commit}`);
  }
  const { lfs_sha256, lfs_size, size } = listed ?? {};
  const length = lfs_size ?? size;
  if (length !== undefined && head.size !== undefined && length !== head.size) {
    throw fail(`the hub lists it with ${length} bytes, but states ${head.size} with the file`);
  }
  // Proxies may put another hash than git's in a 40-digit ETag.
  if (lfs_sha256 !== undefined && head.etag.length === 64 && lfs_sha256 !== head.etag) {
    throw fail(`the hub lists it with SHA-256 ${lfs_sha256}, but states ${head.etag} with the file`);
  }
  return { ...head, size: head.size ?? length ?? listedSize(cache, head.commit, path) };
}

/** Returns the error for a file of the cache that cannot be written. */
function unwritable({ root }: HubCache, cause: unknown): HubError {
  const why = printable(cause instanceof Error ? cause.message : String(cause), 400);
  return new HubError(
    "refused",
    `Cannot write to the hub's cache ${root}: ${why}; HF_HUB_CACHE may name another folder`,
    { cause },
  );
}

async function place(client: HubClient, cache: HubCache, path: string, head: FileHead, onBytes: OnBytes) {
  await cache.create();
  const blob = cache.blob(head.etag);
  if (!isThere(blob)) {
    using _lock = await lockFile(cache.lock(head.etag), () => {
      client.options.onNote?.(
        `Waiting for another process that downloads ${printable(path, 200)} of ${cache.repo.repo}`,
      );
    });
    if (!isThere(blob)) await fill(client, cache, path, head, blob, onBytes);
  }
  return await cache.link(head.commit, path, head.etag);
}

/** Downloads and checks a blob. If the check fails, downloads it once more from the beginning. */
async function fill(
  client: HubClient,
  { repo, root }: HubCache,
  path: string,
  head: FileHead,
  blob: string,
  onBytes: OnBytes,
) {
  const part = `${blob}.incomplete`;
  const name = `${printable(path, 200)} of ${repo.repo}`;
  await requireSpace(root, (head.size ?? 0) - fileSize(part), name);
  for (const last of [false, true]) {
    await transfer(client, repo, path, head.size, part, onBytes);
    if (await isWhole(part, head)) break;
    await Deno.remove(part);
    if (last) {
      throw new HubError(
        "refused",
        `Cannot use ${name}: what was downloaded, twice, is not what the hub says it is (${head.etag}); a proxy may change it, or try again later`,
      );
    }
    client.options.onNote?.(`The partial download of ${name} is damaged: downloading it again from its beginning`);
  }
  try {
    await Deno.rename(part, blob);
  } catch (error) {
    if (!isThere(blob)) throw error; // without locks, another process may have finished first
  }
}

/** Completes a partial file, over as many connections as needed. */
async function transfer(
  client: HubClient,
  repo: HubRepo,
  path: string,
  size: number | undefined,
  part: string,
  onBytes: OnBytes,
): Promise<void> {
  // The farthest position of all tries: only bytes beyond it are progress. A server that sends the same bytes again and
  // again, or a few at a time, makes no progress.
  let farthest = 0;
  await client.again(repo, async (reset) => {
    await removeIfNoFile(part);
    using file = await Deno.open(part, { write: true, create: true });
    let at = (await file.stat()).size;
    if (size === undefined || at > size) await file.truncate(at = 0);
    onBytes(path, at, size);
    if (at === size) return;
    using watch = new Watch(client);
    const response = await client.get(repo, path, at, watch.signal);
    watch.feed(LEAST_PROGRESS);
    if (response.status === 416 || response.status === 206 && firstOf(response) !== at) {
      await response.body?.cancel();
      await file.truncate(0);
      throw new TypeError("it does not resume where the download broke off");
    }
    // A server that ignores Range sends the whole file.
    if (response.status !== 206) at = 0;
    const limit = size ?? await limitOf(client, response, part, path, repo);
    farthest = Math.max(farthest, at);
    await file.seek(at, Deno.SeekMode.Start);
    for await (const piece of response.body ?? []) {
      watch.feed(piece.length);
      if (at + piece.length > limit) {
        await Deno.remove(part).catch(() => {}); // no byte of it can be trusted
        throw tooLong(path, repo, limit, size !== undefined);
      }
      for (let rest = piece; rest.length > 0;) rest = rest.subarray(await file.write(rest));
      at += piece.length;
      if (at >= farthest + LEAST_PROGRESS) {
        farthest = at;
        reset();
      }
      onBytes(path, at, size);
    }
    if (size !== undefined && at < size) throw new TypeError("the connection ended early");
  });
}

/**
 * Returns the largest size allowed for a file whose size neither the hub nor its list states: the response's length,
 * else a limit by the free space.
 */
async function limitOf(client: HubClient, { headers }: Response, part: string, path: string, repo: HubRepo) {
  const length = Number(headers.get("content-length") ?? NaN);
  if (Number.isSafeInteger(length)) {
    await requireSpace(dirname(part), length, `${printable(path, 200)} of ${repo.repo}`);
    return length;
  }
  const { mostUnstatedBytes = MOST_UNSTATED_BYTES } = client.options;
  return Math.min(mostUnstatedBytes, await freeBytes(dirname(part)) ?? Infinity);
}

function tooLong(path: string, { repo }: HubRepo, limit: number, isStated: boolean): HubError {
  const name = `${printable(path, 200)} of ${repo}`;
  return new HubError(
    "refused",
    isStated
      ? `Cannot use ${name}: the hub states ${limit} bytes and sends more; a proxy may change it, or try again later`
      : `Cannot use ${name}: the hub states no size, and sends more than ${
        byteCount(limit)
      }; download it by other means`,
  );
}

/** Returns the position of a partial response's first byte. */
function firstOf({ headers }: Response): number {
  return Number(/^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1] ?? NaN);
}

/** Returns a file's size from a cached list. */
function listedSize(cache: HubCache, commit: string, path: string): number | undefined {
  const listing = cache.listing(commit) ?? {};
  const { lfs_size, size } = Object.hasOwn(listing, path) ? listing[path]! : {};
  const listed = lfs_size ?? size;
  return Number.isSafeInteger(listed) && listed! >= 0 ? listed : undefined;
}

/** Removes a link, a pipe or the like where a file is to be written. In a shared cache, others may put one there. */
async function removeIfNoFile(path: string): Promise<void> {
  const found = await Deno.lstat(path).catch(() => undefined);
  if (found && !found.isFile) await Deno.remove(path);
}

/** Whether the bytes match the etag: SHA-256 in large-file storage, else git's hash, or SHA-1 from a proxy. */
async function isWhole(part: string, { etag, size }: FileHead): Promise<boolean> {
  if (size !== undefined && (await Deno.stat(part)).size !== size) return false;
  if (/^[0-9a-f]{64}$/.test(etag)) return await digestOfFile(part, "sha256") === etag;
  return await digestOfFile(part, "git") === etag || await digestOfFile(part, "sha1") === etag;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
