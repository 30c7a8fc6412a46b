import type { DatabaseSync } from "node:sqlite";
import { csvLines } from "../../../report/tables/formats/csv.ts";
import { printableJson } from "../../../util/printable.ts";
import { type Columns, RUN_COLUMNS, type TableName, TABLES } from "../schema.ts";
import { githubBenchmarks } from "./github.ts";
import { parquetOf } from "./parquet.ts";

/** Formats of `deno task history export`. */
export const EXPORT_FORMATS = ["csv", "jsonl", "parquet", "github-smaller", "github-bigger"] as const;
/** One of them. */
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** A table as it leaves the history. */
export interface ExportedTable {
  /** Column → type. */
  columns: Columns;
  /** Its records, by when the runs began. */
  records: Record<string, string | number | null>[];
}

/**
 * Reads a table for an export. Each record of `rows` and `processes` has the fields of its run too, so that one file is
 * enough.
 *
 * @example
 * ```ts
 * import { exportTable } from "./export_table.ts";
 * import { openHistory } from "../open_history.ts";
 *
 * const count = () => exportTable(openHistory("results/history.sqlite", "read"), "rows").records.length;
 * ```
 *
 * @param history An open history.
 * @param table Which.
 */
export function exportTable(history: DatabaseSync, table: TableName): ExportedTable {
  const columns: Columns = table === "runs"
    ? { id: "INTEGER", ...RUN_COLUMNS }
    : { run: "INTEGER", ...TABLES[table], ...RUN_COLUMNS };
  const from = table === "runs" ? "runs" : `${table} JOIN runs ON run = id`;
  const order = table === "runs" ? "started, file" : `started, file, ${table}.rowid`;
  const records = history.prepare(`SELECT ${Object.keys(columns)} FROM ${from} ORDER BY ${order}`).all();
  return { columns, records: records as ExportedTable["records"] };
}

/**
 * Writes a history's table in a format.
 *
 * @example
 * ```ts
 * import { exportHistory } from "./export_table.ts";
 * import { openHistory } from "../open_history.ts";
 *
 * const csv = () => exportHistory(openHistory("results/history.sqlite", "read"), "csv", "rows");
 * ```
 *
 * @param history An open history.
 * @param format Which.
 * @param table Which; of the formats for GitHub it is always `rows`.
 * @returns Text without a line end at the end, or the bytes of a Parquet file.
 */
export function exportHistory(
  history: DatabaseSync,
  format: ExportFormat,
  table: TableName,
): string | Uint8Array<ArrayBuffer> {
  if (format === "github-smaller" || format === "github-bigger") {
    const benchmarks = githubBenchmarks(exportTable(history, "rows").records, format.slice("github-".length));
    return JSON.stringify(benchmarks, null, 2);
  }
  const exported = exportTable(history, table);
  if (format === "parquet") return parquetOf(exported);
  if (format === "csv") return csvLines(Object.keys(exported.columns), exported.records);
  return exported.records.map((record) => printableJson(record)).join("\n");
}
