import { DownloadProgress } from "../../cli/progress/download_progress.ts";
import { Interrupt } from "../../cli/interrupt.ts";
import { LauncherGone, LauncherWatch } from "../../process/launcher.ts";
import type { Outlet } from "../../process/outlet.ts";
import { readJson } from "../../report/results/read_json.ts";
import { number, object, optional } from "../../report/results/json_reader.ts";
import { InputError } from "../../util/errors.ts";
import { printableLines } from "../../util/printable.ts";
import { planJobs } from "../plan/plan_jobs.ts";
import { readPlan } from "../plan/read_plan.ts";
import type { Plan, PlannedJob } from "../plan/types.ts";
import { layoutOf } from "../store/layout.ts";
import { Store } from "../store/store.ts";
import { foresee, formatForeseen, secondsOf } from "./dry_run.ts";
import { jobStatus } from "./job_status.ts";
import { runSweep } from "./run_sweep.ts";
import { firstOf } from "./first_of.ts";
import { openSlots } from "./slots.ts";
import { parseSweepFlags, splitPlan, type SweepFlags, sweepFolder, sweepHelp } from "./sweep_flags.ts";
import { jobCount, SweepProgress } from "./sweep_progress.ts";

/** What a verb of `deno task sweep` gets. */
export interface SweepTools {
  /** Standard output. */
  readonly out: Outlet;
  /** Standard error. */
  readonly err: Outlet;
  /** URL of `bench`'s script. */
  readonly script: string;
  /** Whether progress is redrawn in place; by default if standard error is a terminal. */
  readonly isTerminal?: boolean;
}

/** Exit code if the sweep's launcher has ended. */
const ORPHANED = 143;

/**
 * Runs `deno task sweep PLAN [flags]`.
 *
 * @example
 * ```ts
 * import { Outlet } from "../../process/outlet.ts";
 * import { sweep } from "./sweep_command.ts";
 *
 * const out = new Outlet(Deno.stdout);
 * console.log(await sweep(["--help"], { out, err: out, script: "" })); // 0
 * await out.flushed();
 * ```
 *
 * @param argv The arguments: the plan first.
 * @param tools Outputs, and what a job runs.
 * @returns The exit code: 0 if all cells are done, 1 if one failed or is missing, 128 + the signal that ended it.
 * @throws {InputError} For a mistake in the plan or the flags, before anything is measured.
 */
export async function sweep(argv: readonly string[], tools: SweepTools): Promise<number> {
  const { out, err } = tools;
  if (argv.length === 0 || argv.some((arg) => arg === "--help" || arg === "-h")) {
    out.line(sweepHelp());
    return argv.length === 0 ? 2 : 0;
  }
  const { plan: path, rest } = splitPlan(argv);
  const flags = parseSweepFlags(rest);
  const given = await readPlan(path);
  const folder = sweepFolder(given, flags);
  const plan = await withChunk(given, flags, folder);
  const { jobs, notes } = planJobs(plan, path);
  for (const note of notes) err.line(printableLines(note));
  const chosen = chooseJobs(jobs, flags);
  const cells = chosen.reduce((sum, job) => sum + job.cells.length, 0);
  const title = `kvcompress sweep ${plan.name}, ${folder}`;
  using interrupt = new Interrupt();
  using launcher = new LauncherWatch();
  const signal = AbortSignal.any([interrupt.signal, launcher.signal]);
  try {
    if (flags.dry_run) {
      const foreseen = await foresee(chosen, folder, flags.results ?? [], signal);
      for (const note of foreseen.notes) err.line(printableLines(note));
      out.line(formatForeseen(foreseen, title, flags.devices?.length ?? 1));
      return 0;
    }
    err.line(printableLines(`${title}: ${cells} cells in ${jobCount(chosen.length)}`));
    return await measure(plan, chosen, folder, flags, { ...tools, signal, code: () => interrupt.code || ORPHANED });
  } catch (error) {
    if (!signal.aborted) throw error;
    err.line(error instanceof LauncherGone ? error.message : "Ended before anything was measured");
    return interrupt.code || ORPHANED;
  }
}

