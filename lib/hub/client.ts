import { printable } from "../util/printable.ts";
import { boundedJson } from "./bounded_json.ts";
import { isBroken, reasonOf } from "./broken.ts";
import { HubError } from "./errors.ts";
import { redirectTarget } from "./redirects.ts";
import { type Asked, httpError, isPassing, retryAfter } from "./http_errors.ts";
import { fileUrl, type HubRepo, isCommit, listUrl } from "./repo.ts";

/** Options of a client. */
export interface ClientOptions {
  /** The hub's address. */
  readonly endpoint: string;
  /** Sent to the hub's own origin and to no other. */
  readonly token?: string | undefined;
  /** "user:password" of the hub's address, in base64. Sent instead of the token: a request has one of the two. */
  readonly basic?: string | undefined;
  /** Ends all requests. */
  readonly signal?: AbortSignal | undefined;
  /** Receives notes on what the client waits for. */
  readonly onNote?: ((message: string) => void) | undefined;
  /** Longest wait for an answer, s. */
  readonly answerSeconds?: number;
  /** Longest time a download may deliver nothing, s. */
  readonly stallSeconds?: number;
  /** Wait before the second try, s; doubled with each further try. */
  readonly backoffSeconds?: number;
  /** Largest file whose size is not stated, bytes. */
  readonly mostUnstatedBytes?: number;
}

/** The hub's facts about a file, known before the download. */
export interface FileHead {
  readonly commit: string;
  /** Hash of the file's content: SHA-256 in large-file storage, else git's hash. */
  readonly etag: string;
  /** Bytes; undefined if the hub does not say. */
  readonly size: number | undefined;
}

/** Consecutive failed tries before giving up. */
const TRIES = 5;
/** The same, while the hub has never answered. */
const TRIES_UNANSWERED = 2;
/** Longest wait that the hub may ask for, s. */
const MOST_PATIENCE = 300;
const MOST_REDIRECTS = 10;

/** HTTP client of the hub. Handles redirects and the token, and retries where that may help. */
export class HubClient {
  readonly endpoint: string;
  readonly options: ClientOptions;
  #answered = false;

  constructor(options: ClientOptions) {
    this.options = options;
    this.endpoint = options.endpoint;
  }

  /** Returns the same client, ended by a second signal as well. */
  endedBy(signal: AbortSignal): HubClient {
    const own = this.options.signal;
    const client = new HubClient({ ...this.options, signal: own ? AbortSignal.any([own, signal]) : signal });
    client.#answered = this.#answered;
    return client;
  }

  /** Returns the hub's list of a repository's files, parsed. */
  async list(repo: HubRepo): Promise<unknown> {
    const asked = this.#asked(repo);
    return await this.again(repo, async () => {
      const { response } = await this.#send(listUrl(this.endpoint, repo), { signal: this.#deadline() });
      if (!response.ok) throw await this.#refused(response, asked);
      try {
        return await boundedJson(response.body);
      } catch (cause) {
        if (isBroken(cause)) throw cause;
        const what = cause instanceof RangeError
          ? `with a list that is not a repository's: ${cause.message}`
          : "with something else";
        throw new HubError(
          "refused",
          `Cannot list the files of ${repo.repo}: ${this.endpoint} answers ${what}; is HF_ENDPOINT right?`,
          { cause },
        );
      }
    });
  }

