/** A server on loopback that answers like the Hugging Face hub, and a second one for its large files. */
import { createHash } from "node:crypto";

/** A request, as the servers received it. */
export interface Seen {
  readonly host: "hub" | "cdn";
  readonly method: string;
  readonly path: string;
  readonly range: string | null;
  readonly token: string | null;
}

/** A repository: its branches and tags, and the files of each commit. */
export interface Repo {
  readonly refs: Record<string, string>;
  readonly commits: Record<string, Record<string, Uint8Array<ArrayBuffer>>>;
}

/** Makes a commit's hash that tests can distinguish: one digit, forty times. */
export const commitOf = (digit: string): string => digit.repeat(40);

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
export const gitHash = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Whether the hub has a file in large-file storage. */
const isLarge = (path: string) => /\.(safetensors|bin|parquet)$/.test(path);

export class HubServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** Answers in place of the hub if it returns a response. */
  intercept: (seen: Seen) => Response | undefined | Promise<Response | undefined> = () => undefined;
  readonly #hub: Deno.HttpServer<Deno.NetAddr>;
  readonly #cdn: Deno.HttpServer<Deno.NetAddr>;

  /** @param repos Repositories, by the path before `resolve`: "org/name", "datasets/org/name". */
  constructor(readonly repos: Record<string, Repo>) {
    const options = {
      hostname: "127.0.0.1",
      port: 0,
      onListen() {},
      onError: () => new Response(null, { status: 500 }),
    };
    this.#hub = Deno.serve(options, (request) => this.#answer("hub", request));
    this.#cdn = Deno.serve(options, (request) => this.#answer("cdn", request));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#hub.addr.port}`;
  }

  get cdn(): string {
    return `http://127.0.0.1:${this.#cdn.addr.port}`;
  }

  /** Returns the requests as "hub GET /path". */
  get log(): string[] {
    return this.seen.map(({ host, method, path }) => `${host} ${method} ${path}`);
  }

  async #answer(host: "hub" | "cdn", request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const seen = {
      host,
      method: request.method,
      path: decodeURIComponent(pathname),
      range: request.headers.get("range"),
      token: request.headers.get("authorization"),
    };
    this.seen.push(seen);
    const other = await this.intercept(seen);
    if (other) return other;
    if (host === "cdn") return this.#large(seen);
    const [, kind, id, asked] = /^\/api\/(model|dataset)s\/(.+)\/revision\/(.+)$/.exec(seen.path) ?? [];
    if (kind !== undefined) return this.#list(kind === "dataset" ? `datasets/${id}` : id!, asked!);
    const [, repo, revision, path] = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(pathname) ?? [];
    return repo === undefined
      ? refused(404, "RepoNotFound")
      : this.#file(repo, decodeURIComponent(revision!), path!, seen);
  }

  #list(id: string, revision: string): Response {
    const repo = this.repos[id];
    if (!repo) return refused(401, "RepoNotFound");
    const commit = repo.refs[revision] ?? revision;
    const files = repo.commits[commit];
    if (!files) return refused(404, "RevisionNotFound");
    const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.length,
      blobId: gitHash(bytes),
      ...(isLarge(rfilename) ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } } : {}),
    }));
    return Response.json({ id, sha: commit, siblings });
  }

  #file(id: string, revision: string, path: string, seen: Seen): Response {
    const repo = this.repos[id];
    if (!repo) return refused(401, "RepoNotFound");
    const commit = repo.refs[revision] ?? revision;
    const files = repo.commits[commit];
    if (!files) return refused(404, "RevisionNotFound");
    const bytes = files[decodeURIComponent(path)];
    if (!bytes) return refused(404, "EntryNotFound", { "x-repo-commit": commit });
    if (!isLarge(path)) return partOf(bytes, seen, { etag: `"${gitHash(bytes)}"`, "x-repo-commit": commit });
    return new Response(null, {
      status: 302,
      headers: {
        location: `${this.cdn}/${id}/${commit}/${path}?X-Signature=abc`,
        "x-repo-commit": commit,
        "x-linked-etag": `"${sha256(bytes)}"`,
        "x-linked-size": `${bytes.length}`,
        etag: `"of-the-redirect"`,
      },
    });
  }

  #large(seen: Seen): Response {
    const [, id, commit, path] = /^\/(.+?)\/([0-9a-f]{40})\/(.+)$/.exec(seen.path)!;
    return partOf(this.repos[id!]!.commits[commit!]![path!]!, seen, { etag: '"another-hash"' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#hub.shutdown(), this.#cdn.shutdown()]);
  }
}

/** Makes a response with the bytes, or with those that Range asks for. */
export function partOf(
  bytes: Uint8Array<ArrayBuffer>,
  { method, range }: Pick<Seen, "method" | "range">,
  headers: Record<string, string> = {},
): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  if (start > 0 && start >= bytes.length) return new Response(null, { status: 416, headers });
  const all = { ...headers, "accept-ranges": "bytes", "content-length": `${bytes.length - start}` };
  if (method === "HEAD") return new Response(null, { headers: all });
  if (start === 0) return new Response(bytes, { headers: all });
  const range206 = { ...all, "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  return new Response(bytes.subarray(start), { status: 206, headers: range206 });
}

/** Makes a response that ends in the middle, with fewer bytes than its headers state. */
export function broken(bytes: Uint8Array<ArrayBuffer>, { range }: Pick<Seen, "range">, count: number): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async start(controller) {
      controller.enqueue(bytes.subarray(start, start + count));
      await new Promise((resolve) => setTimeout(resolve, 20)); // until it is sent
      controller.error(new Error("broken off"));
    },
  });
  const headers = {
    "content-length": `${bytes.length - start}`,
    "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
  };
  return new Response(body, { status: start > 0 ? 206 : 200, headers });
}

/** Makes an error response of the hub. */
export function refused(status: number, code: string, headers: Record<string, string> = {}): Response {
  return new Response("no", {
    status,
    headers: { "x-error-code": code, "x-error-message": `said ${code}`, ...headers },
  });
}
