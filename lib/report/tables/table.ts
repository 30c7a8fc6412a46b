import { isAskedFor } from "../results/notes.ts";
import type {
  AggregatedStats,
  BenchmarkResults,
  ConfigurationRecord,
  Failure,
  RawResult,
  RunConfig,
} from "../results/types.ts";
import { formatGrid } from "./grid.ts";
import { isOfWholeGpu } from "./table_notes.ts";

/** Column widths of the Python benchmark that this project re-creates; scripts cut its output at these places. */
const NAME_WIDTH = 22;
const RULE_WIDTH = 100;

interface Column {
  title: string;
  /** Title where room is scarce. */
  short: string;
  width: number;
  /** The pass that measures it. */
  pass: "speed" | "quality";
  value: (stats: AggregatedStats) => number | null;
  /** Decimals. */
  digits: number;
  /** Sign after a figure that is finite. */
  unit?: "%";
  /** Sign after the figures of some rows. */
  mark?: Mark;
}

/** "!": times to be doubted. "*": VRAM of the whole GPU. */
type Mark = "!" | "*";

const COLUMNS: readonly Column[] = [
  { title: "TTFT(s)", short: "TTFT s", width: 11, pass: "speed", value: ({ ttft }) => ttft, digits: 4 },
  { title: "TPOT(s)", short: "TPOT s", width: 11, pass: "speed", value: ({ tpot }) => tpot, digits: 4, mark: "!" },
  { title: "Thruput", short: "Thruput", width: 11, pass: "speed", value: ({ throughput }) => throughput, digits: 2 },
  { title: "PPL", short: "PPL", width: 11, pass: "quality", value: ({ perplexity }) => perplexity, digits: 2 },
  {
    title: "Acc",
    short: "Acc",
    width: 11,
    pass: "quality",
    value: ({ accuracy }) => accuracy * 100,
    digits: 2,
    unit: "%",
  },
  {
    title: "VRAM(GB)",
    short: "VRAM GB",
    width: 11,
    pass: "speed",
    value: ({ peak_vram_gb }) => peak_vram_gb,
    digits: 2,
    mark: "*",
  },
  { title: "Cache", short: "Cache", width: 9, pass: "quality", value: ({ cache_size }) => cache_size, digits: 0 },
];

/** Fields of results.json that {@linkcode formatTable} reads. */
export interface TableResults {
  /** Configuration → averages over its samples. */
  aggregated_stats: BenchmarkResults["aggregated_stats"];
  /** Every configuration, in the order of the table. */
  configurations: readonly Pick<ConfigurationRecord, "name" | "status" | "marks">[];
  /** Why configurations failed. */
  failures: readonly Pick<Failure, "method" | "reason">[];
  /** If left out, no row is marked as measured on the whole GPU. */
  raw_results?: readonly Pick<RawResult, "method" | "vram_method">[];
  /** Which passes were made; both if left out. */
  config?: Pick<RunConfig, "passes">;
}

/**
 * Formats the console table: averages over the samples, one configuration per line, in the order of `configurations`.
 *
 * The layout is that of the Python benchmark that this project re-creates, to the byte. A name longer than its column
 * widens that column for every line, so that figures still stand under their titles. A configuration without figures
 * shows the reason. A figure that is not finite is `nan` or `inf`, or `-` if its pass was not asked for. VRAM that was
 * not measured is `n/a`. After VRAM of the whole GPU there is a `*`, after a TPOT that is to be doubted a `!`;
 * `formatNotes` explains both.
 *
 * @param results Averages, configurations and failures of a run.
 * @returns The lines joined by "\n", without one at the end.
 *
 * @example
 * ```ts
 * import { formatTable } from "./table.ts";
 * import { aggregateAll } from "../results/stats.ts";
 *
 * console.log(formatTable({
 *   aggregated_stats: aggregateAll([{ method: "baseline", ttft: 0.0123, tpot: 0.0045, throughput: 156.78,
 *     perplexity: 42.35, accuracy: 0.3567, peak_vram_gb: 5.23, final_cache_size: 2000 }]),
 *   configurations: [{ name: "baseline", status: "done" }, { name: "streaming_256", status: "failed" }],
 *   failures: [{ method: "streaming_256", reason: "Out of memory" }],
 * }));
 * ```
 */
export function formatTable(results: TableResults): string {
  const nameWidth = nameWidthOf(results);
  const ruleWidth = RULE_WIDTH + nameWidth - NAME_WIDTH;
  const lines = [
    "Method".padEnd(nameWidth) + COLUMNS.map(({ title, width }) => title.padStart(width)).join(""),
    "-".repeat(ruleWidth),
  ];
  for (const record of results.configurations) {
    const cells = cellsOf(results, record);
    lines.push(
      typeof cells === "string"
        ? shorten(`${record.name.padEnd(nameWidth)}    ${cells}`, ruleWidth)
        : record.name.padEnd(nameWidth) + inFixedWidths(cells),
    );
  }
  lines.push("=".repeat(ruleWidth));
  return lines.join("\n");
}

