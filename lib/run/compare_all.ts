import type { Comparison } from "../report/results/spread_types.ts";
import type { BenchmarkResults, RawResult } from "../report/results/types.ts";
import { compareQuality } from "../report/statistics/quality_comparison.ts";
import { compareTimes, driftOf } from "../report/statistics/time_comparison.ts";

/** What the other configurations are compared with. */
const BASELINE = "baseline";

/** Updates how every finished configuration compares with the baseline, and how the machine changed between rounds. */
export function compareAll(results: BenchmarkResults): void {
  const { raw_results, configurations, config: { passes = "both" }, speed_runs = [] } = results;
  const samples = Map.groupBy(raw_results, ({ method }) => method);
  const baseline = samples.get(BASELINE);
  const before = results.comparisons ?? {};
  results.drift = driftOf(speed_runs);
  results.comparisons = {};
  if (baseline === undefined) return;
  for (const { name } of configurations) {
    const own = samples.get(name);
    if (name === BASELINE || own === undefined) continue;
    // Of a finished configuration nothing changes; resampling takes a moment.
    results.comparisons[name] = before[name] ?? compare(name, own, baseline, results, passes);
  }
}

function compare(
  name: string,
  own: readonly RawResult[],
  baseline: readonly RawResult[],
  { speed_runs = [], config: { texts = 1 }, evicted_from: evictedFrom = null }: BenchmarkResults,
  passes: "speed" | "quality" | "both",
): Comparison {
  const time = passes === "quality" ? undefined : compareTimes(speed_runs, name, BASELINE);
  const quality = passes === "speed" ? undefined : compareQuality(own, baseline, { texts, evictedFrom });
  return { ...(time ? { time } : {}), ...(quality ? { quality } : {}) };
}
