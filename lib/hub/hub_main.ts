/**
 * The process that downloads from the hub: reads one request from standard input, reports on standard output. Only this
 * process may reach the network and read the user's token.
 *
 * @module
 */
import { endWithParent } from "../process/end_with_parent.ts";
import { InputError } from "../util/errors.ts";
import { printable } from "../util/printable.ts";
import { HubCache } from "./cache.ts";
import { HubClient } from "./client.ts";
import { HubError } from "./errors.ts";
import { fetchFile } from "./fetch_file.ts";
import { fetchList } from "./fetch_list.ts";
import { fetchModel } from "./fetch_model.ts";
import type { DownloadEvent, HubEvent, HubRequest } from "./protocol.ts";
import { repoOf } from "./repo.ts";
import { DownloadCounter } from "./download_counter.ts";
import { hubBasic, hubSettings, hubToken, secondsOf } from "./settings.ts";

/** Time between two progress reports, ms. */
const REPORT_MS = 100;

/** Limits a message, whatever the hub and the system put into it. */
const said = (message: string) => printable(message, 2000);

const encoder = new TextEncoder();

function emit(event: HubEvent): void {
  const line = encoder.encode(JSON.stringify(event) + "\n");
  for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
}

/** Reports a download's progress, at most once in `REPORT_MS`. */
function report(): (event: DownloadEvent) => void {
  let last = -Infinity;
  let filesDone = -1;
  return (event) => {
    const now = performance.now();
    if (now - last < REPORT_MS && event.filesDone === filesDone) return;
    last = now;
    filesDone = event.filesDone;
    emit(event);
  };
}

async function run(request: HubRequest): Promise<void> {
  const env = Deno.env.get;
  const { endpoint, cache: root } = hubSettings(env);
  const cache = new HubCache(root, repoOf(request.repo));
  const client = new HubClient({
    endpoint,
    token: hubToken(env),
    basic: hubBasic(env),
    answerSeconds: secondsOf(env("HF_HUB_ETAG_TIMEOUT"), 10),
    stallSeconds: secondsOf(env("HF_HUB_DOWNLOAD_TIMEOUT"), 10),
    onNote: (message) => emit({ type: "note", message: said(message) }),
  });
  const onProgress = report();
  switch (request.type) {
    case "list": {
      const { commit, listing } = await fetchList(client, cache);
      await cache.writeCommit(commit).catch(() => {});
      return emit({ type: "listed", commit, files: Object.keys(listing) });
    }
    case "file": {
      const counter = new DownloadCounter(cache.repo.repo, onProgress);
      counter.expect(request.path, undefined);
      const path = await fetchFile(client, cache, request.path, (...bytes) => counter.bytes(...bytes));
      counter.finish(request.path);
      return emit({ type: "fetched", path });
    }
    case "model":
      return emit({ type: "fetched", path: await fetchModel(client, cache, onProgress, request.dtype) });
  }
}

if (import.meta.main) {
  endWithParent();
  try {
    await run(JSON.parse(await new Response(Deno.stdin.readable).text()));
  } catch (error) {
    const kind = error instanceof HubError ? error.kind : error instanceof InputError ? "mistake" : "bug";
    emit({ type: "error", kind, message: said(error instanceof Error ? error.message : String(error)) });
    if (kind === "bug") console.error(error);
    Deno.exit(1);
  }
}
