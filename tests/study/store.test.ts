/** The store of a sweep: claims, cells, under processes that really race and die. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { Cells } from "../../lib/study/store/cells.ts";
import { Claims } from "../../lib/study/store/claims.ts";
import { layoutOf } from "../../lib/study/store/layout.ts";
import { isOver, Life } from "../../lib/study/store/life.ts";
import { Store } from "../../lib/study/store/store.ts";
import { InputError } from "../../lib/util/errors.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { inventResults } from "../report/_invent.ts";

const RACER = fromFileUrl(import.meta.resolve("./_racer.ts"));

/** Starts a process that claims and stores; see _racer.ts. */
function race(folder: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-read", "--allow-write", "--allow-env", "--allow-sys", RACER, folder, ...args],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function linesOf(process: Deno.ChildProcess): Promise<string[]> {
  return new TextDecoder().decode((await process.output()).stdout).split("\n").filter(Boolean);
}

const record = (key: string) => ({
  ...{ key, name: "streaming_8", terms: {}, configuration: {}, inputs: {} },
  ...{ job: "j", host: "h", stored: "2026-01-01T00:00:00Z" },
});

Deno.test("a life is over when its process ends, and not before", async () => {
  await using folder = new TemporaryFolder();
  const options = { folder: folder.path, host: "a host/with: signs", pid: Deno.pid };
  const life = await Life.begin(options);
  equal(await isOver(folder.path, life.name), false);
  await life[Symbol.asyncDispose]();
  equal(await isOver(folder.path, life.name), true);
  deepEqual(folder.names(), []);
});

Deno.test("of claims on one thing, one is granted; it is free again when released", async () => {
  await using folder = new TemporaryFolder();
  await using a = await Store.open(folder.path);
  await using b = await Store.open(folder.path);
  const { claim } = await a.claims.take("job");
  const { heldBy } = await b.claims.take("job");
  equal(heldBy?.pid, Deno.pid);
  await claim![Symbol.asyncDispose]();
  const again = await b.claims.take("job");
  ok(again.claim);
  equal(again.claim.previous, undefined);
  await again.claim[Symbol.asyncDispose]();
  deepEqual(folder.names("claims"), []);
});

Deno.test("a claim of another machine is taken over once its heart has not beaten for the stale time", async () => {
  await using folder = new TemporaryFolder();
  let now = 0;
  const { claims: path, workers } = layoutOf(folder.path);
  await using far = await Life.begin({ folder: workers, host: "far", pid: 1 });
  await using near = await Life.begin({ folder: workers, host: "near", pid: 2 });
  using theirs = new Claims({ folder: path, life: far, stale: 1e6 });
  using ours = new Claims({ folder: path, life: near, stale: 100, now: () => now });
  const { claim } = await theirs.take("job");
  equal((await ours.take("job")).heldBy?.host, "far");
  now += 99_000;
  equal((await ours.take("job")).heldBy?.host, "far");
  await theirs.beat();
  now += 99_000;
  equal((await ours.take("job")).heldBy?.host, "far", "it has beaten meanwhile");
  now += 100_000;
  const taken = await ours.take("job");
  equal(taken.claim?.previous?.host, "far");
  equal(claim!.lost.aborted, false);
  await theirs.beat();
  equal(claim!.lost.aborted, true, "the old owner notices");
  await claim![Symbol.asyncDispose]();
  equal((await ours.ownerOf("job"))?.host, "near", "a lost claim releases nothing");
  await taken.claim![Symbol.asyncDispose]();
});

Deno.test("a claim without its owner's file is taken over after the stale time", async () => {
  await using folder = new TemporaryFolder();
  let now = 0;
  const { claims: path, workers } = layoutOf(folder.path);
  await using life = await Life.begin({ folder: workers, host: "near", pid: 2 });
  using claims = new Claims({ folder: path, life, stale: 10, now: () => now });
  await Deno.mkdir(join(path, "job"), { recursive: true });
  await Deno.writeTextFile(join(path, "job", "beat"), "1\n");
  deepEqual(await claims.take("job"), { heldBy: undefined });
  now += 10_000;
  ok((await claims.take("job")).claim);
});

Deno.test("four processes that race for 60 claims hold each once, and store each cell once", async () => {
  await using folder = new TemporaryFolder();
  const lines = (await Promise.all([1, 2, 3, 4].map(() => linesOf(race(folder.path, "claim", "60"))))).flat();
  const stored = lines.filter((line) => line.startsWith("stored ")).sort();
  deepEqual(stored, Array.from({ length: 60 }, (_, i) => `stored ${i}`).sort());
  equal(lines.filter((line) => line.startsWith("together ")).length, 0, "two held a claim at the same time");
  equal(folder.names("cells")!.length, 60);
  deepEqual(folder.names("claims"), []);
});

Deno.test("four processes store the same cells: each is stored once, and whole", async () => {
  await using folder = new TemporaryFolder();
  const lines = (await Promise.all([1, 2, 3, 4].map(() => linesOf(race(folder.path, "store", "40"))))).flat();
  deepEqual(lines.sort(), Array.from({ length: 40 }, (_, i) => `stored ${i}`).sort());
  for (const key of folder.names("cells")!) deepEqual(folder.names("cells", key), ["cell.json", "results.json"]);
});

