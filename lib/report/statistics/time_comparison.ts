import { mean, median } from "../results/stats.ts";
import type { Interval, SpeedRun, TimeComparison } from "../results/spread_types.ts";
import { FEWEST_FOR_RANKS, signedRankInterval } from "./signed_rank.ts";
import { studentInterval } from "./student.ts";

/** Times that are compared. */
export type TimeName = "ttft" | "tpot" | "throughput";

/** Fields of a speed run that are compared. */
export type TimedRun = Pick<SpeedRun, "method" | "round" | TimeName>;

/**
 * Compares a configuration's times with the baseline's. Both are measured once in every round, in random order, so a
 * machine that becomes slower from round to round changes both: the ratio is taken within the round. Intervals are of
 * the logarithm of the ratio: by Wilcoxon's ranks from six rounds on, which is exact for whatever noise there is, else
 * by Student's t.
 *
 * @example
 * ```ts
 * import { compareTimes } from "./time_comparison.ts";
 *
 * const run = (method: string, round: number, tpot: number) => ({ method, round, ttft: 1, tpot, throughput: 1 / tpot });
 * const runs = [run("baseline", 0, 2), run("tova", 0, 2.2), run("baseline", 1, 4), run("tova", 1, 4.4)];
 * console.log(compareTimes(runs, "tova", "baseline")?.tpot.estimate.toFixed(3)); // "1.100"
 * ```
 *
 * @param runs Speed runs of any configurations.
 * @param name The configuration.
 * @param baseline What it is compared with.
 * @returns The ratios; undefined if no round has both.
 */
export function compareTimes(runs: readonly TimedRun[], name: string, baseline: string): TimeComparison | undefined {
  const rounds = logRatios(runs, name, baseline, "tpot").length;
  if (rounds === 0) return undefined;
  const ratio = (of: TimeName): Interval => {
    const logs = logRatios(runs, name, baseline, of);
    if (!logs.every(Number.isFinite)) return { estimate: NaN, low: NaN, high: NaN, confidence: 0 };
    const interval = rounds < FEWEST_FOR_RANKS ? studentInterval(logs) : signedRankInterval(logs);
    const { estimate, low, high, confidence } = interval;
    return { estimate: Math.exp(estimate), low: Math.exp(low), high: Math.exp(high), confidence };
  };
  return {
    rounds,
    by: rounds < FEWEST_FOR_RANKS ? "t" : "wilcoxon",
    ttft: ratio("ttft"),
    tpot: ratio("tpot"),
    throughput: ratio("throughput"),
  };
}

/**
 * Returns the logarithm of the ratio of a configuration's time to the baseline's for each round that has both.
 *
 * @example
 * ```ts
 * import { logRatios } from "./time_comparison.ts";
 *
 * const run = (method: string, tpot: number) => ({ method, round: 0, ttft: 1, tpot, throughput: 1 / tpot });
 * console.log(logRatios([run("baseline", 2), run("tova", 2 * Math.E)], "tova", "baseline", "tpot")); // [ 1 ]
 * ```
 */
export function logRatios(runs: readonly TimedRun[], name: string, baseline: string, of: TimeName): number[] {
  const own = byRound(runs, name);
  const other = byRound(runs, baseline);
  return [...own].flatMap(([round, times]) => other.has(round) ? [Math.log(times[of] / other.get(round)![of])] : []);
}

/** Means of a configuration's times by round. */
function byRound(runs: readonly TimedRun[], name: string): Map<number, Record<TimeName, number>> {
  const groups = Map.groupBy(runs.filter(({ method }) => method === name), ({ round }) => round);
  return new Map([...groups].map(([round, runs]) => {
    const of = (name: TimeName) => mean(runs.map((run) => run[name]));
    return [round, { ttft: of("ttft"), tpot: of("tpot"), throughput: of("throughput") }];
  }));
}

/**
 * Tells how the machine changed from round to round: the median, over configurations, of a round's TPOT divided by the
 * configuration's median over all rounds.
 *
 * @example
 * ```ts
 * import { driftOf } from "./time_comparison.ts";
 *
 * const run = (round: number, tpot: number) => ({ method: "baseline", round, ttft: 1, tpot, throughput: 1 / tpot });
 * console.log(driftOf([run(0, 2), run(1, 2), run(2, 3)])); // { tpot: [ 1, 1, 1.5 ] }
 * ```
 *
 * @param runs All speed runs.
 * @returns One number a round; null if there are fewer than two rounds.
 */
export function driftOf(runs: readonly TimedRun[]): { tpot: number[] } | null {
  const rounds = [...new Set(runs.map(({ round }) => round))].sort((a, b) => a - b);
  if (rounds.length < 2) return null;
  const configurations = [...new Set(runs.map(({ method }) => method))].map((name) => byRound(runs, name));
  const usual = configurations.map((own) => median([...own.values()].map(({ tpot }) => tpot)));
  const relative = (round: number) =>
    configurations.flatMap((own, i) => own.has(round) ? [own.get(round)!.tpot / usual[i]!] : []);
  return { tpot: rounds.map((round) => median(relative(round))) };
}
