import { fromFileUrl, join } from "@std/path";
import { DownloadProgress } from "../../cli/progress/download_progress.ts";
import { Interrupt } from "../../cli/interrupt.ts";
import { projectFlags } from "../../process/deno_child.ts";
import { InputError } from "../../util/errors.ts";
import { printableLines } from "../../util/printable.ts";
import { PROJECT } from "../../util/project.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { shortHash } from "../plan/identity.ts";
import { planJobs } from "../plan/plan_jobs.ts";
import { readPlan } from "../plan/read_plan.ts";
import type { Layout } from "../store/layout.ts";
import { STALE_S, Store } from "../store/store.ts";
import { BENCH_PERMISSIONS } from "../work/bench_process.ts";
import { type SweepTools, withChunk } from "../work/sweep_command.ts";
import { splitPlan, sweepFolder } from "../work/sweep_flags.ts";
import { arrayText, sharesOf } from "./array_text.ts";
import { jobComment, jobScript } from "./job_script.ts";
import { type QueuedTask, Slurm } from "./programs.ts";
import { optionsOf, parseSubmitFlags, type SubmitFlags, submitHelp } from "./submit_flags.ts";
import { type JobState, statesOf } from "./sweep_state.ts";

/** What `submit` gets. */
export interface SubmitTools extends SweepTools {
  /** URL of the script that tasks run: that of `deno task sweep`. */
  readonly sweep: string;
}

/**
 * Runs `deno task sweep submit PLAN --slurm [flags]`: writes a batch script, and submits it. Jobs that are done, or whose
 * task still waits or runs, are left out.
 *
 * @param argv The arguments: the plan first.
 * @param tools Outputs, and what a task runs.
 * @returns The exit code.
 * @throws {InputError} For a mistake in the plan or the flags, or if Slurm refuses the job.
 *
 * @example
 * ```ts
 * import { submit, type SubmitTools } from "./submit.ts";
 *
 * const start = (tools: SubmitTools) => submit(["plan.yaml", "--slurm", "--time=60"], tools);
 * ```
 */
export async function submit(argv: readonly string[], tools: SubmitTools): Promise<number> {
  const { out, err } = tools;
  if (argv.length === 0 || argv.some((arg) => arg === "--help" || arg === "-h")) {
    out.line(submitHelp());
    return argv.length === 0 ? 2 : 0;
  }
  const { plan: path, rest } = splitPlan(argv);
  const flags = parseSubmitFlags(rest);
  const options = optionsOf(flags);
  const given = await readPlan(path);
  const folder = sweepFolder(given, flags);
  const plan = await withChunk(given, flags, folder);
  const { jobs, notes } = planJobs(plan, path);
  for (const note of notes) err.line(printableLines(note));
  using interrupt = new Interrupt();
  await using store = await Store.open(folder, { stale: flags.stale });
  // Two that submit at the same time would both submit all.
  const { claim, heldBy } = await store.claims.take("submit");
  if (claim === undefined) {
    const who = heldBy === undefined ? "another process" : `process ${heldBy.pid} on ${heldBy.host}`;
    throw new InputError(`Cannot submit ${folder}: ${who} submits it just now; try again when that has ended`);
  }
  await using _claim = claim;
  await store.keepPlan(plan);
  const states = await (async () => {
    using download = new DownloadProgress({
      isTerminal: Deno.stderr.isTerminal(),
      write: (text: string) => err.write(text),
    });
    const onNote = (message: string) => err.line(printableLines(message));
    return await statesOf(jobs, folder, {
      ...{ signal: interrupt.signal, onNote, onDownload: (event) => download.update(event) },
    });
  })();
  const slurm = new Slurm();
  const queued = await slurm.queued();
  const own = shortHash(await Deno.realPath(folder));
  const planned = shortHash(jobs.map(({ id }) => id), 8);
  const { covered, others } = coveredBy(queued ?? [], own, planned);
  if (others > 0) {
    err.line(`${count(others, "task")} of an earlier plan of this folder will work on the new plan once they begin`);
  }
  const open = states.jobs.filter((state) => isOpen(state, flags)).map(({ job: { index } }) => index);
  const left = open.filter((index) => !covered.has(index));
  if (left.length === 0) {
    out.line(
      open.length === 0
        ? `Nothing to submit: every cell of ${folder} is done or has failed; --retry_failed tries again what failed`
        : `Nothing to submit: ${count(open.length, "job")} left, and all of them have a task in the queue`,
    );
    return 0;
  }
  const most = Math.min(flags.tasks ?? Infinity, await slurm.maxArraySize());
  const shares = sharesOf({ jobs: jobs.length, open: left, most });
  const script = jobScript({
    ...{ name: plan.name, options, shares, parallel: flags.parallel, jobs: jobs.length },
    ...{ plan: store.layout.plan, folder, project: fromFileUrl(PROJECT), retryFailed: flags.retry_failed },
    command: workerCommand(tools.sweep),
    flags: workerFlags(flags),
    comment: jobComment(own, planned, shares.perTask),
  });
  const file = await writeScript(store.layout, script);
  const what = `${count(shares.tasks.length, "task")} (${arrayText(shares.tasks)}) of ` +
    `${count(shares.perTask, "job")} each, ${count(left.length, "job")} to measure`;
  if (flags.dry_run) {
    out.line(printableLines(`${file}: ${what}. Not submitted; sbatch ${file} does it`));
    return 0;
  }
  const id = await slurm.submit(file);
  await remember(store.layout, { id, at: new Date().toISOString(), array: arrayText(shares.tasks) });
  out.line(`Job ${id}: ${what}`);
  err.line(printableLines(`How far it is: deno task sweep status ${folder}`));
  return 0;
}