Deno.test("the claim of a killed process is taken over at once, on the same machine", async () => {
  await using folder = new TemporaryFolder();
  const process = race(folder.path, "hold");
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  equal((await lines.read()).value, "holding\n");
  await using store = await Store.open(folder.path);
  equal((await store.claims.take("job")).heldBy?.pid, process.pid);
  process.kill("SIGKILL");
  await process.status;
  const { claim } = await store.claims.take("job");
  equal(claim?.previous?.pid, process.pid);
  await claim![Symbol.asyncDispose]();
  await lines.cancel();
  // What it left is removed later: a lock that is new may belong to a process that begins.
  const locks = () => folder.names("workers")!.filter((name) => name.includes(`-${process.pid}-`));
  await using _second = await Store.open(folder.path);
  equal(locks().length, 1);
  await Deno.utime(join(folder.path, "workers", locks()[0]!), 1, 1);
  await using _third = await Store.open(folder.path);
  equal(locks().length, 0);
});

Deno.test("a cell that is stored ends its failure, and does not fail any more", async () => {
  await using folder = new TemporaryFolder();
  await using store = await Store.open(folder.path);
  const { cells } = store;
  const attempt = { reason: "out of memory", log: "", code: 137, host: "h", at: "2026-01-01T00:00:00Z" };
  const { stored: _, host: __, ...failed } = record("a");
  await cells.fail(failed, attempt);
  await cells.fail(failed, { ...attempt, reason: "again" });
  deepEqual((await cells.failure("a"))?.attempts.map(({ reason }) => reason), ["out of memory", "again"]);
  deepEqual([...await cells.failed()], ["a"]);
  equal(await cells.store(store.staging, record("a"), inventResults({ baseline: [{}], streaming_8: [{}] })), true);
  equal(await cells.store(store.staging, record("a"), inventResults({ baseline: [{}], streaming_8: [{}] })), false);
  deepEqual([...await cells.failed()], []);
  await cells.fail(failed, attempt);
  deepEqual([...await cells.failed()], []);
  equal((await new Cells(store.layout).read("a")).name, "streaming_8");
});

Deno.test("a folder of other files is refused, and a plan that is replaced stays", async () => {
  await using folder = new TemporaryFolder();
  await Deno.mkdir(join(folder.path, "other"));
  await Deno.writeTextFile(join(folder.path, "other", "thesis.tex"), "");
  const mistake = await Store.open(join(folder.path, "other")).catch((error) => error);
  ok(mistake instanceof InputError);
  ok(/it holds other files, such as thesis.tex/.test(mistake.message), mistake.message);
  await using store = await Store.open(join(folder.path, "sweep"));
  await store.keepPlan({ a: 1 });
  await store.keepPlan({ a: 1 });
  equal(folder.names("sweep", "plans"), undefined);
  await store.keepPlan({ a: 2 });
  equal(folder.names("sweep", "plans")!.length, 1);
});

Deno.test("what a worker of a machine with a longer name left is not removed: its lock says nothing here", async () => {
  await using folder = new TemporaryFolder();
  const old = new Date(Date.now() - 3600_000);
  const lock = (name: string) => join(folder.path, "workers", `${name}.lock`);
  await Deno.mkdir(join(folder.path, "workers"));
  for (const name of ["node1-5-0123abcd", "node1-2-5-0123abcd"]) {
    await Deno.writeTextFile(lock(name), "");
    await Deno.utime(lock(name), old, old);
  }
  await using _store = await Store.open(folder.path, { host: "node1" });
  const names = folder.names("workers")!;
  ok(!names.includes("node1-5-0123abcd.lock"));
  ok(names.includes("node1-2-5-0123abcd.lock"));
});

Deno.test("signs of life: a heartbeat that changed while this process watched, not long ago", async () => {
  await using folder = new TemporaryFolder();
  let now = 0;
  const { claims: path, workers } = layoutOf(folder.path);
  await using far = await Life.begin({ folder: workers, host: "far", pid: 1 });
  await using near = await Life.begin({ folder: workers, host: "near", pid: 2 });
  using theirs = new Claims({ folder: path, life: far, stale: 1e6 });
  using ours = new Claims({ folder: path, life: near, stale: 100, now: () => now });
  const { claim } = await theirs.take("job");
  const look = async () => {
    await ours.take("job");
    return ours.isAlive("job");
  };
  equal(await look(), false, "seen once");
  now += 10_000;
  equal(await look(), false, "no beat since");
  await theirs.beat();
  equal(await look(), true);
  now += 60_000;
  equal(await look(), false, "silent for more than half of the stale time");
  await claim![Symbol.asyncDispose]();
});

Deno.test("a few cells are looked at without listing all", async () => {
  await using folder = new TemporaryFolder();
  await using store = await Store.open(folder.path);
  const { stored: _, host: __, ...failed } = record("b");
  await store.cells.store(store.staging, record("a"), inventResults({ baseline: [{}], streaming_8: [{}] }));
  await store.cells.fail(failed, { reason: "r", log: "", code: 1, host: "h", at: "" });
  await store.cells.refresh();
  const { done, failed: lost } = await store.cells.stateOf(["a", "b", "c"]);
  deepEqual([[...done], [...lost]], [["a"], ["b"]]);
  deepEqual([folder.names("cells"), folder.names("failed")], [["a"], ["b.json"]], "refreshing leaves nothing");
});
