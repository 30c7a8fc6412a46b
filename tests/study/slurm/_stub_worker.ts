/**
 * A worker of a simulated sweep: cells that are measured at once, on a folder that is real. Counts the operations of the
 * file system, and may kill itself: FOLDER CELLS CHUNK HOST FIRST [SECONDS TO LIVE]
 */
import { runSweep } from "../../../lib/study/work/run_sweep.ts";
import { firstOf } from "../../../lib/study/work/first_of.ts";
import { Store } from "../../../lib/study/store/store.ts";
import { inventResults } from "../../report/_invent.ts";
import { stubJobs } from "./_stub_jobs.ts";

const [folder, cells, chunk, host, first, life] = Deno.args as [string, string, string, string, string, string?];
/** What a machine of the file system sees. */
const counts: Record<string, number> = {};

/** Counts the calls of a function of Deno. */
function counted(
  name: "mkdir" | "rename" | "stat" | "remove" | "open" | "readFile" | "readTextFile" | "writeTextFile",
) {
  const own = Deno[name] as (...args: unknown[]) => unknown;
  Object.assign(Deno, {
    [name]: (...args: unknown[]) => {
      counts[name] = (counts[name] ?? 0) + 1;
      return own(...args);
    },
  });
}
for (
  const name of ["mkdir", "rename", "stat", "remove", "open", "readFile", "readTextFile", "writeTextFile"] as const
) {
  counted(name);
}
const readDir = Deno.readDir;
Object.assign(Deno, {
  readDir: async function* (path: string) {
    counts.readDir = (counts.readDir ?? 0) + 1;
    for await (const entry of readDir(path)) {
      counts.entries = (counts.entries ?? 0) + 1;
      yield entry;
    }
  },
});

/** Says what was counted. Synchronous: a process that kills itself says it too. */
function tell(): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(counts)}\n`));
}

if (life !== undefined) {
  setTimeout(() => {
    tell();
    Deno.kill(Deno.pid, "SIGKILL");
  }, Number(life) * 1000);
}

const jobs = firstOf(stubJobs(Number(cells), Number(chunk)), [Number(first)]);
const results = inventResults({ baseline: [{}], streaming_8: [{}] });
const machine = { device: "cpu", hardware: "stub" } as const;
const slot = { visible: undefined, gpu: undefined, jobs: jobs.map((job) => ({ job, machine, refused: new Map() })) };
{
  await using store = await Store.open(folder, { host, stale: 10 });
  await runSweep(store, [slot], {
    script: "",
    signal: new AbortController().signal,
    run: async (job, claim) => {
      store.log({ event: claim.previous === undefined ? "claimed" : "resumed", job: job.key });
      const { done } = await store.cells.stateOf(job.cells.map(({ key }) => key));
      for (const { key, name } of job.cells) {
        if (done.has(key)) continue;
        const title = { key, name, terms: {}, configuration: {}, inputs: {} };
        const record = { ...title, job: job.key, host, stored: new Date().toISOString() };
        const isNew = await store.cells.store(store.staging, record, results);
        store.log({ event: isNew ? "stored" : "already there", job: job.key, cell: key });
      }
    },
  });
}
tell();
Deno.exit(0);
