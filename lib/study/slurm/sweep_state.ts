import { join } from "@std/path";
import { InputError } from "../../util/errors.ts";
import { Inputs, type InputTools } from "../plan/inputs.ts";
import { planJobs } from "../plan/plan_jobs.ts";
import { readPlan } from "../plan/read_plan.ts";
import { baseOf, resolveJob } from "../plan/resolve_job.ts";
import type { Plan, PlannedCell, PlannedJob } from "../plan/types.ts";
import { Cells, namesIn } from "../store/cells.ts";
import { ownerIn } from "../store/claims.ts";
import type { Owner } from "../store/claims.ts";
import { layoutOf } from "../store/layout.ts";
import { isOver } from "../store/life.ts";

/** State of a cell. "running": a worker has claimed its job; "pending": nobody has. */
export type CellState = "done" | "failed" | "running" | "pending";

/** A cell, and how far it is. */
export interface CellStatus {
  readonly cell: PlannedCell;
  readonly state: CellState;
  /** Keys under which it is stored, or has failed: one for each kind of hardware. */
  readonly keys: readonly string[];
}

/** A worker that has claimed a job. */
export interface Holder {
  readonly owner: Owner;
  /** Whether its process is over, if that can be told here. */
  readonly isOver: boolean;
  /** Seconds since its last sign of life, by this machine's clock and the file's time: they may differ. */
  readonly silent: number | undefined;
}

/** A job, and how far it is. */
export interface JobState {
  readonly job: PlannedJob;
  readonly cells: readonly CellStatus[];
  readonly holders: readonly Holder[];
}

/** What a sweep's folder says of its plan. */
export interface SweepFolder {
  readonly plan: Plan;
  readonly jobs: readonly JobState[];
  /** What could not be found out, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads how far a sweep is, from its folder alone. Writes nothing. Cells count whatever hardware they were measured on:
 * the login node of a cluster does not know that of its nodes.
 *
 * @param folder The sweep's folder.
 * @param tools How models and texts are opened: their hashes are in the keys of cells.
 * @throws {InputError} If it is no sweep's folder.
 *
 * @example
 * ```ts
 * import { countsOf, readSweepFolder } from "./sweep_state.ts";
 *
 * const done = async (folder: string) => countsOf((await readSweepFolder(folder)).jobs).done;
 * ```
 */
export async function readSweepFolder(folder: string, tools: InputTools = { offline: true }): Promise<SweepFolder> {
  const { plan: path } = layoutOf(folder);
  if (!await Deno.stat(path).then(({ isFile }) => isFile, () => false)) {
    throw new InputError(`Cannot read ${folder}: it has no plan.json; name the folder of a sweep that has begun`);
  }
  const plan = await readPlan(path);
  return { plan, ...await statesOf(planJobs(plan, path).jobs, folder, tools) };
}

/**
 * Finds out how far jobs are.
 *
 * @param planned The jobs.
 * @param folder The sweep's folder.
 * @param tools How models and texts are opened.
 *
 * @example
 * ```ts
 * import { planJobs } from "../plan/plan_jobs.ts";
 * import { checkPlan } from "../plan/read_plan.ts";
 * import { statesOf } from "./sweep_state.ts";
 *
 * const { jobs } = planJobs(checkPlan({ grid: { method: "tova", budget: 64 } }, "plan.json"));
 * const states = await statesOf(jobs, "a folder that is not there", { offline: true });
 * console.log(states.jobs[0]?.cells.map(({ state }) => state)); // [ "pending", "pending" ]
 * ```
 */
export async function statesOf(
  planned: readonly PlannedJob[],
  folder: string,
  tools: InputTools,
): Promise<Pick<SweepFolder, "jobs" | "notes">> {
  const layout = layoutOf(folder);
  const inputs = new Inputs(tools);
  const notes = new Set<string>();
  const cells = new Cells(layout);
  const done = byBase(await cells.done()), failed = byBase(await cells.failed());
  const claims = byBase(await namesIn(layout.claims));
  const jobs: JobState[] = [];
  for (const job of planned) {
    tools.signal?.throwIfAborted();
    const found = await inputs.of(job).catch((error) => {
      // Of what is not on this machine, no key is known.
      if (!(error instanceof InputError) || !tools.offline) throw error;
      notes.add(`${error.message}: cells that need it are told as pending`);
    });
    const resolved = found && resolveJob(job, found, "");
    const names = resolved ? claims.get(baseOf(resolved.key)) ?? [] : [];
    const holders: Holder[] = [];
    for (const name of names) holders.push(...await holderOf(layout.claims, layout.workers, name));
    const isHeld = holders.some(({ isOver }) => !isOver);
    jobs.push({
      job,
      holders,
      cells: job.cells.map((cell, i) => {
        const base = resolved && baseOf(resolved.cells[i]!.key);
        const stored = done.get(base ?? "") ?? [], lost = failed.get(base ?? "") ?? [];
        const state = stored.length > 0 ? "done" : lost.length > 0 ? "failed" : isHeld ? "running" : "pending";
        return { cell, state, keys: state === "done" ? stored : lost };
      }),
    });
  }
  return { jobs, notes: [...notes] };
}

/**
 * Counts cells by their state.
 *
 * @example
 * ```ts
 * import { countsOf } from "./sweep_state.ts";
 *
 * console.log(countsOf([])); // { done: 0, failed: 0, running: 0, pending: 0 }
 * ```
 */
export function countsOf(jobs: readonly JobState[]): Record<CellState, number> {
  const counts: Record<CellState, number> = { done: 0, failed: 0, running: 0, pending: 0 };
  for (const { cells } of jobs) for (const { state } of cells) counts[state]++;
  return counts;
}

/** Keys by the part that is known without the hardware. */
function byBase(keys: Iterable<string>): Map<string, string[]> {
  const bases = new Map<string, string[]>();
  for (const key of keys) bases.set(baseOf(key), [...bases.get(baseOf(key)) ?? [], key]);
  return bases;
}

async function holderOf(claims: string, workers: string, name: string): Promise<Holder[]> {
  const owner = await ownerIn(claims, name);
  if (owner === undefined) return [];
  const isHere = owner.host === Deno.hostname();
  const mtime = await Deno.stat(join(claims, name, "beat")).then(({ mtime }) => mtime, () => null);
  return [{
    owner,
    isOver: isHere && await isOver(workers, owner.life) === true,
    silent: mtime === null ? undefined : Math.max(0, (Date.now() - mtime.getTime()) / 1000),
  }];
}
