import { terminalColumns } from "../../cli/progress/terminal_columns.ts";
import { formatDuration } from "../../cli/progress/time_left.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { formatFinished } from "../../report/tables/finished_line.ts";
import { printable, printableLines } from "../../util/printable.ts";
import type { Cell, Job } from "../plan/types.ts";
import type { SweepState } from "./job_status.ts";

/** Where progress is shown. */
export interface SweepProgressOptions {
  /** Whether to redraw one line in place; otherwise only lines about cells are written. */
  readonly isTerminal: boolean;
  /** Writes text unchanged; usually to standard error. */
  readonly write: (text: string) => void;
  /** All jobs that count. */
  readonly jobs: readonly Job[];
  /** Expected time of all cells that are missing, s; undefined if unknown. */
  readonly expected?: number | undefined;
  /** A clock that only goes forward, ms. */
  readonly now?: () => number;
}

/** Seconds before which an estimate of the time left is a guess. */
const LEAST_SECONDS = 5;

/** Shows the progress of a sweep: a line for each cell that ends, and on a terminal a line of counts below. */
export class SweepProgress implements Disposable {
  readonly #keys: ReadonlySet<string>;
  readonly #varying: readonly string[];
  readonly #jobs: ReadonlySet<string>;
  readonly #now: () => number;
  readonly #began: number;
  readonly #running = new Set<string>();
  #state: SweepState = { done: new Set(), failed: new Set() };
  #atStart: number | undefined;
  #drawn = false;

  constructor(readonly options: SweepProgressOptions) {
    const { jobs } = options;
    this.#keys = new Set(jobs.flatMap(({ cells }) => cells.map(({ key }) => key)));
    this.#jobs = new Set(jobs.map(({ key }) => key));
    this.#varying = varyingTerms(jobs);
    this.#now = options.now ?? (() => performance.now());
    this.#began = this.#now();
  }

  /** Takes the state of the sweep's folder. */
  state(state: SweepState): void {
    this.#state = state;
    this.#atStart ??= this.#count(state.done);
    this.#draw();
  }

  /** Takes a job that this process began or ended. */
  job(job: Job, event: "began" | "resumed" | "ended"): void {
    if (event === "ended") this.#running.delete(job.key);
    else {
      this.#running.add(job.key);
      const what = event === "began" ? "begins" : "goes on with what another worker left";
      this.line(`job ${job.index} ${what}: ${job.cells.length} cells${this.#label(job, ", ")}`);
    }
  }

  /** Takes a cell that was stored. */
  done(job: Job, cell: Cell, results: BenchmarkResults): void {
    const { process_s } = results.configurations.find(({ name }) => name === cell.name) ?? {};
    this.#state = { ...this.#state, done: new Set(this.#state.done).add(cell.key) };
    const took = process_s === undefined ? "" : ` (${formatDuration(process_s.speed + process_s.quality)})`;
    const numbering = cell.nameInJob.slice(cell.name.length);
    const line = formatFinished(results, cell.name).replace(
      cell.name,
      `${cell.name}${numbering}${this.#label(job, ", ")}`,
    );
    this.line(`${this.#place()} ${line}${took}`);
  }

  /** Takes a cell that failed. */
  failed(job: Job, cell: Cell, reason: string): void {
    this.#state = { ...this.#state, failed: new Set(this.#state.failed).add(cell.key) };
    const title = `${cell.nameInJob}${this.#label(job, ", ")}`;
    this.line(`${this.#place()} ${title}: failed: ${printable(reason, 300)}`);
  }

  /** Writes a line, above the counts. */
  line(text: string): void {
    this.#clear();
    this.options.write(`${printableLines(text)}\n`);
    this.#draw();
  }

  /** The counts: done, running, failed, time left. */
  counts(): string {
    const { claimed = new Set() } = this.#state;
    const done = this.#count(this.#state.done), failed = this.#failures();
    const elsewhere = [...claimed].filter((name) => this.#jobs.has(name) && !this.#running.has(name)).length;
    const left = this.#left();
    return [
      `${done} of ${this.#keys.size} cells done`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      `${jobCount(this.#running.size)} running here`,
      ...(elsewhere > 0 ? [`${elsewhere} elsewhere`] : []),
      ...(left === undefined ? [] : [`about ${formatDuration(left)} left`]),
    ].join(", ");
  }

  /** Clears the line of counts. */
  [Symbol.dispose](): void {
    this.#clear();
  }

  /** "[13/40]", and from time to time how long it will take: a log has no other place for it. */
  #place(): string {
    const left = this.options.isTerminal ? undefined : this.#left();
    const time = left === undefined ? "" : `, about ${formatDuration(left)} left`;
    return `[${this.#count(this.#state.done) + this.#failures()}/${this.#keys.size}${time}]`;
  }

  #left(): number | undefined {
    const done = this.#count(this.#state.done);
    const missing = this.#keys.size - done - this.#failures();
    if (missing === 0) return undefined;
    const here = done - (this.#atStart ?? done);
    const seconds = (this.#now() - this.#began) / 1000;
    if (here > 0 && seconds >= LEAST_SECONDS) return seconds / here * missing;
    return this.options.expected === undefined ? undefined : Math.max(0, this.options.expected - seconds);
  }

  #count(keys: ReadonlySet<string>): number {
    return [...this.#keys].filter((key) => keys.has(key)).length;
  }

  #failures(): number {
    const { done, failed } = this.#state;
    return [...this.#keys].filter((key) => failed.has(key) && !done.has(key)).length;
  }

  #label(job: Job, before: string): string {
    const texts = this.#varying.flatMap((name) => job.terms[name] === undefined ? [] : [short(name, job.terms[name])]);
    return texts.length === 0 ? "" : `${before}${printable(texts.join(" "), 120)}`;
  }

  #draw(): void {
    if (!this.options.isTerminal) return;
    // Leave the last column free: some terminals begin a new line there.
    const line = [...this.counts()].slice(0, Math.max(0, terminalColumns() - 1)).join("");
    this.options.write(`\r\x1b[2K${line}`);
    this.#drawn = true;
  }

  #clear(): void {
    if (this.#drawn) this.options.write("\r\x1b[2K");
    this.#drawn = false;
  }
}

/**
 * Names of terms that differ between jobs.
 *
 * @example
 * ```ts
 * import { varyingTerms } from "./sweep_progress.ts";
 *
 * console.log(varyingTerms([{ terms: { seed: "1", dtype: "float32" } }, { terms: { seed: "2", dtype: "float32" } }])); // [ "seed" ]
 * ```
 */
export function varyingTerms(jobs: readonly Pick<Job, "terms">[]): string[] {
  const names = new Set(jobs.flatMap(({ terms }) => Object.keys(terms)));
  return [...names].filter((name) => new Set(jobs.map(({ terms }) => terms[name])).size > 1);
}

/** "max_tokens 4000", or the last part of a path. */
function short(name: string, text: string): string {
  return name === "model_id" || name === "dataset" ? text.split("/").at(-1)! : `${name} ${text}`;
}

/**
 * Returns a number of jobs in words.
 *
 * @example
 * ```ts
 * import { jobCount } from "./sweep_progress.ts";
 *
 * console.log(jobCount(1), jobCount(2)); // 1 job 2 jobs
 * ```
 */
export function jobCount(count: number): string {
  return count === 1 ? "1 job" : `${count} jobs`;
}
