import { divergenceSpread } from "../report/results/divergence_figures.ts";
import type { Comparison, DivergenceFigures } from "../report/results/spread_types.ts";
import type { BenchmarkResults, RawResult } from "../report/results/types.ts";
import { blockBootstrap } from "../report/statistics/block_bootstrap.ts";
import { compareQuality } from "../report/statistics/quality_comparison.ts";
import { compareTimes, driftOf } from "../report/statistics/time_comparison.ts";
import { compareTokens } from "../report/statistics/token_comparison.ts";
import { comparedWith } from "../report/results/compared_with.ts";

/** Updates how every finished configuration compares with the full cache, or with the one that config names, and how the machine changed between rounds. */
export function compareAll(results: BenchmarkResults): void {
  const { raw_results, configurations, config, speed_runs = [] } = results;
  const reference = comparedWith(config);
  const samples = Map.groupBy(raw_results, ({ method }) => method);
  const baseline = samples.get(reference);
  const before = results.comparisons ?? {};
  results.drift = driftOf(speed_runs);
  const distances = results.divergence ?? {};
  results.comparisons = {};
  results.divergence = {};
  for (const [name, own] of samples) {
    const distance = distances[name] ?? divergenceOf(own);
    if (distance) results.divergence[name] = distance;
  }
  if (baseline === undefined) return;
  for (const { name } of configurations) {
    const own = samples.get(name);
    if (name === reference || own === undefined) continue;
    // Of a finished configuration nothing changes; resampling takes a moment.
    results.comparisons[name] = before[name] ?? compare(name, own, baseline, results);
  }
}

/** Returns the distance from the full cache over all samples; undefined if one of them has none. */
function divergenceOf(samples: readonly RawResult[]): DivergenceFigures | undefined {
  const measured = samples.flatMap(({ divergence }) => divergence ? [divergence] : []);
  if (measured.length < samples.length || measured.every(({ kl }) => kl.length === 0)) return undefined;
  return {
    mean_kl: blockBootstrap(measured.map(({ kl }) => kl)),
    same_top: blockBootstrap(measured.map(({ same_top }) => same_top)),
    ...divergenceSpread(measured),
  };
}

function compare(
  name: string,
  own: readonly RawResult[],
  baseline: readonly RawResult[],
  { speed_runs = [], config, evicted_from: evictedFrom = null }: BenchmarkResults,
): Comparison {
  const { texts = 1, passes = "both" } = config;
  const reference = comparedWith(config);
  const time = passes === "quality" ? undefined : compareTimes(speed_runs, name, reference);
  const tokens = compareTokens(speed_runs, name, reference);
  const quality = passes === "speed" ? undefined : compareQuality(own, baseline, { texts, evictedFrom });
  return { ...(time ? { time } : {}), ...(quality ? { quality } : {}), ...(tokens ? { tokens } : {}) };
}
