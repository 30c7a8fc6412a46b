/**
 * The process that downloads files of the project for bringAssets(), into its working folder. It may reach only the
 * project's own host.
 *
 *     deno run --allow-net=HOST --allow-read=. --allow-write=. URL/lib/util/assets_main.ts PARENT URL/ PATH…
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "@std/path";
import manifest from "../assets/manifest.json" with { type: "json" };
import { writeAtomic } from "../util/write_atomic.ts";
import { endWithParent } from "./end_with_parent.ts";

/** Longest wait for a host's answer, ms. */
const ANSWER_MS = 60_000;

async function download(url: URL, sha256: string, path: string): Promise<void> {
  const failed = (reason: string) => new Error(`Cannot download ${url.href}: ${reason}`);
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), ANSWER_MS);
  let response: Response;
  try {
    response = await fetch(url, { signal: patience.signal });
  } catch (error) {
    throw failed(patience.signal.aborted ? `no answer in ${ANSWER_MS / 1000} s` : (error as Error).message);
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw failed(`the server answered ${response.status} ${response.statusText}`.trimEnd());
  }
  const bytes = await response.bytes();
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) throw failed(`found SHA-256 ${found}, this version of kvcompress has ${sha256}`);
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeAtomic(path, bytes);
}

if (import.meta.main) {
  endWithParent();
  try {
    const [, project, ...paths] = Deno.args;
    const hashes = new Map(manifest.map(({ path, sha256 }) => [path, sha256]));
    for (const path of paths) await download(new URL(path, project), hashes.get(path)!, path);
  } catch (error) {
    // The parent reads the reason from the last line.
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
