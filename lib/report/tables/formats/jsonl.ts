import type { BenchmarkResults } from "../../results/types.ts";
import { printableJson } from "../../../util/printable.ts";
import { rowFields } from "./row_fields.ts";

/**
 * Formats one configuration as a line of JSON: the fields of the CSV file. What is not known or not finite is null.
 *
 * @param results A run's results, or those so far.
 * @param name The configuration's name.
 * @returns One line, without its end.
 * @throws {RangeError} If the run has no such configuration.
 *
 * @example
 * ```ts
 * import { jsonLine } from "./jsonl.ts";
 * import type { BenchmarkResults } from "../../results/types.ts";
 *
 * const print = (results: BenchmarkResults) => console.log(jsonLine(results, "baseline")); // {"name":"baseline",…}
 * ```
 */
export function jsonLine(results: BenchmarkResults, name: string): string {
  const record = results.configurations.find((record) => record.name === name);
  if (record === undefined) throw new RangeError(`Cannot format ${name}: the run has no such configuration`);
  return printableJson(rowFields(results, record));
}

/**
 * Formats results as JSON lines: one for each configuration, in the order of the table.
 *
 * @param results A run's results.
 * @returns The lines, joined by "\n", without one at the end.
 *
 * @example
 * ```ts
 * import { formatJsonLines } from "./jsonl.ts";
 * import type { BenchmarkResults } from "../../results/types.ts";
 *
 * const rows = (results: BenchmarkResults) => formatJsonLines(results).split("\n").map((line) => JSON.parse(line));
 * ```
 */
export function formatJsonLines(results: BenchmarkResults): string {
  return results.configurations.map(({ name }) => jsonLine(results, name)).join("\n");
}
