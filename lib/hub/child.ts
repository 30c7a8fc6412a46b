import { NETWORK_ENV } from "../process/child_env.ts";
import { endWith, readLines, spawnDeno } from "../process/deno_child.ts";
import { HubError } from "./errors.ts";
import type { DownloadEvent, HubEvent, HubRequest } from "./protocol.ts";
import { DEFAULT_ENDPOINT, DOWNLOAD_ENV, SETTINGS_ENV } from "./settings.ts";

/** Where the hub's files lie: its own hosts, and those that it redirects large files to. */
const HUB_HOSTS = "huggingface.co,*.huggingface.co,*.hf.co";

/** The last word on a request. */
type EndOf<R extends HubRequest> = Extract<HubEvent, { type: R extends { type: "list" } ? "listed" : "fetched" }>;

/** What a download may be told and may tell. */
export interface ChildOptions {
  /** Told how far it is. */
  readonly onDownload?: ((event: DownloadEvent) => void) | undefined;
  /** Told what a person should know: a wait, another process that downloads the same. */
  readonly onNote?: ((message: string) => void) | undefined;
  /** Ends it; what is there of a file is gone on with next time. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a request in a process of its own, which may reach the net and read the token, so that whoever asks need not.
 *
 * @param request What is wanted.
 * @param endpoint The hub's address. A mirror may redirect anywhere, the hub itself only to hosts of its own.
 * @param options Whom to tell.
 * @returns The process's last word.
 * @throws {HubError} If it cannot be had.
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
      "--allow-read", // a link takes both, unscoped
      "--allow-write",
      "--allow-sys=statfs", // how much room the disk has
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
  // Ctrl-C reaches it as well as us, and its end may be seen before our own signal is.
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
      `Cannot download ${request.repo.repo}: the process that does so was ended (${
        by ?? `exit code ${code}`
      }); the system may be out of memory`,
    );
  }
  throw new Error(`Cannot download ${request.repo.repo}: the process that does so ended early\n${log}`.trimEnd());
}