/** Whether a job has anything to measure. */
function isOpen({ cells }: JobState, { retry_failed }: SubmitFlags): boolean {
  return cells.some(({ state }) => state !== "done" && (state !== "failed" || retry_failed));
}

/**
 * Finds the jobs that are in the share of a task that waits or runs.
 *
 * @param queued Tasks in Slurm's queue.
 * @param folder Hash of the sweep's folder.
 * @param plan Hash of the plan's jobs.
 * @returns Indices of the jobs, and how many tasks belong to another plan of the same folder.
 *
 * @example
 * ```ts
 * import { coveredBy } from "./submit.ts";
 *
 * const comment = "kvcompress:ab:cd:2";
 * const task = { id: "9_3", task: 3, state: "PENDING", where: "(Resources)", time: "0:00", comment };
 * console.log([...coveredBy([task], "ab", "cd").covered]); // [ 6, 7 ]
 * ```
 */
export function coveredBy(
  queued: readonly QueuedTask[],
  folder: string,
  plan: string,
): { readonly covered: ReadonlySet<number>; readonly others: number } {
  const covered = new Set<number>();
  let others = 0;
  for (const { comment, task, state } of queued) {
    const [, own, ofPlan, perTask] = /^kvcompress:(\w+):(\w+):(\d+)$/.exec(comment) ?? [];
    // A task that completes has ended its work.
    if (own !== folder || state === "COMPLETING") continue;
    if (ofPlan !== plan) others++;
    else for (let i = 0; i < Number(perTask); i++) covered.add(task * Number(perTask) + i);
  }
  return { covered, others };
}

/** The program of a task, found by its path and with modules that are in place, as `deno task sweep` has it. */
function workerCommand(script: string): string[] {
  const permissions = BENCH_PERMISSIONS;
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", "--frozen", ...projectFlags(), ...permissions, script];
}

function workerFlags({ cell_timeout, stale }: SubmitFlags): string[] {
  return [
    ...["--no_wait", "--any_hardware"],
    ...cell_timeout === undefined ? [] : [`--cell_timeout=${cell_timeout}`],
    ...stale === STALE_S ? [] : [`--stale=${stale}`],
  ];
}

/** Writes the script. One that was there before, perhaps changed by the user, stays under another name. */
async function writeScript({ folder }: Layout, script: string): Promise<string> {
  const own = join(folder, "slurm");
  await Deno.mkdir(join(own, "logs"), { recursive: true });
  const file = join(own, "job.sbatch");
  const before = await Deno.readTextFile(file).catch(() => undefined);
  if (before !== undefined && before !== script) await writeAtomic(join(own, "job.before.sbatch"), before);
  await writeAtomic(file, script);
  return file;
}

/** A job array that was submitted. */
interface Submission {
  readonly id: string;
  readonly at: string;
  readonly array: string;
}

/** Adds a line to the list of submitted jobs: only who holds the claim writes it. */
async function remember({ folder }: Layout, submission: Submission): Promise<void> {
  const line = `${JSON.stringify(submission)}\n`;
  await Deno.writeTextFile(join(folder, "slurm", "submitted.jsonl"), line, { append: true });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
