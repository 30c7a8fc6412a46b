import { cannotWrite } from "../../report/results/results_folder.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { InputError } from "../../util/errors.ts";
import { baseOf } from "../plan/resolve_job.ts";
import type { Cell, Job } from "../plan/types.ts";
import { fileSafe } from "../store/life.ts";
import type { Store } from "../store/store.ts";
import { jobStatus, type SweepState } from "./job_status.ts";
import { runJob } from "./run_job.ts";
import type { Slot, SlotJob } from "./slots.ts";

/** How a sweep is run by this process. */
export interface SweepOptions {
  /** URL of `bench`'s script. */
  readonly script: string;
  /** Time limit of a cell, s. */
  readonly cellTimeout?: number | undefined;
  /** Whether failed cells are tried again, once. */
  readonly retryFailed?: boolean;
  /**
   * Whether to wait for jobs of other workers, and take over what they leave. If not, it ends when all jobs that are
   * left are of workers that give signs of life.
   */
  readonly wait?: boolean;
  /** Whether a cell counts that was measured on other hardware. */
  readonly anyHardware?: boolean;
  /** Runs a job that is claimed; a simulation has another. */
  readonly run?: typeof runJob;
  /** Ends it in order. */
  readonly signal: AbortSignal;
  readonly onJob?: (job: Job, event: "began" | "resumed" | "ended") => void;
  readonly onDone?: (job: Job, cell: Cell, results: BenchmarkResults) => void;
  readonly onFailed?: (job: Job, cell: Cell, reason: string) => void;
  readonly onNote?: (message: string) => void;
  /** Told of the folder's state from time to time: other workers change it too. */
  readonly onState?: (state: SweepState) => void;
}

/** Least time between two looks at what other workers do, ms. */
const LOOK_MS = 3000;
/** Added to it for each cell of the sweep, ms: a look lists them all, and many workers look. */
const LOOK_MS_OF_CELL = 1;

/**
 * Works on a sweep until each of its cells is stored or has failed: one worker for each slot, which takes jobs that are
 * free, one after another. Several processes may do so on one folder.
 *
 * @example
 * ```ts
 * import { Store } from "../store/store.ts";
 * import { runSweep } from "./run_sweep.ts";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using store = await Store.open(folder);
 *   // One worker that has nothing to do.
 *   await runSweep(store, [{ visible: undefined, gpu: undefined, jobs: [] }], { script: "", signal: AbortSignal.timeout(1000) });
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param store The sweep's folder.
 * @param slots The workers, with their jobs.
 * @param options How.
 * @throws {InputError} If another worker of the sweep measures on the same GPU.
 */
export async function runSweep(store: Store, slots: readonly Slot[], options: SweepOptions): Promise<void> {
  const problem = new AbortController();
  const signal = AbortSignal.any([options.signal, problem.signal]);
  const failed = await store.cells.failed();
  const own = slots.flatMap(({ jobs }) => jobs.flatMap(({ job: { cells } }) => cells.map(({ key }) => key)));
  const again = new Set(options.retryFailed ? own.filter((key) => failed.has(key)) : []);
  await using gpus = new AsyncDisposableStack();
  for (const slot of slots) {
    if (slot.gpu !== undefined) gpus.use(await claimGpu(store, slot));
  }
  store.log({ event: "began", text: `${own.length} cells, ${slots.length} workers` });
  const results = await Promise.allSettled(
    slots.map((slot) =>
      new Worker(store, slot, { ...options, signal }, again).run().catch((error) => {
        problem.abort(error);
        throw error;
      })
    ),
  );
  store.log({ event: "ended" });
  const broken = results.find((result) => result.status === "rejected");
  if (broken === undefined) return;
  const { reason } = broken;
  // Of the file system: a full disk, a folder that was removed.
  const isSystem = reason instanceof Error && !(reason instanceof InputError) && "code" in reason;
  throw isSystem ? cannotWrite(store.layout.folder, reason) : reason;
}

/** Claims a GPU of this machine for as long as this process works on the sweep. */
async function claimGpu(store: Store, { visible, gpu }: Slot): Promise<AsyncDisposable> {
  const { host } = store.life.options;
  const { name, uuid } = gpu!;
  const { claim, heldBy } = await store.claims.take(`gpu-${fileSafe(host)}-${fileSafe(uuid)}`);
  if (claim !== undefined) return claim;
  const which = visible === undefined ? name : `${visible} (${name})`;
  const who = heldBy === undefined ? "another worker" : `process ${heldBy.pid} on ${heldBy.host}`;
  throw new InputError(
    `Cannot measure on GPU ${which}: ${who} of the same sweep measures on it, and both would be slowed down; ` +
      "name other GPUs with --devices, or wait until it has ended",
  );
}

