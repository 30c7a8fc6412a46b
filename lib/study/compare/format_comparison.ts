import { formatGrid } from "../../report/tables/grid.ts";
import { wrap } from "../../report/tables/wrap.ts";
import { markdownTable } from "../../report/tables/formats/markdown.ts";
import { comparisonGroups, type ComparisonRow, legend, summaryLine } from "./comparison_rows.ts";
import type { ComparisonOfSets } from "./types.ts";

/** Formats of `deno task compare`. */
export const COMPARISON_FORMATS = ["table", "md", "json"] as const;
/** One of them. */
export type ComparisonFormat = typeof COMPARISON_FORMATS[number];

/** How a comparison is shown. */
export interface ShowOptions {
  /** Also metrics that are the same on both sides. */
  readonly all: boolean;
  /** Characters of a line of the table. */
  readonly width: number;
}

const TITLES = ["Metric", "First", "Second", "Change", "95 %", "Verdict"];

/**
 * Formats a comparison: a table for a terminal, Markdown for a pull request, or JSON for programs.
 *
 * @example
 * ```ts
 * import { formatComparison } from "./format_comparison.ts";
 * import type { ComparisonOfSets } from "./types.ts";
 *
 * const comment = (comparison: ComparisonOfSets) => formatComparison(comparison, "md", { all: false, width: 80 });
 * ```
 *
 * @param comparison The comparison.
 * @param format Which.
 * @param options See {@linkcode ShowOptions}; JSON has everything.
 * @returns The text, without a line end at the end.
 */
export function formatComparison(comparison: ComparisonOfSets, format: ComparisonFormat, options: ShowOptions): string {
  if (format === "json") return JSON.stringify(comparison, null, 2);
  return format === "md" ? markdown(comparison, options) : table(comparison, options);
}

function table(comparison: ComparisonOfSets, { all, width }: ShowOptions): string {
  const parts = comparisonGroups(comparison, { all }).flatMap(({ heading, rows, notes }) => [
    wrap(heading, width),
    rows.length === 0 ? "All metrics are the same (--all shows them)." : blocks(rows, width),
    ...reasonsOf(rows).map((reason) => wrap(reason, width)),
    ...notes.map((note) => wrap(note, width)),
    "",
  ]);
  return [...parts, ...legend(comparison).map((line) => wrap(line, width)), "", wrap(summaryLine(comparison), width)]
    .join("\n");
}

/** A block for each cell, its name on a line of its own; where that is too wide, a plain table in several parts. */
function blocks(rows: readonly ComparisonRow[], width: number): string {
  const [metric, ...titles] = TITLES;
  const grid = (nameOf: (row: ComparisonRow) => string) =>
    formatGrid({
      title: metric!,
      columns: titles.map((title) => ({ title, group: 0 })),
      rows: rows.map((row) => ({ name: nameOf(row), cells: cellsOf(row).slice(1) })),
      ruled: false,
    }, width);
  const [head, ...lines] = grid(({ metric }) => `  ${metric}`).split("\n");
  if (lines.length !== rows.length) return grid(({ name, metric }) => `${name} ${metric}`);
  return [head, ...lines.flatMap((line, i) => rows[i]!.name === rows[i - 1]?.name ? [line] : [rows[i]!.name, line])]
    .join("\n");
}

function markdown(comparison: ComparisonOfSets, { all }: ShowOptions): string {
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");
  const parts = comparisonGroups(comparison, { all }).flatMap(({ heading, rows, notes }) => [
    `#### ${heading}`,
    rows.length === 0
      ? "All metrics are the same."
      : markdownTable("Cell", TITLES, rows.map((row) => ({ name: row.name, cells: cellsOf(row) }))),
    list([...reasonsOf(rows), ...notes]),
  ]);
  return [`**${summaryLine(comparison)}**`, ...parts, list(legend(comparison))].join("\n\n");
}

function cellsOf({ metric, a, b, change, interval, verdict }: ComparisonRow): string[] {
  return [metric, a, b, change, interval, verdict];
}

/** What no figure says, once for all cells of which it is true. */
function reasonsOf(rows: readonly ComparisonRow[]): string[] {
  const withReason = rows.filter(({ reason }) => reason !== "");
  return [...Map.groupBy(withReason, ({ metric, reason }) => `${metric}: ${reason}`)]
    .map(([reason, rows]) => `${[...new Set(rows.map(({ name }) => name))].join(", ")}, ${reason}`);
}