  /**
   * Returns the hub's facts about a file.
   *
   * @throws {HubError} If they are not enough to check the file. A file whose ETag is not a hash is rejected; Git and
   * large-file storage both give a hash.
   */
  async head(repo: HubRepo, path: string): Promise<FileHead> {
    const asked = this.#asked(repo, path);
    return await this.again(repo, async () => {
      const { response, headers } = await this.#send(fileUrl(this.endpoint, repo, path), {
        method: "HEAD",
        signal: this.#deadline(),
      }, true);
      const commit = headers.get("x-repo-commit");
      if (!response.ok && !isRedirect(response)) throw await this.#refused(response, asked);
      const etag = (headers.get("x-linked-etag") ?? response.headers.get("etag"))?.replace(/^W\//, "").replaceAll(
        '"',
        "",
      );
      const fail = (what: string) =>
        new HubError(
          "refused",
          `Cannot get ${
            printable(path, 200)
          } of ${repo.repo}: ${this.endpoint} answers ${what}; is HF_ENDPOINT right, or a proxy in between?`,
        );
      if (!commit || !isCommit(commit) || !etag) throw fail("without its commit and ETag, as the hub does not");
      if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)) {
        throw fail(`with the ETag "${printable(etag, 80)}", which is not a hash to check the file by`);
      }
      const stated = headers.get("x-linked-size") ?? (response.ok ? response.headers.get("content-length") : null);
      if (stated === null) return { commit, etag, size: undefined };
      const size = /^\d+$/.test(stated) ? Number(stated) : NaN;
      if (!Number.isSafeInteger(size)) throw fail(`with the size "${printable(stated, 80)}"`);
      return { commit, etag, size };
    });
  }

  /** Requests a file's bytes from `start` on. The server may send the whole file anyway. */
  async get(repo: HubRepo, path: string, start: number, signal: AbortSignal): Promise<Response> {
    const { response } = await this.#send(fileUrl(this.endpoint, repo, path), {
      headers: start > 0 ? { range: `bytes=${start}-` } : {},
      signal,
    });
    if (!response.ok && response.status !== 416) throw await this.#refused(response, this.#asked(repo, path));
    const encoding = response.headers.get("content-encoding") ?? "identity";
    if (encoding === "identity") return response;
    await response.body?.cancel();
    throw new HubError(
      "refused",
      `Cannot get ${printable(path, 200)} of ${repo.repo}: it comes compressed (${
        printable(encoding, 40)
      }), though requested uncompressed; a proxy in between may do so`,
    );
  }

  /**
   * Retries until `work` succeeds, waiting longer each time, as long as the failure may be temporary.
   *
   * @param repo The repository's id, for messages.
   * @param work One try. It calls `reset` after progress, so that earlier failures no longer count.
   */
  async again<T>(repo: HubRepo, work: (reset: () => void) => Promise<T>): Promise<T> {
    let failures = 0;
    let waited = 0;
    while (true) {
      try {
        return await work(() => void (failures = 0));
      } catch (error) {
        this.options.signal?.throwIfAborted();
        const passing = error instanceof Refused ? isPassing(error.status) : isBroken(error);
        if (!passing) throw error instanceof Refused ? error.meaning : error;
        const wish = error instanceof Refused ? error.after : undefined;
        const seconds = wish ?? (this.options.backoffSeconds ?? 1) * 2 ** failures;
        // If the hub never answered, there may be no network: a long wait would not help.
        const tries = this.#answered ? TRIES : TRIES_UNANSWERED;
        if (++failures >= tries || waited + seconds > MOST_PATIENCE) throw this.#givenUp(error, repo, wish);
        waited += seconds;
        const why = error instanceof Refused ? `it answered ${error.status}` : reasonOf(error);
        if (seconds >= 1) {
          this.options.onNote?.(`Waiting ${Math.ceil(seconds)} s before asking ${this.endpoint} again: ${why}`);
        }
        await sleep(seconds, this.options.signal);
      }
    }
  }

  #givenUp(error: unknown, { repo }: HubRepo, wish: number | undefined): Error {
    if (error instanceof Refused && error.status === 429) {
      return new HubError(
        "unreachable",
        `Cannot get ${repo}: ${this.endpoint} answers 429, Too Many Requests${
          wish === undefined ? "" : `, and asks to wait ${Math.ceil(wish)} s`
        }; try again later${this.options.token ? "" : ", or log in with `hf auth login` or set HF_TOKEN"}`,
      );
    }
    if (error instanceof Refused) return error.meaning;
    return new HubError(
      "unreachable",
      `Cannot reach ${this.endpoint} for ${repo}: ${reasonOf(error)}`,
      { cause: error },
    );
  }

  #asked(repo: HubRepo, path?: string): Asked {
    return { endpoint: this.endpoint, repo, path, withToken: this.options.token !== undefined };
  }

  #deadline(): AbortSignal {
    const { signal, answerSeconds = 10 } = this.options;
    const late = AbortSignal.timeout(answerSeconds * 1000);
    return signal ? AbortSignal.any([signal, late]) : late;
  }

  async #refused(response: Response, asked: Asked): Promise<Refused> {
    await response.body?.cancel();
    return new Refused(response.status, httpError(response, asked), retryAfter(response.headers));
  }

  /**
   * Sends a request and follows its redirects. The headers returned are those of all responses on the way; of each
   * name, the first counts. The hub states its facts about a file in the same response that redirects to the bytes.
   *
   * @param untilKnown Stop at a redirect that has stated all facts about a file.
   */
  async #send(url: string, init: RequestInit, untilKnown = false): Promise<{ response: Response; headers: Headers }> {
    const { origin } = new URL(this.endpoint);
    const headers = new Headers();
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const send = new Headers(init.headers);
      // If compressed in transit, a file would have another length than stated.
      send.set("accept-encoding", "identity");
      send.set("user-agent", "kvcompress; deno");
      const { token, basic } = this.options;
      const proof = basic !== undefined ? `Basic ${basic}` : token !== undefined ? `Bearer ${token}` : undefined;
      if (proof !== undefined && new URL(url).origin === origin) send.set("authorization", proof);
      const response = await this.#fetch(url, { ...init, headers: send, redirect: "manual" });
      for (const [name, value] of response.headers) if (!headers.has(name)) headers.set(name, value);
      const location = response.headers.get("location");
      if (!isRedirect(response) || location === null) return { response, headers };
      if (untilKnown && headers.has("x-linked-etag") && headers.has("x-repo-commit")) return { response, headers };
      await response.body?.cancel();
      url = redirectTarget(location, url, this.endpoint);
    }
    throw new HubError("refused", `Cannot use ${this.endpoint}: it redirects more than ${MOST_REDIRECTS} times`);
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      const response = await fetch(url, init);
      this.#answered = true;
      return response;
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
      throw new HubError(
        "refused",
        `Cannot download from ${
          new URL(url).host
        }: ${this.endpoint} redirects there, and only the hub's own hosts may be reached; set HF_ENDPOINT if it is another hub's`,
        { cause },
      );
    }
  }
}

/** A response whose status is not a success. */
class Refused extends Error {
  /**
   * @param meaning The error to report.
   * @param after Seconds that it asks to wait.
   */
  constructor(readonly status: number, readonly meaning: HubError, readonly after: number | undefined) {
    super(meaning.message);
  }
}

function isRedirect({ status }: Response): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

async function sleep(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(done, seconds * 1000);
    function done() {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal!.reason);
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}
