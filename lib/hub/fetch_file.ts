import { digestOfFile } from "../digest.ts";
import type { HubCache } from "./cache.ts";
import type { FileHead, HubClient } from "./client.ts";
import { HubError } from "./errors.ts";
import { lockFile } from "./lock.ts";
import type { HubRepo } from "./repo.ts";

/** Told how many bytes of a file are there; the total where the hub says. */
export type OnBytes = (path: string, done: number, total: number | undefined) => void;

/**
 * Downloads a file into the cache, unless its content is there already. Bytes go to `blobs/{etag}.incomplete`, which a
 * later try goes on with; checked against the hub's hash they are renamed.
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
 * @returns Where it lies: in the folder of the commit that the revision is at.
 * @throws {HubError} Saying why it cannot be had, and what would do.
 */
export async function fetchFile(
  client: HubClient,
  cache: HubCache,
  path: string,
  onBytes: OnBytes = () => {},
): Promise<string> {
  try {
    const head = await client.head(cache.repo, path);
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

/** What it means that a file of the cache cannot be written. */
function unwritable({ root }: HubCache, cause: unknown): HubError {
  const why = cause instanceof Error ? cause.message : String(cause);
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
      client.options.onNote?.(`Waiting for another process that downloads ${path} of ${cache.repo.repo}`);
    });
    if (!isThere(blob)) await fill(client, cache.repo, path, head, blob, onBytes);
  }
  return await cache.link(head.commit, path, head.etag);
}

/** Downloads and checks a blob; once more from its beginning if it is not what it should be. */
async function fill(client: HubClient, repo: HubRepo, path: string, head: FileHead, blob: string, onBytes: OnBytes) {
  const part = `${blob}.incomplete`;
  for (const last of [false, true]) {
    await transfer(client, repo, path, head.size, part, onBytes);
    if (await isWhole(part, head)) break;
    await Deno.remove(part);
    if (last) {
      throw new HubError(
        "refused",
        `Cannot use ${path} of ${repo.repo}: what was downloaded, twice, is not what the hub says it is (${head.etag}); a proxy may change it, or try again later`,
      );
    }
    client.options.onNote?.(`What there is of ${path} of ${repo.repo} is damaged: downloading it from its beginning`);
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
  await client.again(repo, async (reset) => {
    using file = await Deno.open(part, { write: true, create: true });
    let at = (await file.stat()).size;
    if (size === undefined || at > size) await file.truncate(at = 0);
    onBytes(path, at, size);
    if (at === size) return;
    using watch = new Watch(client);
    const response = await client.get(repo, path, at, watch.signal);
    if (response.status === 416 || response.status === 206 && firstOf(response) !== at) {
      await response.body?.cancel();
      await file.truncate(0);
      throw new TypeError("it does not go on where the download broke off");
    }
    // Whoever ignores Range sends all of it.
    if (response.status === 200) at = 0;
    await file.seek(at, Deno.SeekMode.Start);
    for await (const piece of response.body ?? []) {
      watch.feed();
      for (let rest = piece; rest.length > 0;) rest = rest.subarray(await file.write(rest));
      at += piece.length;
      reset();
      onBytes(path, at, size);
    }
    if (size !== undefined && at < size) throw new TypeError("the connection ended early");
  });
}

/** The first byte that a partial response has. */
function firstOf({ headers }: Response): number {
  return Number(/^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1] ?? NaN);
}

/** Whether the bytes are those that the etag names: SHA-256 in large-file storage, else git's hash or, of proxies, SHA-1. */
async function isWhole(part: string, { etag, size }: FileHead): Promise<boolean> {
  if (size !== undefined && (await Deno.stat(part)).size !== size) return false;
  if (/^[0-9a-f]{64}$/.test(etag)) return await digestOfFile(part, "sha256") === etag;
  if (!/^[0-9a-f]{40}$/.test(etag)) return true;
  return await digestOfFile(part, "git") === etag || await digestOfFile(part, "sha1") === etag;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Ends a connection that gives nothing for too long: without a limit, one that is lost is waited for for ever. */
class Watch implements Disposable {
  readonly #silence = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly signal: AbortSignal;
  #fed = performance.now();

  constructor({ options: { signal, stallSeconds = 10 } }: HubClient) {
    this.signal = signal ? AbortSignal.any([signal, this.#silence.signal]) : this.#silence.signal;
    this.#timer = setInterval(() => {
      if (performance.now() - this.#fed < stallSeconds * 1000) return;
      this.#silence.abort(new DOMException("nothing came", "TimeoutError"));
    }, stallSeconds * 250);
  }

  feed(): void {
    this.#fed = performance.now();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
