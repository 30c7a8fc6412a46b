/** Runs the hub's client against hostile hubs, on loopback, and reports the result of each case. */
import { join, relative } from "@std/path";
import { digestOfFile } from "../../lib/util/digest.ts";
import { InputError } from "../../lib/util/errors.ts";
import { HubCache } from "../../lib/hub/cache.ts";
import { HubClient } from "../../lib/hub/client.ts";
import { fetchModel } from "../../lib/hub/fetch_model.ts";
import { Bench, TemporaryFolder } from "../bench/_bench.ts";
import { Chance } from "./chance.ts";
import { type Damage, DAMAGES } from "./hub_damage.ts";
import { type Files, goodAnswer, placeOf } from "./hub_good.ts";
import { type Answer, RawServer } from "./hub_server.ts";

import type { TortureOptions, Verdict } from "./verdict.ts";

/** Longest time for a case, s: in this process, where tries follow at once, and as a command. */
const LIMIT_SECONDS = 40;
const LIMIT_SECONDS_WHOLE = 150;
/** Bytes allowed on the disk in addition to the stated ones: locks, links, lists. */
const SLACK_BYTES = 2 ** 20;
/** Largest file without a stated size in these runs, bytes. */
const UNSTATED_BYTES = 8 * 2 ** 20;
const TOKEN = "hf_torture_token";
const PASSWORD = "torture-password";

/** The case of a seed. */
interface Case {
  readonly damage: Damage;
  readonly files: Files;
  readonly hub: RawServer;
  readonly cdn: RawServer;
  readonly folder: TemporaryFolder;
}

/** How the work ended: without an error, or with this one. */
type End = { readonly error?: unknown; readonly said: readonly string[] };

/**
 * Runs cases. Each seed takes one damage of the list in turn, and draws its details. All run in this process, where the
 * client need not wait between tries; some also run by the command line.
 *
 * @param options How many cases, and how many of them by the command line.
 */
export async function* run({ seed, count, wholeOneIn }: TortureOptions): AsyncIterable<Verdict> {
  for (let i = 0; i < count; i++) {
    const verdict = await runCase(seed + i, false);
    if (verdict.outcome === "failed" || i % wholeOneIn !== wholeOneIn - 1) yield verdict;
    else {
      const whole = await runCase(seed + i, true);
      yield { ...whole, ms: verdict.ms + whole.ms };
    }
  }
}

/** Runs one case. */
export async function runCase(seed: number, whole: boolean): Promise<Verdict> {
  const chance = new Chance(seed);
  await using folder = new TemporaryFolder();
  const own = {
    "config.json": new TextEncoder().encode("{}"),
    "tokenizer.json": bytesOf(chance, 2000),
    "model.safetensors": bytesOf(chance, 200_000),
  };
  const answers: { good?: Answer } = {};
  const answer: Answer = async (request, write) => {
    const place = placeOf(request);
    const bad = place && damage.answer(place, request);
    await (bad ?? answers.good!)(request, write);
  };
  await using hub = new RawServer(answer);
  await using cdn = new RawServer(answer);
  const outside = join(folder.path, "outside");
  const damage = DAMAGES[((seed % DAMAGES.length) + DAMAGES.length) % DAMAGES.length]!({
    chance,
    files: own,
    outside,
    cdn: () => cdn.address,
  });
  const files = damage.files ?? own;
  answers.good = goodAnswer(files, cdn.address);
  const began = performance.now();
  const { outcome, detail } = await judge({ damage, files, hub, cdn, folder }, whole);
  return { group: "hub", seed, damage: damage.what, outcome, whole, detail, ms: Math.round(performance.now() - began) };
}

function bytesOf(chance: Chance, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => chance.below(256));
}

async function judge(world: Case, whole: boolean): Promise<Pick<Verdict, "outcome" | "detail">> {
  const { folder, files, cdn } = world;
  Deno.mkdirSync(join(folder.path, "cache"));
  let most = 0;
  const meter = setInterval(() => most = Math.max(most, bytesIn(folder.path)), 20);
  const end = await (whole ? command(world) : client(world));
  clearInterval(meter);
  most = Math.max(most, bytesIn(folder.path));
  const stated = Object.values(files).reduce((sum, { length }) => sum + length, 0);
  const unstated = world.damage.what.startsWith("no size anywhere") ? (whole ? 256 * 2 ** 20 : UNSTATED_BYTES) : 0;
  const faults = [
    ...faultsOf(end),
    ...await faultsOfCache(folder.path),
    ...(most > stated + unstated + listBytes(folder.path) + SLACK_BYTES
      ? [`${most} bytes on the disk, and ${stated} were stated`]
      : []),
    ...(cdn.seen.some(({ authorization }) => authorization !== undefined)
      ? ["a secret was sent to another origin"]
      : []),
  ];
  if (faults.length > 0) return { outcome: "failed", detail: faults.join("; ") };
  return end.error === undefined
    ? { outcome: "taken", detail: "" }
    : { outcome: "refused", detail: end.error instanceof Error ? end.error.message : String(end.error) };
}

