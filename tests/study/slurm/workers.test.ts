/** What a worker on a cluster takes, waits for and leaves; cells that are measured at once. */
import { deepEqual } from "node:assert/strict";
import { Claims } from "../../../lib/study/store/claims.ts";
import { Life } from "../../../lib/study/store/life.ts";
import { Store } from "../../../lib/study/store/store.ts";
import { runSweep, type SweepOptions } from "../../../lib/study/work/run_sweep.ts";
import { TemporaryFolder } from "../../bench/_bench.ts";
import { inventResults } from "../../report/_invent.ts";
import { stubJobs } from "./_stub_jobs.ts";

const results = inventResults({ baseline: [{}], streaming_8: [{}] });
const machine = { device: "cpu", hardware: "stub" } as const;

/** Stores a cell without measuring it. */
async function storeCell(store: Store, key: string, job: string): Promise<void> {
  const title = { key, name: "streaming_8", terms: {}, configuration: {}, inputs: {} };
  await store.cells.store(store.staging, { ...title, job, host: "h", stored: "" }, results);
}

/** Runs a sweep of 3 jobs; returns the indices of those that it ran, with a star if they were taken over. */
async function ran(store: Store, options: Partial<SweepOptions>): Promise<string[]> {
  const jobs = stubJobs(6, 2).map((job) => ({ job, machine, refused: new Map<string, string>() }));
  const order: string[] = [];
  await runSweep(store, [{ visible: undefined, gpu: undefined, jobs }], {
    ...{ script: "", signal: new AbortController().signal },
    run: async (job, claim) => {
      order.push(`${job.index}${claim.previous === undefined ? "" : "*"}`);
      for (const { key } of job.cells) await storeCell(store, key, job.key);
    },
    ...options,
  });
  return order;
}

Deno.test("cells of other hardware count where that is asked for", async () => {
  for (const [anyHardware, expected] of [[true, ["0", "2"]], [false, ["0", "1", "2"]]] as const) {
    await using folder = new TemporaryFolder();
    await using store = await Store.open(folder.path);
    const [, second] = stubJobs(6, 2);
    for (const { key } of second!.cells) await storeCell(store, key.replace(/-.*/, "-ffffffff"), "j");
    deepEqual(await ran(store, { anyHardware }), expected);
  }
});

Deno.test("without waiting, what a worker that is alive has is left to it, on other hardware too", async () => {
  for (const suffix of [undefined, "-ffffffff"]) {
    await using folder = new TemporaryFolder();
    await using store = await Store.open(folder.path);
    await using other = await Store.open(folder.path);
    const { key } = stubJobs(6, 2)[1]!;
    const { claim } = await other.claims.take(suffix === undefined ? key : key.replace(/-.*/, suffix));
    deepEqual(await ran(store, { wait: false, anyHardware: true }), ["0", "2"]);
    await claim![Symbol.asyncDispose]();
  }
});

Deno.test("without waiting, what a lost machine had is still taken over: nobody else may come", async () => {
  await using folder = new TemporaryFolder();
  await using store = await Store.open(folder.path, { stale: 1 });
  await using far = await Life.begin({ folder: store.layout.workers, host: "far", pid: 1 });
  {
    using theirs = new Claims({ folder: store.layout.claims, life: far, stale: 1e6 });
    await theirs.take(stubJobs(6, 2)[1]!.key);
  }
  deepEqual(await ran(store, { wait: false }), ["0", "2", "1*"]);
  deepEqual(folder.names("claims"), []);
});
