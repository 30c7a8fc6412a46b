import { comparedWith } from "../../report/results/compared_with.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import { INTERRUPTED } from "../../run/ledger.ts";

/**
 * Tells whether the full cache of a run failed.
 *
 * @example
 * ```ts
 * import { hasNoBaseline } from "./incomplete.ts";
 * import type { BenchmarkResults } from "../../report/results/types.ts";
 *
 * const results = { config: {}, configurations: [{ name: "baseline", status: "failed" }] } as unknown as BenchmarkResults;
 * console.log(hasNoBaseline(results)); // true
 * ```
 */
export function hasNoBaseline({ config, configurations }: BenchmarkResults): boolean {
  const reference = comparedWith(config);
  return configurations.some(({ name, status }) => name === reference && status === "failed");
}

/**
 * Returns what a configuration that is done lacks, because the full cache was not there to be compared with: it failed,
 * or, in a run that was resumed, the process that read it once more did.
 *
 * @example
 * ```ts
 * import { lackOf } from "./incomplete.ts";
 * import type { BenchmarkResults } from "../../report/results/types.ts";
 *
 * const config = { divergence: true };
 * const raw_results = [{ method: "tova_64" }];
 * const results = { config, configurations: [], raw_results } as unknown as BenchmarkResults;
 * console.log(lackOf(results, "tova_64")); // its distance from the full cache was not measured
 * ```
 *
 * @param results The run's results.
 * @param name The configuration.
 * @returns One sentence; undefined if it lacks nothing.
 */
export function lackOf(results: BenchmarkResults, name: string): string | undefined {
  const { config, raw_results } = results;
  if (name === comparedWith(config)) return undefined;
  if (hasNoBaseline(results)) return "the full cache of its run failed";
  const isWanted = config.divergence === true && config.passes !== "speed";
  const isMissing = raw_results.some((raw) => raw.method === name && raw.divergence === undefined);
  return isWanted && isMissing ? "its distance from the full cache was not measured" : undefined;
}

/**
 * Returns results that a resumed run goes on from, so that some configurations are measured again: times stay, what
 * failed counts as interrupted, and a quality pass that lacks its comparison counts as not made.
 *
 * @example
 * ```ts
 * import { forgetting } from "./incomplete.ts";
 * import type { BenchmarkResults } from "../../report/results/types.ts";
 *
 * const next = (results: BenchmarkResults) => forgetting(results, new Set(["baseline", "tova_64"]));
 * ```
 *
 * @param results The earlier run's results.
 * @param names The configurations.
 */
export function forgetting(results: BenchmarkResults, names: ReadonlySet<string>): BenchmarkResults {
  return {
    ...results,
    raw_results: results.raw_results.filter(({ method }) => !names.has(method)),
    failures: results.failures.map((failure) =>
      names.has(failure.method) ? { ...failure, reason: INTERRUPTED } : failure
    ),
    configurations: results.configurations.map((record) =>
      names.has(record.name) ? { ...record, status: "not run" as const } : record
    ),
  };
}
