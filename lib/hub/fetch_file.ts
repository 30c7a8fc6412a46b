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

/** The most bytes of a file whose size nobody states. The hub has larger ones in large-file storage, and states those. */
const MOST_UNSTATED_BYTES = 256 * 2 ** 20;

/** Told how many bytes of a file are there; the total where the hub says. */
export type OnBytes = (path: string, done: number, total: number | undefined) => void;

/**
 * Downloads a file into the cache, unless its content is there already. Bytes go to `blobs/{etag}.incomplete`, which a
 * later try goes on with; checked against the hub's hash they are renamed.
 *
 * The transfer stops at the size that the hub states: whatever sends more is refused, and what it sent is removed.
 *
 * Several processes may do so at once, Python's among them: the first holds a lock. On a file system without locks each
 * writes the same bytes to the same places of one file.
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
 * @param client Speaks with the hub.
 * @param cache The cache, of the repository at the revision that is wanted.
 * @param path The file's path in the repository.
 * @param onBytes Told how far it is.
 * @param listed What the repository's list says of it, which must agree. Its size counts where the hub does not state one
 * with the file.
 * @returns Where it lies: in the folder of the commit that the revision is at.
 * @throws {HubError} Saying why it cannot be had, and what would do.
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
      await cache.writeCommit(head.commit).catch(() => {}); // a cache may be for reading only
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

/** What the hub says of a file, held against what it said before. */
async function knownOf(client: HubClient, cache: HubCache, path: string, listed?: ListedFile): Promise<FileHead> {
  const { repo } = cache;
  const head = await client.head(repo, path);
  const fail = (what: string) =>
    new HubError(
      "refused",
      `Cannot use ${printable(path, 200)} of ${repo.repo}: ${what}; a proxy may change it, or try again later`,
    );
  if (isCommit(repo.revision) && head.commit !== repo.revision) {
    throw fail(`it was asked for at commit ${repo.revision}, and the hub gives it at ${head.commit}`);
  }
  const { lfs_sha256, lfs_size, size } = listed ?? {};
  const length = lfs_size ?? size;
  if (length !== undefined && head.size !== undefined && length !== head.size) {
    throw fail(`the hub lists it with ${length} bytes, and states ${head.size} with the file`);
  }
  // In a 40-digit ETag, proxies have another hash than git's.
  if (lfs_sha256 !== undefined && head.etag.length === 64 && lfs_sha256 !== head.etag) {
    throw fail(`the hub lists it with SHA-256 ${lfs_sha256}, and states ${head.etag} with the file`);
  }
  return { ...head, size: head.size ?? length ?? listedSize(cache, head.commit, path) };
}

/** What it means that a file of the cache cannot be written. */
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

/** Downloads and checks a blob; once more from its beginning if it is not what it should be. */
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
    client.options.onNote?.(`What there is of ${name} is damaged: downloading it from its beginning`);
  }
  try {
    await Deno.rename(part, blob);
  } catch (error) {
    if (!isThere(blob)) throw error; // without locks, another process may have been faster
  }
}

/** Brings a partial file up to its size, over as many connections as it takes. */
async function transfer(
  client: HubClient,
  repo: HubRepo,
  path: string,
  size: number | undefined,
  part: string,
  onBytes: OnBytes,
): Promise<void> {
  // The farthest that any try got: only what goes beyond it is progress. A server that sends the same bytes again and
  // again, or a few at a time, makes none.
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
      throw new TypeError("it does not go on where the download broke off");
    }
    // Whoever ignores Range sends all of it.
    if (response.status !== 206) at = 0;
    const limit = size ?? await limitOf(client, response, part, path, repo);
    farthest = Math.max(farthest, at);
    await file.seek(at, Deno.SeekMode.Start);
    for await (const piece of response.body ?? []) {
      watch.feed(piece.length);
      if (at + piece.length > limit) {
        await Deno.remove(part).catch(() => {}); // none of it can be trusted
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

/** How long a file may be whose size neither the hub nor its list states: by its response, else by what is free. */
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

/** The first byte that a partial response has. */
function firstOf({ headers }: Response): number {
  return Number(/^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1] ?? NaN);
}

/** A file's size by a list that was kept. */
function listedSize(cache: HubCache, commit: string, path: string): number | undefined {
  const listing = cache.listing(commit) ?? {};
  const { lfs_size, size } = Object.hasOwn(listing, path) ? listing[path]! : {};
  const listed = lfs_size ?? size;
  return Number.isSafeInteger(listed) && listed! >= 0 ? listed : undefined;
}

/** Removes a link, a pipe or the like where a file is to be written: others may write to a cache that is shared. */
async function removeIfNoFile(path: string): Promise<void> {
  const found = await Deno.lstat(path).catch(() => undefined);
  if (found && !found.isFile) await Deno.remove(path);
}

/** Whether the bytes are those that the etag names: SHA-256 in large-file storage, else git's hash or, of proxies, SHA-1. */
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
