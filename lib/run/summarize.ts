import { comparedWith } from "../report/results/compared_with.ts";
import { aggregateAll } from "../report/results/stats.ts";
import type { BenchmarkResults } from "../report/results/types.ts";
import { compareAll } from "./compare_all.ts";
import { noteResults } from "./note_results.ts";

/** Updates averages, comparisons and notes to what was measured, in the order of the table. */
export function summarize(results: BenchmarkResults): void {
  const order = new Map(results.configurations.map(({ name }, i) => [name, i]));
  results.raw_results.sort((a, b) => order.get(a.method)! - order.get(b.method)! || a.sample - b.sample);
  results.aggregated_stats = aggregateAll(results.raw_results);
  compareAll(results);
  noteResults(results);
  const baseline = results.aggregated_stats[comparedWith(results.config)];
  if (baseline === undefined) return;
  const { perplexity, accuracy, throughput, tpot } = baseline;
  results.baseline_stats = { perplexity, accuracy, throughput, tpot };
}
