import { milliseconds } from "./duration.ts";
import { manyOutliers } from "./outliers.ts";
import type { Mark, SpeedRun } from "./spread_types.ts";
import type { RunConfig } from "./types.ts";

/**
 * Reasons for lower clocks that are no throttling: an idle GPU, and clocks that somebody set, which stay the same over
 * a run. "sync_boost" is not among them: it follows what other GPUs do.
 */
const SETTINGS = new Set(["gpu_idle", "applications_clocks_setting", "display_clock_setting"]);
/**
 * Cores that other processes may keep busy during a pass on a CPU. There, each operator runs on all cores and ends with
 * the slowest one, so that half of one core's time can cost half of the speed, however many cores there are.
 */
const OTHER_CORES_ON_CPU = 0.5;
/**
 * The same for a pass on a GPU, as a share of the cores. There, this process needs a core or two and takes free ones;
 * what many others do still slows the host down, through its caches, memory and clocks.
 */
const OTHER_SHARE_ON_GPU = 0.25;
/**
 * Slowest round over the fastest, of the same sample, above which rounds are unsteady: they do the same work, so that a
 * mean over them says little.
 */
const ROUNDS_APART = 1.5;

/** Where speed passes ran. */
export interface Machine {
  /** The run's device. */
  readonly device: RunConfig["device"];
  /** Cores that a process of the run may use. */
  readonly cores: number;
}

/** Fields of a speed pass that tell whether its times are to be doubted. */
export type DoubtedRun = Pick<SpeedRun, "sample" | "tpot" | "step_times_s" | "conditions">;

/** Why times are to be doubted. */
export interface Doubt {
  /** The mark that shows it. */
  readonly mark: Mark;
  /** What was seen, in one sentence without the configuration's name. */
  readonly note: string;
}

/**
 * Returns why the times of a row are to be doubted.
 *
 * @param runs All speed passes of one configuration.
 * @param machine Where they ran.
 * @returns The doubts in the order of their marks, at most two of each mark; empty if nothing is known against the
 * times.
 *
 * @example
 * ```ts
 * import { doubtsOf } from "./marks.ts";
 *
 * const run = { method: "baseline", round: 0, place: 0, sample: 0, ttft: 0.1, tpot: 0.004, throughput: 200, step_times_s: [] };
 * const conditions = { other_cores: 1.3, load_average: 2 };
 * console.log(doubtsOf([{ ...run, conditions }, run], { device: "cpu", cores: 8 }));
 * // [ { mark: "shared", note: "other processes kept up to 1.3 cores busy in 1 of 1 speed pass" } ]
 * ```
 */
export function doubtsOf(runs: readonly DoubtedRun[], machine: Machine): Doubt[] {
  return [...throttled(runs), ...shared(runs, machine), ...unsteady(runs)];
}

/**
 * Returns the marks of a row: "throttled" if the GPU lowered its clocks by itself, "shared" if other processes used the
 * machine, "unsteady" if steps or rounds differ among themselves. See {@linkcode doubtsOf} for what was seen.
 *
 * @param runs All speed passes of one configuration.
 * @param machine Where they ran.
 * @returns The marks, each once; empty if nothing is known against the times.
 *
 * @example
 * ```ts
 * import { marksOf } from "./marks.ts";
 *
 * const run = { method: "baseline", round: 0, place: 0, sample: 0, ttft: 0.1, tpot: 0.004, throughput: 200, step_times_s: [] };
 * console.log(marksOf([run, { ...run, round: 1, tpot: 0.007 }], { device: "cpu", cores: 8 })); // [ "unsteady" ]
 * ```
 */
export function marksOf(runs: readonly DoubtedRun[], machine: Machine): Mark[] {
  return [...new Set(doubtsOf(runs, machine).map(({ mark }) => mark))];
}

function throttled(runs: readonly DoubtedRun[]): Doubt[] {
  const passes = runs.flatMap(({ conditions }) => conditions?.gpu ?? []).map(({ throttled_by }) =>
    throttled_by.filter((reason) => !SETTINGS.has(reason))
  );
  const reasons = [...new Set(passes.flat())];
  if (reasons.length === 0) return [];
  const inPasses = share(passes, (pass) => pass.length > 0);
  return [{ mark: "throttled", note: `the GPU lowered its clocks in ${inPasses} (${reasons.join(", ")})` }];
}

function shared(runs: readonly DoubtedRun[], { device, cores }: Machine): Doubt[] {
  const doubts: Doubt[] = [];
  const note = (note: string) => doubts.push({ mark: "shared", note });
  const processes = runs.flatMap(({ conditions }) => conditions?.gpu?.other_processes ?? []);
  const most = Math.max(0, ...processes);
  if (most > 0) {
    const what = most === 1 ? "another process" : `up to ${most} other processes`;
    note(`${what} computed on the GPU in ${share(processes, (count) => count > 0)}`);
  }
  const busy = runs.flatMap(({ conditions }) => conditions?.other_cores ?? []);
  const limit = device === "cpu" ? OTHER_CORES_ON_CPU : Math.max(OTHER_CORES_ON_CPU, OTHER_SHARE_ON_GPU * cores);
  if (busy.some((cores) => cores > limit)) {
    const upTo = Math.max(...busy).toFixed(1);
    note(`other processes kept up to ${upTo} cores busy in ${share(busy, (cores) => cores > limit)}`);
  }
  return doubts;
}

function unsteady(runs: readonly DoubtedRun[]): Doubt[] {
  const doubts: Doubt[] = [];
  const note = (note: string) => doubts.push({ mark: "unsteady", note });
  const many = manyOutliers(runs.map(({ step_times_s }) => step_times_s));
  if (many !== undefined) {
    note(`${many.outliers} of ${many.steps} steps are outliers (the slowest took ${milliseconds(many.slowest)})`);
  }
  const [apart] = [...Map.groupBy(runs, ({ sample }) => sample)].map(([sample, runs]) => {
    const tpots = runs.map(({ tpot }) => tpot).filter((tpot) => Number.isFinite(tpot) && tpot > 0);
    return { sample, least: Math.min(...tpots), most: Math.max(...tpots) };
  }).filter(({ least, most }) => most > ROUNDS_APART * least).sort((a, b) => b.most / b.least - a.most / a.least);
  if (apart !== undefined) {
    const { sample, least, most } = apart;
    note(`TPOT of sample ${sample + 1} was ${milliseconds(least)} in one round, ${milliseconds(most)} in another`);
  }
  return doubts;
}

/** For example "2 of 10 speed passes". */
function share<T>(passes: readonly T[], holds: (pass: T) => boolean): string {
  return `${passes.filter(holds).length} of ${passes.length} speed pass${passes.length === 1 ? "" : "es"}`;
}
