import { exitCodeOf } from "../compare/compare_sets.ts";
import { compareWithNights } from "../compare/compare_nights.ts";
import { formatComparison } from "../compare/format_comparison.ts";
import type { CompareOptions, ComparisonOfSets } from "../compare/types.ts";
import { findResults, resultFiles } from "../find_results.ts";
import { openHistory } from "../history/open_history.ts";
import { addToHistory } from "../history/update_history.ts";
import { writePage } from "../page/write_page.ts";
import type { PlannedJob } from "../plan/types.ts";
import { Cells } from "../store/cells.ts";
import { layoutOf } from "../store/layout.ts";
import { printable } from "../../util/printable.ts";
import { writeAtomic } from "../../util/write_atomic.ts";
import { type EarlierNight, earlierNights } from "./earlier_nights.ts";
import { type HookCommand, runHook } from "./hook.ts";
import { doubtedFiles, jobsOf } from "./measure_again.ts";
import { type NightFolder, nightFolder, nightsIn } from "./night_folder.ts";
import { removeOldNights } from "./retention.ts";
import { summarize } from "./summary.ts";

/** What a night needs. */
export interface NightOptions {
  /** Name of the plan, and its jobs. */
  readonly plan: string;
  readonly jobs: readonly PlannedJob[];
  /** `YYYY-MM-DD`. */
  readonly night: string;
  /** The folder of all nights, and tonight's. */
  readonly nights: string;
  readonly paths: NightFolder;
  /** The history's file. */
  readonly history: string;
  readonly keep: number;
  /** Earlier nights to compare with. */
  readonly count: number;
  readonly compare: Partial<CompareOptions>;
  readonly hook: HookCommand | undefined;
  /** Runs `deno task sweep` on the plan into a folder, with more flags; returns its exit code. */
  readonly sweep: (folder: string, flags: readonly string[]) => Promise<number>;
  /** Whether another process has taken the lock over. */
  readonly isLost: () => boolean;
  /** Takes lines for the log. */
  readonly log: (text: string) => void;
}

/** How a night ended. */
export interface NightEnd {
  /** 0 nothing is worse, 1 something failed, 3 a regression, over 128 a signal. */
  readonly code: number;
  /** One line. */
  readonly summary: string;
}

/** Characters of a line of the comparison. */
const WIDTH = 100;
/** Exit codes from here on are those of signals. */
const SIGNALS = 128;

/**
 * Runs a night: sweep, comparison, again what the rounds do not agree on, retention, history, page, hook. A step that
 * fails does not stop those after it.
 *
 * @example
 * ```ts
 * import { type NightOptions, runNight } from "./run_night.ts";
 *
 * const line = async (options: NightOptions) => (await runNight(options)).summary;
 * ```
 *
 * @param options What is needed.
 * @returns Exit code and summary.
 * @throws {InputError} For a mistake that the sweep finds before it measures, such as a GPU that is not there.
 */
export async function runNight(options: NightOptions): Promise<NightEnd> {
  return await new Night(options).run();
}

class Night {
  readonly #problems: string[] = [];

  constructor(readonly options: NightOptions) {}

