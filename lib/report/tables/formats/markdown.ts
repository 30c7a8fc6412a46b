import { comparedWith } from "../../results/compared_with.ts";
import type { BenchmarkResults } from "../../results/types.ts";
import { changesAgainstBaseline } from "../changes.ts";
import { changeCells } from "../changes_table.ts";
import { detailGrid } from "../detail_table.ts";
import { intervalNotes } from "../interval_notes.ts";
import { kernelsNote } from "../kernels_note.ts";
import { precisionNotes } from "../precision_columns.ts";
import { runTerms } from "../report_text.ts";
import { tableCells } from "../table.ts";
import { formatNotes } from "../table_notes.ts";

/** A row of a table: a name, and figures or a sentence in place of them. */
export interface Row {
  /** Its name. */
  name: string;
  /** One for each column; or a sentence in place of all. */
  cells: readonly string[] | string;
}

/**
 * Formats results as Markdown, as GitHub shows it: the terms, the table, the second table, the changes against the
 * baseline, and notes as lists.
 *
 * @param results A run's results.
 * @returns The text, without a line end at the end.
 *
 * @example
 * ```ts
 * import { formatMarkdown } from "./markdown.ts";
 * import type { BenchmarkResults } from "../../results/types.ts";
 *
 * const write = (results: BenchmarkResults) => Deno.writeTextFileSync("results.md", formatMarkdown(results) + "\n");
 * ```
 */
export function formatMarkdown(results: BenchmarkResults): string {
  const first = tableCells(results);
  const details = detailGrid(results);
  const changes = changeCells(changesAgainstBaseline(results));
  return [
    escaped(runTerms(results)),
    markdownTable("Method", first.titles, first.rows),
    list(kernelsNote(results.configurations)),
    list(precisionNotes(results)),
    markdownTable("Method", details.columns.map(({ title }) => title), details.rows),
    markdownTable(`Change vs ${comparedWith(results.config)}`, changes.titles, changes.rows),
    list(intervalNotes(results)),
    list(formatNotes(results)),
  ].filter((part) => part !== "").join("\n\n");
}

/**
 * Formats a table as GitHub shows it.
 *
 * @example
 * ```ts
 * import { markdownTable } from "./markdown.ts";
 *
 * console.log(markdownTable("Method", ["TPOT"], [{ name: "baseline", cells: ["4.5 ms"] }]));
 * // | Method | TPOT |⏎| --- | ---: |⏎| baseline | 4.5 ms |
 * ```
 *
 * @param title Title of the names.
 * @param titles Those of the other columns, whose texts are put to the right.
 * @param rows The rows.
 * @returns The lines, joined by "\n"; "" without rows.
 */
export function markdownTable(title: string, titles: readonly string[], rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line([title, ...titles].map(escaped)),
    line(["---", ...titles.map(() => "---:")]),
    ...rows.map(({ name, cells }) => {
      // A sentence stands in the first column of figures; the others are empty.
      const figures = typeof cells === "string" ? titles.map((_, i) => i === 0 ? cells : "") : cells;
      return line([name, ...figures].map(escaped));
    }),
  ].join("\n");
}

function list(lines: string): string {
  return lines === "" ? "" : lines.split("\n").map((line) => `- ${escaped(line)}`).join("\n");
}

/**
 * Escapes what Markdown would read as its own: pipes end a cell, `*` and `_` around a word are emphasis. Within a word
 * `_` is plain, as in most names. Blanks that line up figures in a terminal are of no use here.
 */
function escaped(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim()
    .replaceAll(/[\\`*[\]<>|~&$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\$&");
}