/** Runs the client in this process. */
async function client({ hub, folder }: Case): Promise<End> {
  const said: string[] = [];
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("hang")), LIMIT_SECONDS * 1000);
  const hubClient = new HubClient({
    endpoint: hub.address,
    token: TOKEN,
    signal: controller.signal,
    answerSeconds: 0.6,
    stallSeconds: 0.6,
    backoffSeconds: 0.001,
    mostUnstatedBytes: UNSTATED_BYTES,
    onNote: (note) => said.push(note),
  });
  const cache = new HubCache(join(folder.path, "cache"), { repo: "org/name", type: "model", revision: "main" });
  try {
    await fetchModel(hubClient, cache, () => {});
    return { said };
  } catch (error) {
    return { error, said };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs the command line. The fetched files are not a model, so even a harmless case is refused. */
async function command({ hub, folder }: Case): Promise<End> {
  const bench = new Bench([
    "--model_id",
    "org/name",
    "--device",
    "cpu",
    "--output",
    join(folder.path, "cache", "results"),
  ], {
    env: {
      HF_HOME: join(folder.path, "cache"),
      HF_ENDPOINT: hub.address.replace("//", `//ada:${PASSWORD}@`),
      HF_TOKEN: TOKEN,
      HF_HUB_ETAG_TIMEOUT: "0.6",
      HF_HUB_DOWNLOAD_TIMEOUT: "0.6",
    },
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    bench.process.kill("SIGKILL");
  }, LIMIT_SECONDS_WHOLE * 1000);
  const { code, stdout, stderr } = await bench.ended;
  clearTimeout(timer);
  const { signal } = await bench.process.status;
  const lines = (stdout + stderr).trimEnd().split("\n");
  if (isLate) return { error: new Error("hang"), said: lines };
  if (signal !== null || code !== 2) {
    return { error: new Error(`exit code ${code}, ${signal}: ${stderr}`), said: lines };
  }
  return { error: new InputError(lines.at(-1)!.replace(/^.*?(?=Cannot )/, "")), said: lines };
}

/** Returns what is wrong with its end and its output. */
export function faultsOf({ error, said }: End): string[] {
  const faults: string[] = [];
  const message = error instanceof Error ? error.message : undefined;
  if (error !== undefined && !(error instanceof InputError)) faults.push(`no refusal: ${Deno.inspect(error)}`);
  for (const text of [...said, ...(message === undefined ? [] : [message])]) {
    // deno-lint-ignore no-control-regex
    if (/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(text)) {
      faults.push(`control characters: ${JSON.stringify(text)}`);
    }
    if (/^\s+at .*:\d+/.test(text)) faults.push(`a stack trace: ${text}`);
    if (text.length > 1500) faults.push(`${text.length} characters: ${text.slice(0, 200)}`);
    if (text.includes(TOKEN) || text.includes(PASSWORD)) faults.push(`a secret: ${text}`);
  }
  if (message !== undefined && error instanceof InputError && !/^Cannot \w+/.test(message)) {
    faults.push(`unclear: ${message}`);
  }
  return faults;
}

/** Returns what is wrong on the disk: something outside of the cache, or a file that counts as complete and is not. */
export async function faultsOfCache(folder: string): Promise<string[]> {
  const faults = [...Deno.readDirSync(folder)].filter(({ name }) => name !== "cache").map(({ name }) =>
    `wrote ${name}`
  );
  const root = Deno.realPathSync(folder);
  for (const path of walk(join(folder, "cache"))) {
    const parts = relative(folder, path).split("/");
    const info = Deno.lstatSync(path);
    const name = parts.at(-1)!;
    if (info.isSymlink) {
      const target = relative(root, Deno.realPathSync(path)).split("/");
      if (!target.includes("blobs") || target[0] !== "cache") faults.push(`a link to ${target.join("/")}`);
    } else if (parts.includes("blobs") && !name.endsWith(".incomplete")) {
      const hashes = [
        await digestOfFile(path, "sha256"),
        await digestOfFile(path, "git"),
        await digestOfFile(path, "sha1"),
      ];
      if (!hashes.includes(name)) faults.push(`blob ${name} has other bytes`);
    } else if (parts.includes("snapshots")) faults.push(`a file where links belong: ${name}`);
  }
  return faults;
}

function* walk(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* walk(path);
    else yield path;
  }
}

function bytesIn(folder: string): number {
  let bytes = 0;
  try {
    for (const path of walk(folder)) bytes += Deno.lstatSync(path).size;
  } catch {
    // A file was removed during the check.
  }
  return bytes;
}

/** Returns the bytes of the cached list, which the hub stated by sending it. */
function listBytes(folder: string): number {
  return [...walk(join(folder, "cache"))].filter((path) => path.includes("/trees/"))
    .reduce((sum, path) => sum + Deno.lstatSync(path).size, 0);
}

if (import.meta.main) {
  const [seed = "1", count = "100", wholeOneIn = "10"] = Deno.args;
  for await (const verdict of run({ seed: Number(seed), count: Number(count), wholeOneIn: Number(wholeOneIn) })) {
    console.log(JSON.stringify(verdict));
  }
}
