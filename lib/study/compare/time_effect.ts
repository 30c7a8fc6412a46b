import { comparedWith } from "../../report/results/compared_with.ts";
import { mean } from "../../report/results/stats.ts";
import type { SpeedRun } from "../../report/results/spread_types.ts";
import type { CellRun } from "./cells.ts";
import { type Effect, FEWEST_FOR_MANN_WHITNEY, pooledEffect, shiftEffect } from "./statistics/effect.ts";
import type { Variance } from "./statistics/moderated_variance.ts";

/** A time that is compared. */
export type TimeName = "tpot" | "ttft";

/** Runs from which their own spread says how much times change from run to run. */
const FEWEST_RUNS = 3;

/** Logarithms of a cell's times in one run. */
export interface RoundLogs {
  /** One for each round: ln s, or of the ratio to the baseline of the same round. */
  readonly values: readonly number[];
  /** Whether they are ratios. */
  readonly isRatio: boolean;
}

/**
 * Returns a configuration's times in a run, one for each round, as logarithms. If the run measured the baseline too, they
 * are ratios to its time in the same round: whatever slowed down or sped up the machine for both cancels out.
 *
 * @example
 * ```ts
 * import { roundLogs } from "./time_effect.ts";
 * import type { CellRun } from "./cells.ts";
 *
 * const rounds = (run: CellRun) => roundLogs(run, "tpot", true).values.length;
 * ```
 *
 * @param run The configuration in a run.
 * @param time Which time.
 * @param isRatio Whether ratios are wanted; of the baseline itself there are none.
 * @returns No values if the run has no such times.
 */
export function roundLogs({ results, record }: CellRun, time: TimeName, isRatio: boolean): RoundLogs {
  const baseline = comparedWith(results.config);
  const own = byRound(results.speed_runs ?? onePass(results.raw_results), record.name, time);
  if (!isRatio || record.name === baseline) return { values: [...own.values()], isRatio: false };
  const other = byRound(results.speed_runs ?? onePass(results.raw_results), baseline, time);
  const rounds = [...own.keys()].filter((round) => other.has(round));
  return { values: rounds.map((round) => own.get(round)! - other.get(round)!), isRatio: true };
}

/**
 * Whether a run measured the baseline next to a configuration, so that ratios can be taken.
 *
 * @example
 * ```ts
 * import { hasBaseline } from "./time_effect.ts";
 * import type { CellRun } from "./cells.ts";
 *
 * const isRatio = (runs: CellRun[]) => runs.every(hasBaseline);
 * ```
 *
 * @param run The configuration in a run.
 */
export function hasBaseline({ results, record }: CellRun): boolean {
  const baseline = comparedWith(results.config);
  return record.name !== baseline && Object.hasOwn(results.aggregated_stats, baseline);
}

/** How a time changed. */
export interface TimeEffect {
  /** The change of the logarithm. */
  effect: Effect;
  /** Whether it is that of the ratio to the baseline. */
  isRatio: boolean;
  /** Noise of ratios, where there are too few for ranks: similar in all rows of a run. */
  noise?: Variance & { readonly factor: number };
}

/**
 * Estimates how a cell's time changed from one side to the other, as a logarithm.
 *
 * - With the baseline in all runs, of the time over the baseline's in the same round.
 * - Else of the time itself. Rounds of one run share the machine's state of that hour, which their spread does not show:
 *   `drift` widens the interval.
 * - From three runs on each side, a run is one value, and their own spread says what changes from run to run.
 *
 * @example
 * ```ts
 * import { timeEffect } from "./time_effect.ts";
 * import type { CellPair } from "./cells.ts";
 *
 * const slower = ({ a, b }: CellPair) => timeEffect(a.runs, b.runs, "tpot", { margin: Math.log(1.03), drift: 0.05 });
 * ```
 *
 * @param a One side's runs of the cell.
 * @param b The other's.
 * @param time Which time.
 * @param terms The smallest change that matters, and the standard deviation of a machine's state from run to run, as
 * logarithms.
 * @returns The effect; undefined if a side has no times.
 */
export function timeEffect(
  a: readonly CellRun[],
  b: readonly CellRun[],
  time: TimeName,
  { margin, drift }: { readonly margin: number; readonly drift: number },
): TimeEffect | undefined {
  const isRatio = [...a, ...b].every(hasBaseline);
  const [as, bs] = [a, b].map((runs) => runs.map((run) => roundLogs(run, time, isRatio).values).filter(isMeasured));
  if (as!.length === 0 || bs!.length === 0) return undefined;
  const isByRun = as!.length >= FEWEST_RUNS && bs!.length >= FEWEST_RUNS;
  const [first, second] = isByRun ? [as!.map(mean), bs!.map(mean)] : [as!.flat(), bs!.flat()];
  if (isRatio && Math.min(first.length, second.length) < FEWEST_FOR_MANN_WHITNEY) {
    return { ...pooledEffect(first, second, margin), isRatio };
  }
  const between = isRatio || isByRun ? 0 : drift ** 2 * (1 / as!.length + 1 / bs!.length);
  return { effect: shiftEffect(first, second, { margin, between }), isRatio };
}

/** Whether there are times, all of them finite. */
function isMeasured(values: readonly number[]): boolean {
  return values.length > 0 && values.every(Number.isFinite);
}

/** Fields of a speed pass that are read. */
type TimedPass = Pick<SpeedRun, "method" | "round" | TimeName>;

/** Results of schema 1 are from one process: as one round. */
function onePass(raw: CellRun["results"]["raw_results"]): TimedPass[] {
  return raw.map(({ method, tpot, ttft }) => ({ method, tpot, ttft, round: 0 }));
}

/** Round → mean logarithm over its samples, which are timed in one process. */
function byRound(passes: readonly TimedPass[], name: string, time: TimeName): Map<number, number> {
  const rounds = Map.groupBy(passes.filter(({ method }) => method === name), ({ round }) => round);
  return new Map([...rounds].map(([round, own]) => [round, mean(own.map((pass) => Math.log(pass[time])))]));
}
