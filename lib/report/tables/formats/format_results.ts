import type { BenchmarkResults } from "../../results/types.ts";
import { printableJson, printableLines } from "../../../util/printable.ts";
import { reportText, type ReportTextOptions } from "../report_text.ts";
import { formatCsv } from "./csv.ts";
import { formatJsonLines } from "./jsonl.ts";
import { formatMarkdown } from "./markdown.ts";

/** Formats of a run's results on standard output: tables for people, Markdown, or data for programs. */
export const FORMATS = ["table", "md", "csv", "json", "jsonl"] as const;

/** One of {@linkcode FORMATS}. */
export type Format = typeof FORMATS[number];

/**
 * Formats a run's results for standard output. Control characters of names and messages are shown as escapes.
 *
 * @param results A run's results.
 * @param format The format.
 * @param options What tables have in addition, and for what width.
 * @returns The text, without a line end at the end.
 *
 * @example
 * ```ts
 * import { formatResults } from "./format_results.ts";
 * import type { BenchmarkResults } from "../../results/types.ts";
 *
 * const print = (results: BenchmarkResults) => console.log(formatResults(results, "csv", {}));
 * ```
 */
export function formatResults(results: BenchmarkResults, format: Format, options: ReportTextOptions): string {
  switch (format) {
    case "table":
      return printableLines(reportText(results, options));
    case "md":
      return printableLines(formatMarkdown(results));
    case "csv":
      return printableLines(formatCsv(results));
    case "json":
      return printableJson(results);
    case "jsonl":
      return formatJsonLines(results);
  }
}
