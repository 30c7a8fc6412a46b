/**
 * Simulates a large sweep: what the file system sees of it, and what deaths cost.
 *
 *     deno task sweep:simulate [--cells 10000] [--chunk 8] [--processes 8] [--deaths 100] [--seed N]
 *
 * First, processes work on a real folder with cells that take no time, under the names of different machines: what is
 * left by one that died is seen by its missing heartbeat. They die at random moments (SIGKILL) and others take their
 * place. Counts the operations of the file system. Then 64 nodes measure the same number of cells in simulated time.
 *
 * Exit code: 0 if every cell was stored exactly once, else 1.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { fromFileUrl, join } from "@std/path";
import { seededRandom } from "../../../lib/util/random.ts";
import { type Fleet, simulateFleet } from "./_nodes.ts";
import { countIn } from "./_slurm.ts";
import { stubJobs } from "./_stub_jobs.ts";

const args = parseArgs(Deno.args, { string: ["cells", "chunk", "processes", "deaths", "seed"] });
const number = (text: string | undefined, fallback: number) => text === undefined ? fallback : Number(text);
const cells = number(args.cells, 10_000), chunk = number(args.chunk, 8), processes = number(args.processes, 8);
const deaths = number(args.deaths, 100), seed = number(args.seed, Date.now() % 1e6);
const random = seededRandom(seed);
const WORKER = fromFileUrl(import.meta.resolve("./_stub_worker.ts"));
/** Longest life of a process that dies, s. */
const LONGEST_LIFE = 8;

const folder = await Deno.makeTempDir({ prefix: "kvcompress_simulate_" });
console.log(`${cells} cells in jobs of ${chunk}, ${processes} processes, up to ${deaths} deaths, seed ${seed}`);
const isRight = await work();
await Deno.remove(folder, { recursive: true });
onNodes();
Deno.exit(isRight ? 0 : 1);

/** Works on a real folder; returns whether each cell is there once. */
async function work(): Promise<boolean> {
  const jobs = stubJobs(cells, chunk);
  const counts: Record<string, number> = {};
  const died: { readonly host: string; readonly at: number }[] = [];
  let left = deaths, lives = 0;
  const began = performance.now();
  const live = async (index: number): Promise<void> => {
    for (;;) {
      const host = `node${index}-${++lives}`;
      const life = left-- > 0 ? [`${0.2 + random() * LONGEST_LIFE}`] : [];
      const first = Math.floor(index * jobs.length / processes);
      const { stdout, signal, code } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...[
            "run",
            "--no-check",
            "--allow-read",
            "--allow-write",
            "--allow-env",
            "--allow-sys=hostname",
            "--allow-run",
          ],
          ...[WORKER, folder, `${cells}`, `${chunk}`, host, `${first}`, ...life],
        ],
        ...{ stdin: "null", stdout: "piped", stderr: "inherit" },
      }).output();
      for (const [name, count] of Object.entries(JSON.parse(new TextDecoder().decode(stdout) || "{}"))) {
        counts[name] = (counts[name] ?? 0) + Number(count);
      }
      if (signal === "SIGKILL") died.push({ host, at: Date.now() });
      else if (code === 0) return;
      else throw new Error(`A process ended with code ${code}`);
    }
  };
  await Promise.all(Array.from({ length: processes }, (_, index) => live(index)));
  const seconds = (performance.now() - began) / 1000;
  const events = eventsOf(join(folder, "logs"));
  const stored = new Map<string, number>();
  for (const { event, cell } of events) if (event === "stored") stored.set(cell!, (stored.get(cell!) ?? 0) + 1);
  // A process may die after it has stored a cell and before it says so.
  const told = [...stored.values()];
  const there =
    jobs.flatMap(({ cells }) => cells).filter(({ key }) => countIn(join(folder, "cells", key)) === 2).length;
  const again = events.filter(({ event }) => event === "already there").length;
  console.log(
    `${Math.round(seconds)} s, ${died.length} deaths; ${there} cells are there and whole, ${
      countIn(join(folder, "cells"))
    } in the folder; ${told.filter((times) => times > 1).length} stored twice, ${again} measured again`,
  );
  const perCell = Object.entries(counts).map(([name, count]) => `${name} ${(count / cells).toFixed(2)}`);
  console.log(`operations for each cell, jobs and claims included: ${perCell.join(", ")}`);
  console.log(`time from a death until another process went on with the job: ${quantiles(orphanedIn(events, died))}`);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => `${name} ${countIn(join(folder, name))}`);
  console.log(`names in the folders: ${names.join(", ")}`);
  return there === cells && countIn(join(folder, "cells")) === cells && told.every((times) => times === 1);
}

/** An event of a log, and who wrote it. */
interface LoggedEvent {
  readonly at: number;
  readonly worker: string;
  readonly event: string;
  readonly job?: string;
  readonly cell?: string;
}

function eventsOf(logs: string): LoggedEvent[] {
  return [...Deno.readDirSync(logs)].flatMap(({ name }) =>
    Deno.readTextFileSync(join(logs, name)).split("\n").filter(Boolean)
      .map((line) => JSON.parse(line))
      .map((event) => ({ ...event, at: Date.parse(event.at), worker: name }))
  ).sort((a, b) => a.at - b.at);
}

/** Times for which jobs of dead processes waited, s. */
function orphanedIn(events: readonly LoggedEvent[], died: readonly { host: string; at: number }[]): number[] {
  return died.flatMap(({ host, at }) => {
    const own = events.filter(({ worker }) => worker.startsWith(`${host}-`));
    const last = own.findLast(({ event }) => event === "claimed" || event === "resumed");
    const next = last && events.find(({ event, job, at }) => event === "resumed" && job === last.job && at > last.at);
    return next === undefined ? [] : [Math.max(0, (next.at - at) / 1000)];
  }).sort((a, b) => a - b);
}

function quantiles(values: readonly number[]): string {
  if (values.length === 0) return "none";
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))]!.toFixed(0);
  return `${values.length} times; median ${at(0.5)} s, 90 % ${at(0.9)} s, longest ${at(1)} s`;
}

/** 64 nodes in simulated time. */
function onNodes(): void {
  const fleet: Fleet = {
    ...{ nodes: 64, cells, chunk, cell: 60, passes: 4, start: 15 },
    ...{ mtbf: Infinity, back: 600, stale: 120, look: 3 + cells / 1000 },
  };
  const best = simulateFleet(fleet, random);
  const ideal = (cells + Math.ceil(cells / chunk)) * fleet.cell / fleet.nodes;
  console.log(
    `\n${fleet.nodes} nodes, a cell of ${fleet.cell} s: ${hours(best.makespan)} without deaths ` +
      `(${hours(ideal)} if nothing ever waited)`,
  );
  for (const mtbf of [24, 6, 1]) {
    const { makespan, deaths, again, orphaned, finished, tail } = simulateFleet(
      { ...fleet, mtbf: mtbf * 3600 },
      random,
    );
    const once = finished.filter((times) => times === 1).length;
    const dead = deaths * (fleet.back + fleet.start);
    console.log(
      `a node dies every ${mtbf} h: ${
        hours(makespan)
      }, ${deaths} deaths; ${once} of ${finished.length} jobs done once; ` +
        `measured again ${(again / Math.max(1, deaths)).toFixed(1)} s a death; nodes away ${hours(dead)} in all; ` +
        `last job ${hours(tail)}; orphaned jobs: ${quantiles(orphaned)}`,
    );
  }
}

function hours(seconds: number): string {
  return `${(seconds / 3600).toFixed(2)} h`;
}
