import type { BenchmarkResults } from "../../results/types.ts";
import { type FieldValue, rowFields } from "./row_fields.ts";

/**
 * Formats results as CSV (RFC 4180, lines end in "\n"): a header, and a line for each configuration. What is not known
 * is empty; what is not finite is `nan`, `inf` or `-inf`; lists are joined by `; `, parameters are JSON.
 *
 * @param results A run's results.
 * @returns The lines, joined by "\n", without one at the end.
 *
 * @example
 * ```ts
 * import { formatCsv } from "./csv.ts";
 * import type { BenchmarkResults } from "../../results/types.ts";
 *
 * const header = (results: BenchmarkResults) => formatCsv(results).split("\n")[0]; // "name,method,params,…"
 * ```
 */
export function formatCsv(results: BenchmarkResults): string {
  const rows = results.configurations.map((record) => rowFields(results, record));
  const names = Object.keys(rows[0] ?? {});
  return [names, ...rows.map((row) => names.map((name) => row[name] ?? null))].map(csvLine).join("\n");
}

/**
 * Formats values as a line of CSV, without its end.
 *
 * @example
 * ```ts
 * import { csvLine } from "./csv.ts";
 *
 * console.log(csvLine(["a,b", 1.5, null])); // "a,b",1.5,
 * ```
 *
 * @param values The values, in the order of the header.
 */
export function csvLine(values: readonly FieldValue[]): string {
  return values.map((value) => quoted(textOf(value))).join(",");
}

function textOf(value: FieldValue): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number") {
    return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  return Array.isArray(value) ? value.join("; ") : JSON.stringify(value);
}

/** Puts a field into quotes if it would be read otherwise: its own quotes are doubled. */
function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
