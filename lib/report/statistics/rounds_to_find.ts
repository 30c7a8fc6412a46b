import { sampleStd } from "../results/stats.ts";
import { logRatios, type TimedRun } from "./time_comparison.ts";

/** Quantiles of the normal distribution: 97.5 % ends a two-sided 95 % interval, 90 % is how often it is to exclude 0. */
const CONFIDENCE = 1.96, POWER = 1.2816;
/** Wilcoxon's ranks need this many times as many rounds as the normal distribution's mean, if noise is normal. */
const RANKS = Math.PI / 3;

/**
 * Estimates how many rounds find a difference in TPOT in nine of ten runs, from how much the ratios to the baseline
 * differ from round to round: the usual formula for the size of a sample (Noether 1987, doi:10.1080/01621459.1987.10478478
 * for ranks). From a few rounds it is a rough figure: the deviation itself is known to about a factor of 1.5.
 *
 * @example Ratios that vary by 19 % from round to round
 * ```ts
 * import { roundsToFind } from "./rounds_to_find.ts";
 *
 * const run = (method: string, round: number, tpot: number) => ({ method, round, ttft: 1, tpot, throughput: 1 / tpot });
 * const ratios = [1.21, 0.83, 1.21, 0.83];
 * const runs = ratios.flatMap((ratio, round) => [run("baseline", round, 1), run("tova", round, ratio)]);
 * console.log(roundsToFind(runs, "baseline", 0.1)); // 60
 * ```
 *
 * @param runs Speed runs of all configurations.
 * @param baseline What they are compared with.
 * @param difference Such as 0.1 for 10 %.
 * @returns A number of rounds; undefined if no configuration has two.
 */
export function roundsToFind(runs: readonly TimedRun[], baseline: string, difference: number): number | undefined {
  const names = [...new Set(runs.map(({ method }) => method))].filter((name) => name !== baseline);
  let squares = 0, freedom = 0;
  for (const name of names) {
    const logs = logRatios(runs, name, baseline, "tpot").filter(Number.isFinite);
    if (logs.length < 2) continue;
    squares += sampleStd(logs) ** 2 * (logs.length - 1);
    freedom += logs.length - 1;
  }
  if (freedom === 0) return undefined;
  const rounds = RANKS * squares / freedom * ((CONFIDENCE + POWER) / Math.log(1 + difference)) ** 2;
  // Few rounds do not know the deviation either (Guenther 1981).
  return Math.ceil(rounds + CONFIDENCE ** 2 / 2);
}