async function measure(
  plan: Plan,
  jobs: readonly PlannedJob[],
  folder: string,
  flags: SweepFlags,
  { err, script, signal, code, isTerminal = Deno.stderr.isTerminal() }: SweepTools & {
    readonly signal: AbortSignal;
    readonly code: () => number;
  },
): Promise<number> {
  await using store = await Store.open(folder, { stale: flags.stale });
  await store.keepPlan(plan);
  const screen = { isTerminal, write: (text: string) => err.write(text) };
  const slots = await (async () => {
    using download = new DownloadProgress(screen);
    return await openSlots(jobs, flags.devices, {
      signal,
      onNote: (message) => err.line(printableLines(message)),
      onDownload: (event) => download.update(event),
    });
  })();
  const own = slots.flatMap(({ jobs }) => jobs.map(({ job }) => job));
  const unique = [...new Map(own.map((job) => [job.key, job])).values()];
  const expected = flags.results === undefined
    ? undefined
    : secondsOf(await foresee(jobs, folder, flags.results, signal));
  using progress = new SweepProgress({ ...screen, jobs: unique, expected });
  const told = new Set<string>();
  await runSweep(store, slots, {
    ...{ script, signal, cellTimeout: flags.cell_timeout, retryFailed: flags.retry_failed, wait: !flags.no_wait },
    anyHardware: flags.any_hardware,
    onState: (state) => progress.state(state),
    onJob: (job, event) => progress.job(job, event),
    onDone: (job, cell, results) => progress.done(job, cell, results),
    onFailed: (job, cell, reason) => progress.failed(job, cell, reason),
    onNote: (message) => {
      if (!told.has(message)) progress.line(message);
      told.add(message);
    },
  });
  progress[Symbol.dispose]();
  const state = { done: await store.cells.done(), failed: await store.cells.failed() };
  const counts = unique.map((job) => jobStatus(job, state));
  const sum = (of: "cells" | "done" | "failed") => counts.reduce((total, one) => total + one[of], 0);
  const [all, done, failed] = [sum("cells"), sum("done"), sum("failed")];
  const left = all - done - failed;
  const parts = [
    `${done} of ${all} cells are done`,
    ...(failed > 0 ? [`${failed} failed (${layoutOf(folder).failed} says why; --retry_failed tries again)`] : []),
    ...(left > 0 ? [`${left} are left: the same command goes on`] : []),
  ];
  err.line(printableLines(parts.join(", ")));
  err.line(`Cells: ${store.layout.cells}`);
  if (signal.aborted && left > 0) return code();
  return done === all ? 0 : 1;
}

/** The jobs that `--jobs` names, in the order that `--first` asks for. */
function chooseJobs(jobs: readonly PlannedJob[], { jobs: asked, first = [] }: SweepFlags): readonly PlannedJob[] {
  const check = (flag: string, indices: readonly number[] = []) => {
    const unknown = indices.find((index) => index >= jobs.length);
    if (unknown === undefined) return;
    throw new InputError(
      `Cannot use --${flag} ${unknown}: the plan has ${jobs.length} jobs; the last one is ${jobs.length - 1}`,
    );
  };
  check("jobs", asked);
  check("first", first);
  const chosen = asked === undefined ? jobs : jobs.filter(({ index }) => asked.includes(index));
  return firstOf(chosen, first);
}

const readChunk = object<{ chunk?: number }>({ chunk: optional(number) });

/**
 * Decides the size of jobs: the flag, the plan, or what the sweep began with. Workers of one sweep must agree, or two
 * of them would measure the same cells.
 */
export async function withChunk(plan: Plan, { chunk }: Pick<SweepFlags, "chunk">, folder: string): Promise<Plan> {
  const before = await readJson(layoutOf(folder).plan, readChunk).catch(() => undefined);
  const size = chunk ?? plan.chunk ?? before?.chunk;
  return size === undefined ? plan : { ...plan, chunk: size };
}
