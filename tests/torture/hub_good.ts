/** A correct hub; a case damages one of its answers. */
import { gitHash, sha256 } from "../hub/_hub_server.ts";
import { type Answer, head, type RawRequest } from "./hub_server.ts";

/** The repository's commit. */
export const COMMIT = "a".repeat(40);

/** Kind of request: the list, a file's facts, the redirect to it, or its bytes on the other server. */
export type Place = "list" | "head" | "get" | "cdn";

/** A repository's files. */
export type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

const isLarge = (path: string) => path.endsWith(".safetensors");

/** Returns the hub's hash of a file. */
export const etagOf = (path: string, bytes: Uint8Array): string => isLarge(path) ? sha256(bytes) : gitHash(bytes);

/** Returns the kind of a request; undefined if no client of the hub sends it. */
export function placeOf({ method, path }: RawRequest): Place | undefined {
  if (path.startsWith("/api/")) return "list";
  if (path.startsWith("/cdn/")) return "cdn";
  if (!path.includes("/resolve/")) return undefined;
  return method === "HEAD" ? "head" : "get";
}

/** Returns the file's name in a request. */
export const nameIn = ({ path }: RawRequest): string =>
  path.split("/").slice(path.startsWith("/cdn/") ? 2 : 5).join("/");

/** Returns the siblings of a list, as on the hub. */
export function siblingsOf(files: Files): Record<string, unknown>[] {
  return Object.entries(files).map(([rfilename, bytes]) => ({
    rfilename,
    size: bytes.length,
    blobId: gitHash(bytes),
    ...(isLarge(rfilename) ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } } : {}),
  }));
}

/** Returns the hub's headers for a file. */
export function headersOf(name: string, bytes: Uint8Array): [string, string][] {
  const etag = `"${etagOf(name, bytes)}"`;
  return [
    ["x-repo-commit", COMMIT],
    ...(isLarge(name)
      ? [["x-linked-etag", etag], ["x-linked-size", `${bytes.length}`], ["location", `/cdn/${name}`]]
      : [["etag", etag]]) as [string, string][],
  ];
}

/** Makes a whole answer. */
export const answerWith =
  (status: number, headers: readonly (readonly [string, string])[], body: Uint8Array | string = ""): Answer =>
  async (_, write) => {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    await write(head(status, [...headers, ["content-length", `${bytes.length}`]]));
    await write(bytes);
  };

/** Makes an answer with the bytes, or with those that a range asks for. */
export function bytesFrom(bytes: Uint8Array, headers: readonly (readonly [string, string])[] = []): Answer {
  return async ({ method, start }, write) => {
    const [from, all] = [start ?? 0, bytes.length];
    if (start !== undefined && start >= all) return await write(head(416, [["content-length", "0"]]));
    const range = start === undefined ? [] : [["content-range", `bytes ${from}-${all - 1}/${all}`] as const];
    await write(head(start === undefined ? 200 : 206, [...headers, ...range, ["content-length", `${all - from}`]]));
    if (method !== "HEAD") await write(bytes.subarray(from));
  };
}

/** Answers like a correct hub. */
export function goodAnswer(files: Files, cdn: string): Answer {
  return async (request, write) => {
    const place = placeOf(request);
    const name = nameIn(request);
    const bytes = Object.hasOwn(files, name) ? files[name]! : undefined;
    if (place === "list") {
      const body = JSON.stringify({ id: "org/name", sha: COMMIT, siblings: siblingsOf(files) });
      return await answerWith(200, [["content-type", "application/json"]], body)(request, write);
    }
    if (place === undefined || bytes === undefined) {
      const headers = [["x-error-code", "EntryNotFound"], ["x-repo-commit", COMMIT]] as const;
      return await answerWith(404, headers)(request, write);
    }
    if (place === "cdn") return await bytesFrom(bytes)(request, write);
    const headers = headersOf(name, bytes).map(([key, value]) =>
      [key, key === "location" ? `${cdn}${value}` : value] as const
    );
    if (!isLarge(name)) return await bytesFrom(bytes, headers)(request, write);
    await write(head(302, [...headers, ["content-length", "0"]]));
  };
}