/** Takes jobs one after another. */
class Worker {
  #state: SweepState = { done: new Set(), failed: new Set() };
  /** Of the keys of all cells that are done, the part without the hardware. */
  #bases: ReadonlySet<string> = new Set();
  #looked = -Infinity;
  /** Keys of jobs that are known to be over. */
  readonly #over = new Set<string>();
  readonly #pause: number;

  constructor(
    readonly store: Store,
    readonly slot: Slot,
    readonly options: SweepOptions,
    /** Failed cells that are still to be tried again. */
    readonly again: Set<string>,
  ) {
    this.#pause = LOOK_MS + LOOK_MS_OF_CELL * slot.jobs.reduce((sum, { job: { cells } }) => sum + cells.length, 0);
  }

  async run(): Promise<void> {
    const { slot: { jobs }, options: { signal, wait = true } } = this;
    while (!signal.aborted) {
      const held: Job[] = [];
      let taken = 0;
      for (const one of jobs) {
        if (signal.aborted) return;
        await this.#look();
        const how = this.#over.has(one.job.key) ? "over" : await this.#take(one);
        if (how === "over") this.#over.add(one.job.key);
        else if (how === "held") held.push(one.job);
        else taken++;
      }
      if (held.length + taken === 0) return;
      if (taken > 0) continue;
      if (!wait && held.every((job) => this.#isAlive(job))) return;
      await pause(this.#pause, signal);
    }
  }

  /** Runs a job, if it is not over, and free. */
  async #take({ job, machine, refused }: SlotJob): Promise<"over" | "held" | "taken"> {
    const { store, options, again } = this;
    // Looking is cheaper than claiming, and the list of all cells may be old.
    if (this.#isOver(job, this.#state) || await this.#isOverNow(job)) return "over";
    const elsewhere = this.#elsewhere(job);
    if (elsewhere !== undefined && !await store.claims.isStale(elsewhere, await store.claims.ownerOf(elsewhere))) {
      return "held";
    }
    const { claim } = await store.claims.take(job.key);
    if (claim === undefined) return "held";
    try {
      // Another worker may have ended it since this one looked.
      await store.cells.refresh();
      if (await this.#isOverNow(job)) return "over";
      options.onJob?.(job, claim.previous === undefined ? "began" : "resumed");
      await (options.run ?? runJob)(job, claim, store, {
        ...{ script: options.script, cellTimeout: options.cellTimeout, signal: options.signal },
        ...{ machine, refused, visible: this.slot.visible, again: new Set(again) },
        onDone: (cell, results) => options.onDone?.(job, cell, results),
        onFailed: (cell, reason) => options.onFailed?.(job, cell, reason),
        onNote: (message) => options.onNote?.(message),
      });
      for (const { key } of job.cells) again.delete(key);
      options.onJob?.(job, "ended");
      return "taken";
    } finally {
      await claim[Symbol.asyncDispose]();
    }
  }

  #isOver(job: Job, state: SweepState): boolean {
    if (this.options.anyHardware && job.cells.every(({ key }) => this.#bases.has(baseOf(key)))) return true;
    const { done, failed } = jobStatus(job, state);
    if (done + failed < job.cells.length) return false;
    return !job.cells.some(({ key }) => this.again.has(key) && !state.done.has(key));
  }

  /** Looks at the cells of a job, as far as needed. */
  async #isOverNow(job: Job): Promise<boolean> {
    const done = new Set<string>(), failed = new Set<string>();
    for (const { key } of job.cells) {
      const one = await this.store.cells.stateOf([key]);
      if (one.done.size + one.failed.size === 0) return false;
      for (const each of one.done) done.add(each);
      for (const each of one.failed) failed.add(each);
    }
    return this.#isOver(job, { done, failed });
  }

  /** The claim of a worker that measures a job on hardware of another kind. */
  #elsewhere({ key }: Job): string | undefined {
    if (!this.options.anyHardware) return undefined;
    return [...this.#state.claimed ?? []].find((name) => name !== key && baseOf(name) === baseOf(key));
  }

  #isAlive(job: Job): boolean {
    const { claims } = this.store;
    return claims.isAlive(job.key) || claims.isAlive(this.#elsewhere(job) ?? "");
  }

  /** Lists all cells, unless it has done so a moment ago. */
  async #look(): Promise<void> {
    const { cells, claims } = this.store;
    const now = performance.now();
    if (now - this.#looked < this.#pause) return;
    this.#state = { done: await cells.done(), failed: await cells.failed(), claimed: new Set(await claims.names()) };
    if (this.options.anyHardware) this.#bases = new Set([...this.#state.done].map(baseOf));
    this.#looked = now;
    this.options.onState?.(this.#state);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