/**
 * Formats the same table for a terminal. If it is narrower than the Python benchmark's table, the same figures stand
 * closer together, and the reason of a failure is not cut.
 *
 * @param results As for {@linkcode formatTable}.
 * @param width Width of the terminal, characters; left out for a file or a pipe, which gets {@linkcode formatTable}'s
 * bytes.
 * @returns The lines joined by "\n", without one at the end.
 *
 * @example
 * ```ts
 * import { formatTableWithin } from "./table.ts";
 *
 * const results = { aggregated_stats: {}, configurations: [{ name: "baseline", status: "not run" as const }], failures: [] };
 * console.log(formatTableWithin(results, 80).split("\n")[0]); // "Method    TTFT s  TPOT s  Thruput  PPL  Acc  VRAM GB  Cache"
 * ```
 */
export function formatTableWithin(results: TableResults, width: number | undefined): string {
  if (width === undefined || width >= RULE_WIDTH + nameWidthOf(results) - NAME_WIDTH) return formatTable(results);
  const rows = results.configurations.map((record) => ({ name: record.name, cells: cellsOf(results, record) }));
  const isMarked = COLUMNS.map((_, i) => rows.some(({ cells }) => typeof cells !== "string" && cells[i]!.mark !== ""));
  return formatGrid({
    title: "Method",
    columns: COLUMNS.map(({ short, pass }, i) => ({
      title: isMarked[i] ? `${short} ` : short,
      // The order stays: VRAM and Cache follow the figures of quality.
      group: i >= 5 ? 2 : pass === "quality" ? 1 : 0,
    })),
    rows: rows.map(({ name, cells }) => ({
      name,
      cells: typeof cells === "string"
        ? cells
        : cells.map(({ text, mark }, i) => text + (isMarked[i] ? mark.padEnd(1) : "")),
    })),
    ruled: true,
  }, width);
}

/** The first table as cells, for other formats of tables. */
export interface TableCells {
  /** Titles of the figures. */
  titles: string[];
  /** A row for each configuration; a sentence in place of figures if there are none. */
  rows: { name: string; cells: string[] | string }[];
}

/**
 * Formats the first table's cells, marks included.
 *
 * @param results As for {@linkcode formatTable}.
 * @returns Titles and rows.
 *
 * @example
 * ```ts
 * import { tableCells } from "./table.ts";
 *
 * const results = { aggregated_stats: {}, configurations: [{ name: "baseline", status: "not run" as const }], failures: [] };
 * console.log(tableCells(results).rows); // [ { name: "baseline", cells: "not run" } ]
 * ```
 */
export function tableCells(results: TableResults): TableCells {
  return {
    titles: COLUMNS.map(({ title }) => title),
    rows: results.configurations.map((record) => {
      const cells = cellsOf(results, record);
      return {
        name: record.name,
        cells: typeof cells === "string" ? cells : cells.map(({ text, mark }) => text + mark),
      };
    }),
  };
}

function nameWidthOf({ configurations }: TableResults): number {
  return Math.max(NAME_WIDTH, ...configurations.map(({ name }) => name.length));
}

interface Cell {
  text: string;
  mark: Mark | "";
}

/** Formats a row's figures; or why there are none. */
function cellsOf(results: TableResults, { name, status, marks = [] }: TableResults["configurations"][number]) {
  const stats = results.aggregated_stats[name];
  if (stats === undefined) {
    const reason = results.failures.find(({ method }) => method === name)?.reason;
    const label = status === "not run" ? "not run" : "failed";
    return reason === undefined ? label : `${label}: ${reason.replaceAll(/\s+/g, " ").trim()}`;
  }
  const marked = { "!": marks.length > 0, "*": isOfWholeGpu(results, name) && stats.peak_vram_gb !== null };
  return COLUMNS.map(({ value, digits, unit = "", pass, mark }): Cell => {
    const figure = value(stats);
    const isFinite = figure !== null && Number.isFinite(figure);
    if (!isFinite && !isAskedFor(pass, results.config?.passes)) return { text: "-", mark: "" };
    return {
      text: fixed(figure, digits) + (isFinite ? unit : ""),
      mark: mark !== undefined && marked[mark] ? mark : "",
    };
  });
}

/** Joins figures. A mark takes a blank of the next column, so that digits stay under digits. */
function inFixedWidths(cells: readonly Cell[]): string {
  return cells.map(({ text, mark }, i) =>
    text.padStart(COLUMNS[i]!.width - (i > 0 ? cells[i - 1]!.mark.length : 0)) + mark
  ).join("");
}

/** Formats with fixed decimals; in powers of ten if the number would leave its column no gap. */
function fixed(value: number | null, digits: number): string {
  if (value === null) return "n/a";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const text = value.toFixed(digits);
  return text.length <= 10 ? text : value.toExponential(3);
}

function shorten(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
