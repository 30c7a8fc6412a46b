import { join } from "@std/path";
import { formatDuration } from "../../cli/progress/time_left.ts";
import { terminalColumns } from "../../cli/progress/terminal_columns.ts";
import { fromUserFolder } from "../../process/user_folder.ts";
import { formatGrid } from "../../report/tables/grid.ts";
import { InputError } from "../../util/errors.ts";
import { printable, printableLines } from "../../util/printable.ts";
import { Cells } from "../store/cells.ts";
import { layoutOf } from "../store/layout.ts";
import { STALE_S } from "../store/store.ts";
import type { SweepTools } from "../work/sweep_command.ts";
import { jobCount, varyingTerms } from "../work/sweep_progress.ts";
import { type EndedTask, type QueuedTask, Slurm } from "./programs.ts";
import { countsOf, type Holder, readSweepFolder, type SweepFolder } from "./sweep_state.ts";

/** Failed cells whose reason is printed; collect names all. */
const FAILURES = 10;

/**
 * Runs `deno task sweep status FOLDER`: prints how far a sweep is, from its folder, and what Slurm says of its tasks.
 *
 * @param argv The folder.
 * @param tools Outputs.
 * @returns The exit code: 0.
 * @throws {InputError} If the folder is none of a sweep.
 *
 * @example
 * ```ts
 * import type { SweepTools } from "../work/sweep_command.ts";
 * import { sweepStatus } from "./status.ts";
 *
 * const print = (tools: SweepTools) => sweepStatus(["results/sweep_night"], tools);
 * ```
 */
export async function sweepStatus(argv: readonly string[], { out, err }: SweepTools): Promise<number> {
  const usage = "deno task sweep status FOLDER: prints how far a sweep is; FOLDER is the one that run or submit names";
  if (argv.some((arg) => arg === "--help" || arg === "-h")) {
    out.line(usage);
    return 0;
  }
  const folder = folderOf(argv, "status");
  const sweep = await readSweepFolder(folder);
  for (const note of sweep.notes) err.line(printableLines(note));
  const slurm = new Slurm();
  const submitted = await submittedJobs(folder);
  const queued = (await slurm.queued())?.filter(({ id }) => submitted.includes(id.split("_")[0]!));
  const ended = await slurm.ended(submitted);
  const failures = await failuresOf(sweep, folder);
  const width = Deno.stdout.isTerminal() ? terminalColumns() : undefined;
  out.line(printableLines(formatStatus(sweep, { folder, queued, ended, failures }, width)));
  return 0;
}

/** What is known of a sweep in addition to its cells. */
export interface StatusDetails {
  readonly folder: string;
  /** Its tasks in Slurm's queue; undefined where there is no Slurm. */
  readonly queued?: readonly QueuedTask[] | undefined;
  /** Its tasks that have ended. */
  readonly ended: readonly EndedTask[];
  /** Failed cells with their reasons. */
  readonly failures: readonly string[];
}

/**
 * Formats how far a sweep is: counts, a row for each job that is not done, failures, and Slurm's view.
 *
 * @param sweep What its folder says.
 * @param details What else is known.
 * @param width Characters of a line; no limit if left out.
 *
 * @example
 * ```ts
 * import { formatStatus } from "./status.ts";
 *
 * const plan = { name: "night", defaults: {}, grid: [], exclude: [] };
 * console.log(formatStatus({ plan, jobs: [] }, { folder: "/data/night", ended: [], failures: [] }).split("\n")[1]);
 * // 0 cells in 0 jobs: 0 done, 0 running, 0 failed, 0 pending
 * ```
 */
export function formatStatus(
  { plan, jobs }: Pick<SweepFolder, "plan" | "jobs">,
  { folder, queued, ended, failures }: StatusDetails,
  width?: number,
): string {
  const counts = countsOf(jobs);
  const all = counts.done + counts.failed + counts.running + counts.pending;
  const varying = varyingTerms(jobs.map(({ job }) => job));
  const open = jobs.filter((job) => countsOf([job]).done < job.cells.length);
  const rows = open.map((state) => {
    const own = countsOf([state]);
    const { job, holders } = state;
    const terms = varying.flatMap((name) => job.terms[name] === undefined ? [] : [`${name} ${job.terms[name]}`]);
    return {
      name: printable(["job", job.index, ...terms].join(" "), 100),
      cells: [own.done, own.failed, own.running, own.pending].map((n) => n === 0 ? "-" : `${n}`)
        .concat(holders.map(holderText).join("; ")),
    };
  });
  const columns = ["done", "failed", "running", "pending", "worker"].map((title) => ({ title, group: 0 }));
  const ready = jobs.length - open.length;
  const grid = formatGrid({ title: "", columns, rows, ruled: false }, width);
  return [
    `kvcompress sweep ${plan.name}, ${folder}`,
    `${all} cells in ${
      jobCount(jobs.length)
    }: ${counts.done} done, ${counts.running} running, ${counts.failed} failed, ` +
    `${counts.pending} pending`,
    ...(ready > 0 && open.length > 0 ? [`${ready} jobs are done; the others:`] : []),
    ...(open.length > 0 ? ["", grid] : []),
    ...(failures.length > 0 ? ["", "Failed:", ...failures.slice(0, FAILURES)] : []),
    ...(failures.length > FAILURES
      ? [`… and ${failures.length - FAILURES} more; deno task sweep collect names all`]
      : []),
    ...slurmLines(queued, ended),
  ].join("\n");
}