  async run(): Promise<NightEnd> {
    const { plan, night, paths, log, hook } = this.options;
    const code = await this.options.sweep(paths.sweep, []);
    if (code >= SIGNALS) return { code, summary: this.#ended() };
    let compared = await this.#step("comparison", () => this.#compare());
    if (compared?.comparison !== undefined) {
      const ended = await this.#step("measuring again", () => this.#again(compared!.comparison!));
      if (ended !== undefined && ended >= SIGNALS) return { code: ended, summary: this.#ended() };
      if (ended !== undefined) compared = await this.#step("comparison", () => this.#compare()) ?? compared;
    }
    await this.#step("retention", () => this.#retain());
    const page = await this.#step("page", () => this.#page());
    const comparison = compared?.comparison;
    const cells = await this.#count(code);
    const outcome = () =>
      summarize({
        ...{ plan, night, cells, problems: this.#problems },
        comparison: compared === undefined ? null : comparison,
        nights: compared?.nights.length ?? 0,
        see: page ?? paths.folder,
      });
    const isWorse = comparison !== undefined && exitCodeOf(comparison.summary) !== 0;
    if (isWorse && hook !== undefined) await this.#step("hook", () => this.#hook(hook, comparison, outcome()));
    const summary = outcome();
    log(summary);
    return { code: isWorse ? 3 : code !== 0 || this.#problems.length > 0 ? 1 : 0, summary };
  }

  /** Does a step. What goes wrong is noted, with its details in the log. */
  async #step<T>(name: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      this.options.log((error as Error).stack ?? `${error}`);
      this.#problems.push(`${name}: ${printable((error as Error).message, 200)}`);
      return undefined;
    }
  }

  /** Compares tonight with earlier nights, and keeps what is found. */
  async #compare(): Promise<{ nights: EarlierNight[]; comparison: ComparisonOfSets | undefined }> {
    const { nights, night, count, compare, paths, log } = this.options;
    await this.#updateHistory();
    const history = openHistory(this.options.history, "read");
    let earlier: EarlierNight[];
    try {
      earlier = earlierNights(history, nights, night, count);
    } finally {
      history.close();
    }
    const read = async (files: readonly string[]) =>
      await findResults(files, ({ reason }) => log(`Skipped: ${reason}`));
    if (earlier.length === 0) return { nights: [], comparison: undefined };
    const found = [];
    for (const { files } of earlier) found.push(await read(files));
    const comparison = compareWithNights(found, await read(await resultFiles([paths.folder])), compare);
    const title = `${night} against ${earlier.map(({ night }) => night).join(", ")}`;
    const text = `${title}\n\n${formatComparison(comparison, "table", { all: false, width: WIDTH })}`;
    await writeAtomic(paths.comparison.text, `${text}\n`);
    await writeAtomic(paths.comparison.json, `${formatComparison(comparison, "json", { all: true, width: WIDTH })}\n`);
    log(text);
    return { nights: earlier, comparison };
  }

  /** Measures once more what some of the rounds show; undefined if there is nothing, or it was done before. */
  async #again(comparison: ComparisonOfSets): Promise<number | undefined> {
    const { jobs, paths, sweep, log } = this.options;
    const doubted = doubtedFiles(comparison);
    const indices = await jobsOf(doubted, jobs);
    if (indices.length === 0) return undefined;
    log(`Measures again, as rounds do not agree: ${doubted.length} cells, jobs ${indices.join(", ")}`);
    return await sweep(paths.again, [`--jobs=${indices.join(",")}`]);
  }

  async #retain(): Promise<void> {
    const { nights, plan, night, keep, isLost, log } = this.options;
    if (isLost()) throw new Error("another process has taken over the lock: nothing was removed");
    const removed = await removeOldNights(nights, plan, {
      ...{ tonight: night, keep },
      onRemove: (folder) => log(`Removes ${folder}: ${keep} nights are kept`),
    });
    if (removed.length > 0) await this.#updateHistory();
  }

  async #updateHistory(): Promise<void> {
    const { history, nights, log } = this.options;
    const { added, changed, unchanged, removed, skipped } = await addToHistory(history, [nights]);
    for (const { reason } of skipped) log(`Skipped: ${reason}`);
    log(`History ${history}: ${added} added, ${changed} changed, ${unchanged} unchanged, ${removed} removed`);
  }

  /** Writes the page of all nights that are kept. */
  async #page(): Promise<string | undefined> {
    const { nights, plan, paths, log } = this.options;
    const folders: string[] = [];
    for (const name of await nightsIn(nights, plan)) {
      const { folder } = nightFolder(nights, name);
      if ((await resultFiles([folder])).length > 0) folders.push(folder);
    }
    if (folders.length === 0) return undefined;
    const { rows, runs } = await writePage(folders, paths.page);
    log(`Page ${paths.page}: ${rows} rows of ${runs} runs`);
    return paths.page;
  }

  async #hook(hook: HookCommand, comparison: ComparisonOfSets, summary: string): Promise<void> {
    const { plan, night, paths, log } = this.options;
    log(`Runs ${[hook.program, ...hook.args].map((word) => JSON.stringify(word)).join(" ")}`);
    const code = await runHook(hook, {
      env: {
        KVCOMPRESS_SUMMARY: summary,
        KVCOMPRESS_PLAN: plan,
        KVCOMPRESS_NIGHT: night,
        KVCOMPRESS_FOLDER: paths.folder,
      },
      input: `${formatComparison(comparison, "json", { all: true, width: WIDTH })}\n`,
      onLine: (line) => log(`hook: ${line}`),
    });
    if (code !== 0) throw new Error(`${hook.program} ended with exit code ${code}`);
  }

  async #count(code: number): Promise<{ done: number; failed: number; left: number }> {
    const { jobs, paths } = this.options;
    const cells = new Cells(layoutOf(paths.sweep));
    const done = await cells.done(), failed = (await cells.failed()).difference(done).size;
    const all = jobs.reduce((sum, job) => sum + job.cells.length, 0);
    return { done: done.size, failed, left: code === 0 ? 0 : Math.max(0, all - done.size - failed) };
  }

  #ended(): string {
    const { plan, night, paths, log } = this.options;
    const summary = `kvcompress nightly ${plan} ${night}: ended by a signal; the same command goes on until noon; ` +
      paths.folder;
    log(summary);
    return summary;
  }
}
