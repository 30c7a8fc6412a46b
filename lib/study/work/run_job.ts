import { join } from "@std/path";
import { comparedWith } from "../../report/results/compared_with.ts";
import { readResults } from "../../report/results/results_file.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { OTHER_TERMS } from "../../run/resume.ts";
import { printable } from "../../util/printable.ts";
import { lengthsFor, type Machine } from "../plan/machine.ts";
import { argumentsOf } from "../plan/plan_jobs.ts";
import type { Cell, Job } from "../plan/types.ts";
import type { Claim } from "../store/claims.ts";
import type { Store } from "../store/store.ts";
import {
  type Attempt,
  beginAttempt,
  type EarlierAttempt,
  latestAttempt,
  removeOldAttempts,
  runOf,
  untilUnused,
} from "./attempts.ts";
import { type BenchEnd, runBench } from "./bench_process.ts";
import { Harvest, type HarvestEvents } from "./harvest.ts";
import { forgetting, hasNoBaseline, lackOf } from "./incomplete.ts";

/** How jobs are run. */
export interface JobOptions extends HarvestEvents {
  /** URL of `bench`'s script. */
  readonly script: string;
  readonly machine: Machine;
  /** The GPU to use, as CUDA_VISIBLE_DEVICES. */
  readonly visible?: string | undefined;
  /** Time limit of a cell, s. */
  readonly cellTimeout?: number | undefined;
  /** Keys of failed cells to try again. */
  readonly again: ReadonlySet<string>;
  /** Why a cell cannot run, by its name in the job; known before. */
  readonly refused: ReadonlyMap<string, string>;
  /** Ends it in order. */
  readonly signal: AbortSignal;
}

/** Times that a run may end by itself without progress before its cells count as failed. */
const TRIES = 3;
/** Attempts after which cells are stored that lack what they are compared with: the full cache may not fit. */
const BASELINE_TRIES = 3;
/** A time limit that is none: 68 years, s. */
const NO_LIMIT = 2 ** 31 - 1;
/** Wait before such a run is resumed, ms. */
const PAUSE_MS = 500;

/**
 * Runs a job that this process has claimed, until each of its cells is stored or has failed: goes on with the run of an
 * earlier attempt, and resumes a run that was killed.
 *
 * @example
 * ```ts
 * import { type JobOptions, runJob } from "./run_job.ts";
 * import type { Job } from "../plan/types.ts";
 * import type { Store } from "../store/store.ts";
 *
 * async function one(job: Job, store: Store, options: JobOptions) {
 *   const { claim } = await store.claims.take(job.key);
 *   if (claim === undefined) return;
 *   await runJob(job, claim, store, options);
 *   await claim[Symbol.asyncDispose]();
 * }
 * ```
 *
 * @param job The job.
 * @param claim Its claim.
 * @param store The sweep's folder.
 * @param options How to run.
 */
export async function runJob(job: Job, claim: Claim, store: Store, options: JobOptions): Promise<void> {
  await new JobRun(job, claim, store, options).run();
}

class JobRun {
  readonly #harvest: Harvest;
  readonly #folder: string;
  readonly #stop: AbortSignal;

  constructor(readonly job: Job, readonly claim: Claim, readonly store: Store, readonly options: JobOptions) {
    this.#harvest = new Harvest(job, store, options);
    this.#folder = join(store.layout.jobs, job.key);
    this.#stop = AbortSignal.any([options.signal, claim.lost]);
  }