/** What Slurm says: tasks by their state. */
function slurmLines(queued: readonly QueuedTask[] | undefined, ended: readonly EndedTask[]): string[] {
  if (queued === undefined && ended.length === 0) return [];
  const waiting = new Map<string, QueuedTask[]>();
  const running: string[] = [];
  for (const one of queued ?? []) {
    const { id, state, where, time } = one;
    if (state === "RUNNING") running.push(`  ${id} RUNNING on ${where} for ${time}`);
    else waiting.set(`${state} ${where}`, [...waiting.get(`${state} ${where}`) ?? [], one]);
  }
  const over = new Map<string, string[]>();
  for (const { id, state } of ended) over.set(state, [...over.get(state) ?? [], id]);
  const lines = [
    ...running,
    ...[...waiting].map(([state, tasks]) => `  ${count(tasks.length)} ${state}`),
    ...[...over].map(([state, ids]) =>
      `  ${count(ids.length)} ${state}${state === "COMPLETED" ? "" : `: ${some(ids)}`}`
    ),
  ];
  return ["", "Slurm:", ...(lines.length === 0 ? ["  no task waits or runs"] : lines)];
}

function count(tasks: number): string {
  return tasks === 1 ? "1 task" : `${tasks} tasks`;
}

function some(ids: readonly string[]): string {
  return `${ids.slice(0, 5).join(" ")}${ids.length > 5 ? " …" : ""}`;
}

/** Who works on a job. */
function holderText({ owner: { slurm, host, pid }, isOver, silent }: Holder): string {
  const who = `${slurm === undefined ? `process ${pid}` : `task ${slurm}`} on ${host}`;
  if (isOver) return `${who} is over`;
  return silent !== undefined && silent > STALE_S ? `${who}, silent for ${formatDuration(silent)}` : who;
}

/** Names of failed cells, with the reason of the last try. */
async function failuresOf({ jobs }: SweepFolder, folder: string): Promise<string[]> {
  const cells = new Cells(layoutOf(folder));
  const failures: string[] = [];
  for (const { cells: own, job } of jobs) {
    for (const { state, keys, cell } of own) {
      if (state === "failed") failures.push(`  job ${job.index}, ${await reasonOf(cells, keys, cell.nameInJob)}`);
    }
  }
  return failures;
}

/**
 * Returns why a cell failed, after its name.
 *
 * @param cells The sweep's cells.
 * @param keys Keys under which it failed.
 * @param name The cell's name.
 *
 * @example
 * ```ts
 * import { Cells } from "../store/cells.ts";
 * import { layoutOf } from "../store/layout.ts";
 * import { reasonOf } from "./status.ts";
 *
 * console.log(await reasonOf(new Cells(layoutOf("no such folder")), ["a"], "tova_64")); // tova_64: its record cannot be read
 * ```
 */
export async function reasonOf(cells: Cells, keys: readonly string[], name: string): Promise<string> {
  const attempts = (await Promise.all(keys.map((key) => cells.failure(key)))).flatMap((one) => one?.attempts ?? []);
  const last = attempts.at(-1);
  if (last === undefined) return `${name}: its record cannot be read`;
  const tries = attempts.length > 1 ? `, ${attempts.length} times` : "";
  return `${name}: ${printable(last.reason, 200)} (on ${last.host}${tries})`;
}

/**
 * Reads the folder of a verb's command line.
 *
 * @example
 * ```ts
 * import { folderOf } from "./status.ts";
 *
 * console.log(folderOf(["/data/night"], "status")); // /data/night
 * ```
 *
 * @throws {InputError} If there is none, or more than that.
 */
export function folderOf([folder, ...rest]: readonly string[], verb: string): string {
  if (folder === undefined || folder.startsWith("-") || rest.length > 0) {
    const what = folder === undefined ? "no folder is given" : `${rest[0] ?? folder} is no part of it`;
    throw new InputError(
      `Cannot run sweep ${verb}: ${what}; give the sweep's folder alone, as in deno task sweep ${verb} ` +
        "results/sweep_PLAN",
    );
  }
  return fromUserFolder(folder);
}

/** Ids of the job arrays that were submitted for a sweep. */
async function submittedJobs(folder: string): Promise<string[]> {
  const text = await Deno.readTextFile(join(folder, "slurm", "submitted.jsonl")).catch(() => "");
  return text.split("\n").flatMap((line) => /"id":"(\d+)"/.exec(line)?.[1] ?? []);
}
