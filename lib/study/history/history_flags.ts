import type { FlagTable } from "../../flags/read.ts";
import { choice, integer, text } from "../../flags/values.ts";
import { flagLines } from "../../cli/flags/help.ts";
import { EXPORT_FORMATS, type ExportFormat } from "./export/export_table.ts";
import { type TableName, TABLES } from "./schema.ts";

/** Flags of `deno task history`. */
export interface HistoryFlags {
  /** The history's file. */
  history: string;
  /** Runs that are listed. */
  limit: number;
  /** Format of an export. */
  format: ExportFormat;
  /** Table of an export. */
  table: TableName;
  /** File of an export; undefined for standard output. */
  to: string | undefined;
  help: boolean;
}

/** Where the history is, unless told otherwise: next to the runs. */
export const HISTORY_FILE = "results/history.sqlite";

/** The flag that names the history. */
export const HISTORY_FLAG = {
  group: "Where",
  help: "the index of all runs, which deno task history makes",
  value: "FILE",
  read: text,
  default: HISTORY_FILE,
} as const;

/** Every flag, in the order of the help. */
export const HISTORY_FLAGS: FlagTable<HistoryFlags> = {
  history: HISTORY_FLAG,
  limit: { group: "list, show", help: "the last so many are shown", value: "N", read: integer(1), default: 50 },
  format: {
    group: "export",
    help: `one of ${EXPORT_FORMATS.join(", ")}`,
    value: "FORMAT",
    read: choice(EXPORT_FORMATS),
    default: "csv",
    short: "o",
  },
  table: {
    group: "export",
    help: `one of ${Object.keys(TABLES).join(", ")}; each record has its run's fields too`,
    value: "TABLE",
    read: choice(Object.keys(TABLES) as TableName[]),
    default: "rows",
  },
  to: {
    group: "export",
    help: "the file to write",
    value: "FILE",
    read: text,
    default: undefined,
    defaultText: "standard output",
  },
  help: { group: "Output", help: "print this", default: false, short: "h" },
};

/**
 * Returns the text of `--help`.
 *
 * @example
 * ```ts
 * import { historyHelp } from "./history_flags.ts";
 *
 * console.log(historyHelp().split("\n")[0]); // The history of all runs: an index of their results.json files
 * ```
 *
 * @returns Lines of at most 100 columns.
 */
export function historyHelp(): string {
  const defaults = (
    _: string,
    { value, default: fallback, defaultText }: { value?: string; default: unknown; defaultText?: string },
  ) => value === undefined ? "" : ` (default ${defaultText ?? fallback})`;
  return [
    "The history of all runs: an index of their results.json files",
    "",
    "deno task history rebuild FOLDER...    make it from nothing; without folders, from those it was made from",
    "deno task history add FOLDER...        bring it up to date: files that did not change are not read",
    "deno task history list                 the runs",
    "deno task history show RUN|SERIES      one run with its rows, or one cell over time",
    "deno task history export -o parquet --to rows.parquet",
    ...flagLines<HistoryFlags>(HISTORY_FLAGS, defaults),
  ].join("\n");
}
