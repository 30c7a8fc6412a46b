import { join } from "@std/path";
import { comparedWith } from "../../report/results/compared_with.ts";
import { traceFileName } from "../../report/results/trace.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { INTERRUPTED } from "../../run/ledger.ts";
import { hardwareOf, inputsOf } from "../plan/inputs.ts";
import type { Cell, Job } from "../plan/types.ts";
import type { CellTitle } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { checkBaseline } from "./check_baseline.ts";
import { extractCell } from "./extract_cell.ts";
import { hasNoBaseline, lackOf } from "./incomplete.ts";

/** What is told of cells. */
export interface HarvestEvents {
  /** A cell that is stored now. */
  readonly onDone: (cell: Cell, results: BenchmarkResults) => void;
  /** A cell that failed. */
  readonly onFailed: (cell: Cell, reason: string) => void;
  readonly onNote: (message: string) => void;
}

/** Moves what a job's run has finished into the sweep's store, each cell once. */
export class Harvest {
  readonly #settled = new Set<string>();
  #note: string | undefined;

  constructor(readonly job: Job, readonly store: Store, readonly events: HarvestEvents) {}

  /** Whether a cell was stored or recorded as failed by this harvest. */
  isSettled({ key }: Cell): boolean {
    return this.#settled.has(key);
  }

  /** Leaves a cell alone: it was stored, or had failed, before this worker came. */
  pass({ key }: Cell): void {
    this.#settled.add(key);
  }

  /**
   * Stores the cells that a run has finished, and records those that failed. Called as often as the run has news.
   *
   * @param results The run's results so far.
   * @param run The run's folder.
   * @param known Names of configurations in the run whose failure was recorded before.
   * @param alone Whether cells are stored that lack what they are compared with.
   */
  async take(
    results: BenchmarkResults,
    run: string,
    known: ReadonlySet<string> = new Set(),
    alone = false,
  ): Promise<void> {
    const { store, job, events } = this;
    const reference = comparedWith(results.config);
    const status = new Map(results.configurations.map((record) => [record.name, record.status]));
    // A cell is compared with the full cache of its own run.
    if (status.get(reference) === "not run" || hasNoBaseline(results) && !alone) return;
    for (const cell of job.cells) {
      const how = status.get(cell.nameInJob);
      if (this.#settled.has(cell.key) || how === undefined || how === "not run") continue;
      if (how === "failed") {
        if (!known.has(cell.nameInJob)) await this.#fail(cell, results);
        continue;
      }
      const lack = lackOf(results, cell.nameInJob);
      if (lack !== undefined && !alone) continue;
      const mismatch = this.#mismatch(results);
      if (mismatch !== undefined) {
        await this.fail(cell, mismatch, "", 2);
        continue;
      }
      this.#settled.add(cell.key);
      const own = extractCell(results, cell.nameInJob, cell.name);
      this.#note ??= await checkBaseline(store.layout.baselines, job.baseline, results);
      if (this.#note) events.onNote(this.#note);
      const notes = [this.#note, lack].filter((note) => note !== undefined && note !== "") as string[];
      const record = {
        ...this.#title(cell),
        job: job.key,
        host: store.life.options.host,
        stored: new Date().toISOString(),
        ...(notes.length > 0 ? { notes } : {}),
      };
      const isNew = await store.cells.store(store.staging, record, own, await traces(run, cell));
      store.log({ event: isNew ? "stored" : "already there", job: job.key, cell: cell.key, text: cell.name });
      if (isNew) events.onDone(cell, own);
    }
  }

  /** Records a cell as failed. */
  async fail(cell: Cell, reason: string, log: string, code: number): Promise<void> {
    const { store, job } = this;
    this.#settled.add(cell.key);
    const attempt = { reason, log, code, host: store.life.options.host, at: new Date().toISOString() };
    await store.cells.fail({ ...this.#title(cell), job: job.key }, attempt);
    store.log({ event: "failed", job: job.key, cell: cell.key, text: reason });
    this.events.onFailed(cell, reason);
  }

  async #fail(cell: Cell, { failures }: BenchmarkResults): Promise<void> {
    const found = failures.find(({ method }) => method === cell.nameInJob);
    if (found !== undefined && found.reason !== INTERRUPTED) await this.fail(cell, found.reason, found.log, found.code);
  }

  /** Why a run's figures are not those that the cells' keys name; undefined if they are. */
  #mismatch({ config, environment }: BenchmarkResults): string | undefined {
    const { inputs } = this.job;
    const found: Record<string, string> = {
      ...inputsOf(environment),
      hardware: hardwareOf(config.device, environment),
    };
    const changed = Object.keys(found).filter((name) => found[name] !== inputs[name]);
    return changed.length === 0 ? undefined : `the ${changed.join(" and the ")} changed after the sweep had begun`;
  }

  #title({ key, name, configuration }: Cell): CellTitle {
    const { terms, inputs } = this.job;
    return { key, name, terms: { ...terms }, configuration: { ...configuration }, inputs: { ...inputs } };
  }
}

/** The trace of a configuration, if the run wrote one. */
async function traces(run: string, { name, nameInJob }: Cell): Promise<Record<string, string>> {
  const path = join(run, traceFileName(nameInJob));
  const isThere = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  return isThere ? { [traceFileName(name)]: path } : {};
}