  async run(): Promise<void> {
    const { job, options } = this;
    const open = new Set(await this.#missing());
    for (const cell of job.cells) if (!open.has(cell)) this.#harvest.pass(cell);
    for (const cell of open) {
      const reason = options.refused.get(cell.nameInJob);
      if (reason !== undefined) await this.#harvest.fail(cell, reason, "", 2);
    }
    let measured = -1;
    for (let tries = 0; !this.#stop.aborted;) {
      const earlier = await this.#earlier();
      const missing = await this.#missing();
      if (missing.length === 0) break;
      const now = sizeOf(earlier?.results);
      tries = now > measured ? 0 : tries + 1;
      measured = now;
      if (tries > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const end = await this.#attempt(missing, earlier);
      if (this.#stop.aborted) break;
      // It is tried again, a limited number of times.
      if (end.isHopeless) continue;
      // A mistake, or a run that ended well without a cell, would end alike again. But the device may have had a bad
      // moment: once more.
      const isFinal = tries >= (end.signal === null && end.code <= 2 ? 1 : TRIES);
      if (isFinal) {
        for (const cell of await this.#missing()) await this.#harvest.fail(cell, reasonOf(end), end.said, end.code);
      }
    }
    if (this.claim.lost.aborted) this.store.log({ event: "lost", job: job.key });
    else if (!this.#stop.aborted) await removeOldAttempts(this.#folder);
  }

  /** Cells that are neither stored nor failed. */
  async #missing(): Promise<Cell[]> {
    const { done, failed } = await this.store.cells.stateOf(this.job.cells.map(({ key }) => key));
    const isOver = ({ key }: Cell) => done.has(key) || failed.has(key) && !this.options.again.has(key);
    return this.job.cells.filter((cell) => !isOver(cell) && !this.#harvest.isSettled(cell));
  }

  /** Takes what an earlier attempt has finished, and returns it. */
  async #earlier(): Promise<EarlierAttempt | undefined> {
    const found = await latestAttempt(this.#folder);
    if (found === undefined) return undefined;
    await untilUnused(found.run);
    // Its process may have written once more.
    const earlier = { ...found, results: await readResults(found.run).catch(() => found.results) };
    const alone = earlier.failures >= BASELINE_TRIES - 1;
    await this.#harvest.take(earlier.results, earlier.run, await this.#recorded(earlier.results), alone);
    return earlier;
  }

  /** Names of configurations whose failure in a run is recorded already. */
  async #recorded({ failures }: BenchmarkResults): Promise<Set<string>> {
    const recorded = new Set<string>();
    for (const { nameInJob, key } of this.job.cells) {
      const failure = failures.find(({ method }) => method === nameInJob);
      const known = failure && await this.store.cells.failure(key);
      if (known?.attempts.some(({ reason, log }) => reason === failure?.reason && log === failure.log)) {
        recorded.add(nameInJob);
      }
    }
    return recorded;
  }

  /** Runs `bench` once: resumes the earlier attempt's run if it has what is missing, else begins a new one. */
  async #attempt(missing: readonly Cell[], earlier: EarlierAttempt | undefined): Promise<AttemptEnd> {
    const { job, store } = this;
    const names = missing.map(({ nameInJob }) => nameInJob);
    const fits = earlier !== undefined && names.every((name) => earlier.wanted.includes(name));
    const results = fits ? this.#again(missing, earlier.results) : undefined;
    const isLost = earlier !== undefined && isDeficient(missing, earlier.results);
    const failures = (earlier?.failures ?? 0) + (isLost ? 1 : 0);
    const attempt = await beginAttempt(
      this.#folder,
      fits ? earlier.wanted : names,
      failures,
      results && { ...earlier!, results },
    );
    const { resume } = attempt;
    store.log({ event: resume === undefined ? "claimed" : "resumed", job: job.key, text: attempt.folder });
    const known = results ? await this.#recorded(results) : new Set<string>();
    const spent = missing.some(({ key }) => this.options.again.has(key)) ? timeOf(missing, results) : 0;
    const end = await this.#bench(attempt, this.#arguments(attempt, resume, spent), known, missing);
    if (resume === undefined || !end.said.includes(OTHER_TERMS) || this.#stop.aborted) return end;
    // In a way that no key knows, such as another version of Deno.
    this.options.onNote(`${lastLine(end.said)}: the run begins anew`);
    const anew = await beginAttempt(this.#folder, names, failures);
    return await this.#bench(anew, this.#arguments(anew), new Set(), missing);
  }

  /** What a resumed run goes on from: of what failed, it tries again only what it must. */
  #again(missing: readonly Cell[], results: BenchmarkResults): BenchmarkResults {
    const failed = new Set(results.failures.map(({ method }) => method));
    const names = missing.filter(({ nameInJob, key }) =>
      this.options.again.has(key) && failed.has(nameInJob) || lackOf(results, nameInJob) !== undefined
    ).map(({ nameInJob }) => nameInJob);
    const reference = comparedWith(results.config);
    return forgetting(results, new Set([...names, ...hasNoBaseline(results) ? [reference] : []]));
  }

  /** @param spent Time of earlier tries that does not count, s. */
  #arguments({ folder, wanted }: Pick<Attempt, "folder" | "wanted">, resume?: string, spent = 0) {
    const { machine, cellTimeout } = this.options;
    // A run that is resumed would take over its earlier limit.
    const limit = `--configuration_timeout=${cellTimeout === undefined ? NO_LIMIT : Math.ceil(cellTimeout + spent)}`;
    const rows = ["--format=jsonl", limit];
    if (resume !== undefined) return [`--resume=${resume}`, "--keep_failed", ...rows];
    const { flags } = this.job;
    const only = wanted.filter((name) => name !== "baseline");
    return [
      ...argumentsOf({ ...flags, ...lengthsFor(machine.device, flags), device: machine.device }),
      ...only.length > 0 ? [`--only=${only.join(",")}`] : [],
      ...["--no_chart", `--output=${folder}`, ...rows],
    ];
  }

  /** @param known Names of configurations whose failure is recorded already. */
  async #bench(
    attempt: Attempt,
    args: readonly string[],
    known: ReadonlySet<string>,
    missing: readonly Cell[],
  ): Promise<AttemptEnd> {
    const { script, visible, onNote } = this.options;
    const alone = attempt.failures >= BASELINE_TRIES - 1;
    const hopeless = new AbortController();
    let isHopeless = false;
    const take = async () => {
      const run = await runOf(attempt);
      const results = run && await readResults(run).catch(() => undefined);
      if (!results) return;
      if (hasNoBaseline(results) && !alone && !hopeless.signal.aborted) {
        const { reason } = results.failures.find(({ method }) => method === comparedWith(results.config)) ?? {};
        onNote(`job ${this.job.index}: the full cache failed and is tried again: ${printable(reason ?? "", 200)}`);
        hopeless.abort();
      }
      await this.#harvest.take(results, run, known, alone);
      isHopeless = !alone && isDeficient(missing, results);
    };
    let taking = Promise.resolve();
    const onRow = () => {
      taking = taking.then(take);
    };
    const stop = AbortSignal.any([this.#stop, hopeless.signal]);
    const log = join(attempt.folder, "bench.log");
    const end = await runBench({ script, args, visible, log, stop, onRow });
    await taking;
    await take();
    return { ...end, isHopeless };
  }
}

/** Whether cells lack what they are compared with. */
function isDeficient(cells: readonly Cell[], results: BenchmarkResults): boolean {
  return hasNoBaseline(results) || cells.some(({ nameInJob }) => lackOf(results, nameInJob) !== undefined);
}

/** How an attempt ended. */
interface AttemptEnd extends BenchEnd {
  /** Whether it left cells without what they are compared with, which are to be measured again. */
  readonly isHopeless: boolean;
}

/** The most that processes of one of these cells took in an earlier run, s. */
function timeOf(cells: readonly Cell[], earlier: BenchmarkResults | undefined): number {
  const names = new Set(cells.map(({ nameInJob }) => nameInJob));
  const own = earlier?.configurations.filter(({ name }) => names.has(name)) ?? [];
  return Math.max(0, ...own.map(({ process_s: took }) => took === undefined ? 0 : took.speed + took.quality));
}

/** How much a run has measured. */
function sizeOf(results: BenchmarkResults | undefined): number {
  if (results === undefined) return 0;
  const { speed_runs = [], raw_results, failures } = results;
  return speed_runs.length + raw_results.length + failures.reduce((sum, { quality = [] }) => sum + quality.length, 0);
}

/** Why a run ended without a cell's figures. */
function reasonOf({ code, signal, said }: BenchEnd): string {
  const last = lastLine(said);
  if (signal !== null) return `the run was killed (${signal}), ${TRIES + 1} times without progress`;
  return last === "" ? `the run ended with code ${code}` : last;
}

function lastLine(said: string): string {
  return printable(said.trimEnd().split("\n").at(-1)!.trim(), 300);
}
