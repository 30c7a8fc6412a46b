import { isOfWholeGpu } from "./table_notes.ts";
import type { AggregatedStats, BenchmarkResults, ConfigurationRecord, Failure, RawResult } from "../results/types.ts";

/** Column widths of the Python benchmark that this project re-creates; scripts cut its output at these places. */
const NAME_WIDTH = 22;
const RULE_WIDTH = 100;

interface Column {
  title: string;
  width: number;
  text: (stats: AggregatedStats) => string;
  /** Whether the column carries the mark of a row whose VRAM is the whole GPU's. */
  isVram?: true;
}

const COLUMNS: readonly Column[] = [
  { title: "TTFT(s)", width: 11, text: (stats) => fixed(stats.ttft, 4) },
  { title: "TPOT(s)", width: 11, text: (stats) => fixed(stats.tpot, 4) },
  { title: "Thruput", width: 11, text: (stats) => fixed(stats.throughput, 2) },
  { title: "PPL", width: 11, text: (stats) => fixed(stats.perplexity, 2) },
  {
    title: "Acc",
    width: 11,
    text: ({ accuracy }) => fixed(accuracy * 100, 2) + (Number.isFinite(accuracy) ? "%" : ""),
  },
  { title: "VRAM(GB)", width: 11, text: (stats) => fixed(stats.peak_vram_gb, 2), isVram: true },
  { title: "Cache", width: 9, text: (stats) => fixed(stats.cache_size, 0) },
];

/** Fields of results.json that {@linkcode formatTable} reads. */
export interface TableResults {
  /** Configuration → averages over its samples. */
  aggregated_stats: BenchmarkResults["aggregated_stats"];
  /** Every configuration, in the order of the table. */
  configurations: readonly Pick<ConfigurationRecord, "name" | "status">[];
  /** Why configurations failed. */
  failures: readonly Pick<Failure, "method" | "reason">[];
  /** If left out, no row is marked as measured on the whole GPU. */
  raw_results?: readonly Pick<RawResult, "method" | "vram_method">[];
}

/**
 * Formats the console table: averages over the samples, one configuration per line, in the order of `configurations`.
 *
 * The layout is that of the Python benchmark that this project re-creates, to the byte. A name longer than its column
 * widens that column for every line, so that figures still stand under their titles. A configuration without figures
 * shows the reason. A figure that is not finite is `nan` or `inf`. VRAM that was not measured is `n/a`; VRAM of the
 * whole GPU has a `*` after it, which `formatNotes` explains.
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
  const nameWidth = Math.max(NAME_WIDTH, ...results.configurations.map(({ name }) => name.length));
  const ruleWidth = RULE_WIDTH + nameWidth - NAME_WIDTH;
  const lines = [
    "Method".padEnd(nameWidth) + COLUMNS.map(({ title, width }) => title.padStart(width)).join(""),
    "-".repeat(ruleWidth),
  ];
  for (const { name, status } of results.configurations) {
    const stats = results.aggregated_stats[name];
    if (stats !== undefined) {
      lines.push(name.padEnd(nameWidth) + cellsOf(stats, isOfWholeGpu(results, name)));
      continue;
    }
    const reason = results.failures.find(({ method }) => method === name)?.reason;
    const label = status === "not run" ? "not run" : "failed";
    const text = reason === undefined ? label : `${label}: ${reason.replaceAll(/\s+/g, " ").trim()}`;
    lines.push(shorten(`${name.padEnd(nameWidth)}    ${text}`, ruleWidth));
  }
  lines.push("=".repeat(ruleWidth));
  return lines.join("\n");
}

/** Formats a row's figures. The mark after VRAM takes a blank of the next column, so that digits stay under digits. */
function cellsOf(stats: AggregatedStats, wholeGpu: boolean): string {
  let marked = false;
  return COLUMNS.map(({ width, text, isVram }) => {
    const cell = text(stats).padStart(marked ? width - 1 : width);
    marked = wholeGpu && isVram === true && stats.peak_vram_gb !== null;
    return marked ? `${cell}*` : cell;
  }).join("");
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
