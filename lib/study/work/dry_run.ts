import { parseFlags } from "../../cli/flags/parse.ts";
import { formatDuration } from "../../cli/progress/time_left.ts";
import { InputError } from "../../util/errors.ts";
import { printableLines } from "../../util/printable.ts";
import { findResults } from "../find_results.ts";
import { Inputs } from "../plan/inputs.ts";
import { findMachine, type Machine } from "../plan/machine.ts";
import { argumentsOf } from "../plan/plan_jobs.ts";
import { baseOf, resolveJob } from "../plan/resolve_job.ts";
import type { PlannedCell, PlannedJob } from "../plan/types.ts";
import { Cells } from "../store/cells.ts";
import { layoutOf } from "../store/layout.ts";
import { Estimate } from "./estimate.ts";
import { varyingTerms } from "./sweep_progress.ts";

/** A job of a dry run. */
export interface ForeseenJob {
  readonly job: PlannedJob;
  readonly done: readonly PlannedCell[];
  readonly failed: readonly PlannedCell[];
  readonly missing: readonly PlannedCell[];
  /** Time of the missing cells and of their baseline, as far as it is known, s. */
  readonly seconds: number;
  /** Missing cells whose time is unknown. */
  readonly unknown: number;
}

/** What a sweep would do. */
export interface Foreseen {
  readonly jobs: readonly ForeseenJob[];
  /** What could not be found out, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Finds out what a sweep would measure, and how long it would take. Runs nothing, downloads nothing and writes nothing.
 *
 * @example
 * ```ts
 * import { foresee } from "./dry_run.ts";
 * import { planJobs } from "../plan/plan_jobs.ts";
 * import { checkPlan } from "../plan/read_plan.ts";
 *
 * const { jobs } = planJobs(checkPlan({ grid: { method: "tova", budget: 64, device: "cpu" } }, "a.json"));
 * const { jobs: [first] } = await foresee(jobs, "a new folder", []);
 * console.log(first?.missing.length, first?.unknown); // 2 2
 * ```
 *
 * @param jobs The plan's jobs.
 * @param folder The sweep's folder; it need not exist.
 * @param results Folders of other results, for the estimate.
 * @param signal Ends it early.
 */
export async function foresee(
  jobs: readonly PlannedJob[],
  folder: string,
  results: readonly string[],
  signal?: AbortSignal,
): Promise<Foreseen> {
  const notes = new Set<string>();
  const attempt = async <T>(what: Promise<T>): Promise<T | undefined> => {
    try {
      return await what;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      notes.add(error.message);
      return undefined;
    }
  };
  const cells = new Cells(layoutOf(folder));
  const done = await cells.done(), failed = await cells.failed();
  const estimate = new Estimate();
  const paths = [...done.size > 0 ? [layoutOf(folder).cells] : [], ...results];
  const skipped = ({ reason }: { readonly reason: string }) => void notes.add(reason);
  for (const { results } of await findResults(paths, skipped)) estimate.add(results);
  const inputs = new Inputs({ offline: true, ...(signal ? { signal } : {}) });
  const machines = new Map<string, Machine | undefined>();
  const foreseen: ForeseenJob[] = [];
  for (const job of jobs) {
    signal?.throwIfAborted();
    const { device } = parseFlags(argumentsOf(job.terms));
    if (!machines.has(device)) machines.set(device, await attempt(findMachine(device, undefined, signal)));
    const machine = machines.get(device);
    const found = await attempt(inputs.of(job));
    // Without the hardware, as on a cluster's login node, any machine's cell counts.
    const name = machine === undefined ? baseOf : (key: string) => key;
    const keys = found && resolveJob(job, found, machine?.hardware ?? "").cells.map(({ key }) => name(key));
    const isIn = (set: ReadonlySet<string>) => {
      const names = machine === undefined ? new Set([...set].map(baseOf)) : set;
      return (_: PlannedCell, i: number) => keys !== undefined && names.has(keys[i]!);
    };
    const isDone = isIn(done), hasFailed = isIn(failed);
    const missing = job.cells.filter((cell, i) => !isDone(cell, i) && !hasFailed(cell, i));
    const on = machine?.device ?? (device === "cpu" ? "cpu" : "cuda");
    const times = missing.map((cell) => estimate.of(job, cell, on));
    const known = times.filter((time) => time !== undefined);
    const baseline = missing.length > 0 ? estimate.of(job, undefined, on) ?? 0 : 0;
    foreseen.push({
      job,
      done: job.cells.filter(isDone),
      failed: job.cells.filter((cell, i) => !isDone(cell, i) && hasFailed(cell, i)),
      missing,
      seconds: known.reduce((sum, time) => sum + time, baseline),
      unknown: missing.length - known.length,
    });
  }
  return { jobs: foreseen, notes: [...notes] };
}

/**
 * Seconds that all missing cells take, by what is known; undefined if nothing is.
 *
 * @example
 * ```ts
 * import { secondsOf } from "./dry_run.ts";
 *
 * console.log(secondsOf({ jobs: [], notes: [] })); // undefined
 * ```
 */
export function secondsOf({ jobs }: Foreseen): number | undefined {
  const seconds = jobs.reduce((sum, job) => sum + job.seconds, 0);
  return seconds === 0 ? undefined : seconds;
}

/**
 * Formats what a sweep would do: each job with its cells, and the time.
 *
 * @example
 * ```ts
 * import { formatForeseen } from "./dry_run.ts";
 *
 * console.log(formatForeseen({ jobs: [], notes: [] }, "night", 1).split("\n")[0]); // night: 0 cells in 0 jobs; 0 done, 0 failed
 * ```
 */
export function formatForeseen(foreseen: Foreseen, title: string, workers: number): string {
  const { jobs } = foreseen;
  const varying = varyingTerms(jobs.map(({ job }) => job));
  const sum = (of: (job: ForeseenJob) => number) => jobs.reduce((total, job) => total + of(job), 0);
  const [all, done, failed] = [
    sum((one) => one.job.cells.length),
    sum((one) => one.done.length),
    sum((one) => one.failed.length),
  ];
  const missing = all - done - failed, unknown = sum((one) => one.unknown);
  const lines = [`${title}: ${count(all, "cell")} in ${count(jobs.length, "job")}; ${done} done, ${failed} failed`, ""];
  for (const { job, seconds, unknown, ...cells } of jobs) {
    const terms = varying.flatMap((name) => job.terms[name] === undefined ? [] : [`${name} ${job.terms[name]}`]);
    const time = cells.missing.length === 0 ? "nothing to do" : timeOf(seconds, unknown, cells.missing.length);
    lines.push([`job ${job.index}`, ...terms, count(job.cells.length, "cell"), time].join(", "));
    for (const what of ["missing", "done", "failed"] as const) {
      const names = cells[what].map(({ nameInJob }) => nameInJob);
      if (names.length > 0) lines.push(`  ${what}: ${names.join(" ")}`);
    }
  }
  const total = sum(({ seconds }) => seconds) / Math.min(workers, Math.max(1, jobs.length));
  const on = workers === 1 ? "one worker" : `${workers} workers`;
  lines.push(
    "",
    missing === 0
      ? "Nothing is left to measure"
      : `${count(missing, "cell")} left: ${timeOf(total, unknown, missing)} on ${on}`,
  );
  return printableLines(lines.join("\n"));
}

function timeOf(seconds: number, unknown: number, cells: number): string {
  if (unknown === cells) return "time unknown: nothing like it was measured before";
  const time = `about ${formatDuration(seconds)}`;
  return unknown === 0 ? time : `${time}, and ${count(unknown, "cell")} of unknown time`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
