import { NETWORK_ENV } from "../process/child_env.ts";
import { endWith, readLines, spawnDeno } from "../process/deno_child.ts";
import { HubError } from "./errors.ts";
import type { DownloadEvent, HubEvent, HubRequest } from "./protocol.ts";
import { DEFAULT_ENDPOINT, DOWNLOAD_ENV, SETTINGS_ENV } from "./settings.ts";

/** Hosts of the hub's files: its own, and those to which it redirects large files. */
const HUB_HOSTS = "huggingface.co,*.huggingface.co,*.hf.co";

/** The event that ends a request. */
type EndOf<R extends HubRequest> = Extract<HubEvent, { type: R extends { type: "list" } ? "listed" : "fetched" }>;

/** Options of a download. */
export interface ChildOptions {
  /** Receives the progress. */
  readonly onDownload?: ((event: DownloadEvent) => void) | undefined;
  /** Receives notes for people: a wait, or another process that downloads the same file. */
  readonly onNote?: ((message: string) => void) | undefined;
  /** Ends the download. The next one resumes partial files. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a request in a child process. Only the child may reach the network and read the token, so the caller needs
 * neither permission.
 *
 * @param request The request.
 * @param endpoint The hub's address. A mirror may redirect anywhere; the hub itself only to its own hosts.
 * @param options Callbacks and the signal.
 * @returns The event that ends the request.
 * @throws {HubError} If the request fails.
 */
export async function runHubChild<R extends HubRequest>(
  request: R,
  endpoint: string,
  { onDownload, onNote, signal }: ChildOptions,
): Promise<EndOf<R>> {
  signal?.throwIfAborted();
  const process = spawnDeno({
    script: import.meta.resolve("./hub_main.ts"),
    permissions: [
      endpoint === DEFAULT_ENDPOINT ? `--allow-net=${HUB_HOSTS}` : "--allow-net",
      `--allow-env=${[...SETTINGS_ENV, ...DOWNLOAD_ENV].join(",")}`,
      "--allow-read", // making a link needs both permissions, unscoped
      "--allow-write",
      "--allow-sys=statfs", // free space of the disk
    ],
    env: [...SETTINGS_ENV, ...DOWNLOAD_ENV, ...NETWORK_ENV],
  });
  using _tie = endWith(process, signal);
  let last: HubEvent | undefined;
  const listen = (event: HubEvent) => {
    if (event.type === "download") onDownload?.(event);
    else if (event.type === "note") onNote?.(event.message);
    else last = event;
  };
  const writer = process.stdin.getWriter();
  const [{ signal: by, code }, log] = await Promise.all([
    process.status,
    new Response(process.stderr).text(),
    writer.write(new TextEncoder().encode(JSON.stringify(request))).then(() => writer.close()).catch(() => {}),
    readLines(process.stdout, (line) => listen(JSON.parse(line))),
  ]);
  // Ctrl-C reaches the child as well. Its end may be seen before this process handles the signal.
  if (signal && (by === "SIGINT" || by === "SIGTERM" || by === "SIGHUP")) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  signal?.throwIfAborted();
  if (last?.type === "listed" || last?.type === "fetched") return last as EndOf<R>;
  if (last?.type === "error" && last.kind !== "bug") {
    throw new HubError(last.kind === "mistake" ? "refused" : last.kind, last.message);
  }
  if (by !== null || last === undefined && log === "") {
    throw new HubError(
      "refused",
      `Cannot download ${request.repo.repo}: the download process was ended (${
        by ?? `exit code ${code}`
      }); the system may be out of memory`,
    );
  }
  throw new Error(`Cannot download ${request.repo.repo}: the download process ended early\n${log}`.trimEnd());
}
