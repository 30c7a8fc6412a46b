import { comparedWith } from "../../report/results/compared_with.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";

/**
 * Returns the results of one configuration and the one it is compared with, out of a run of many: as if the run had
 * measured these two alone.
 *
 * `drift` and `evicted_from` stay those of the whole run: the figures were made with them.
 *
 * @example
 * ```ts
 * import { extractCell } from "./extract_cell.ts";
 * import type { BenchmarkResults } from "../../report/results/types.ts";
 *
 * const cell = (results: BenchmarkResults) => extractCell(results, "tova_64@cache", "tova_64").configurations.length; // 2
 * ```
 *
 * @param results The run's results.
 * @param nameInRun Name of the configuration there.
 * @param name Its name in what is returned: that of a run that has only its numbering of tokens.
 */
export function extractCell(results: BenchmarkResults, nameInRun: string, name: string): BenchmarkResults {
  const { config, configurations, comparisons, divergence, speed_runs, ...rest } = results;
  const reference = comparedWith(config);
  const names = new Map([[reference, reference], [nameInRun, name]]);
  const own = configurations.find((record) => record.name === nameInRun)!;
  const rename = <T extends { method: string }>(rows: readonly T[]): T[] =>
    rows.filter(({ method }) => names.has(method)).map((row) => ({ ...row, method: names.get(row.method)! }));
  const pick = <T>(by: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(by).flatMap(([key, value]) => names.has(key) ? [[names.get(key)!, value]] : []));
  const both = configurations.filter((record) => names.has(record.name));
  return {
    ...rest,
    // The full cache is measured once, under the first numbering of the run.
    config: { ...config, method: own.method, positions: [...new Set(both.map(({ positions }) => positions))].join() },
    configurations: both.map((record) => ({ ...record, name: names.get(record.name)! })),
    raw_results: rename(results.raw_results),
    aggregated_stats: pick(results.aggregated_stats),
    failures: rename(results.failures),
    ...(speed_runs ? { speed_runs: rename(speed_runs) } : {}),
    ...(comparisons ? { comparisons: pick(comparisons) } : {}),
    ...(divergence ? { divergence: pick(divergence) } : {}),
  };
}
