import { comparedWith } from "../results/compared_with.ts";
import { isAskedFor } from "../results/notes.ts";
import type { BenchmarkResults, PassChoice } from "../results/types.ts";
import { formatGrid, type Grid } from "./grid.ts";
import { bracketed, lineUp, ratioPercent, signed } from "./interval_text.ts";
import { type FiguredResults, type RowFigures, rowFigures } from "./row_figures.ts";
import { precisionColumns } from "./precision_columns.ts";
import { significant } from "./significant.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Groups stay together on a narrow terminal. */
const TIME = 0, QUALITY = 1, HELD = 2;

interface Column {
  title: string;
  group: number;
  figure: keyof RowFigures;
  text: (value: number) => string;
}

const fixed = (digits: number, factor: number) => (value: number) => (value * factor).toFixed(digits);

const COLUMNS: readonly Column[] = [
  { title: "TPOT ms", group: TIME, figure: "tpot", text: (value) => significant(value * 1000, 4) },
  { title: "First ms", group: TIME, figure: "first_step", text: (value) => significant(value * 1000, 4) },
  { title: "p95 ms", group: TIME, figure: "tpot_p95", text: (value) => significant(value * 1000, 4) },
  { title: "KL", group: QUALITY, figure: "mean_kl", text: (value) => significant(value, 3) },
  { title: "Top-1 %", group: QUALITY, figure: "same_top", text: fixed(1, 100) },
  { title: "PPL evicted", group: QUALITY, figure: "perplexity_evicted", text: largeOr(2) },
  { title: "Held", group: HELD, figure: "held_entries", text: fixed(0, 1) },
  { title: "Held %", group: HELD, figure: "held_share", text: fixed(1, 100) },
  { title: "KV MiB", group: HELD, figure: "mean_kv_bytes", text: (bytes) => significant(bytes / MIB, 4) },
  { title: "VRAM GiB", group: HELD, figure: "decode_vram_bytes", text: fixed(2, 1 / GIB) },
];

/** Fields of results.json that {@linkcode formatDetails} reads. */
export type DetailResults = FiguredResults & Pick<BenchmarkResults, "comparisons" | "config">;

/**
 * Lists the second table's cells: for each configuration that was measured, what the first table does not say. `-`
 * stands for a figure that these results do not have.
 *
 * @param results A run's results.
 * @returns Titles and cells; no rows if nothing was measured.
 *
 * @example
 * ```ts
 * import { detailGrid } from "./detail_table.ts";
 * import type { BenchmarkResults } from "../results/types.ts";
 *
 * const titles = (results: BenchmarkResults) => detailGrid(results).columns.map(({ title }) => title);
 * ```
 */
export function detailGrid(results: DetailResults): Grid {
  const names = results.configurations.map(({ name }) => name).filter((name) => results.aggregated_stats[name]);
  const figures = names.map((name) => rowFigures(results, name));
  const columns = COLUMNS.map(({ title, group, figure, text }) => ({
    title,
    group,
    cells: figures.map(({ [figure]: value }) => cellOf(value, text, isUnasked(group, results.config.passes))),
  }));
  const times = names.map((name) => results.comparisons?.[name]?.time);
  if (times.some((time) => time !== undefined)) {
    // Next to the figure that it compares.
    columns.splice(1, 0, {
      title: `vs ${comparedWith(results.config)}`,
      group: TIME,
      cells: lineUp(times.map((time) => {
        if (time === undefined) return { change: "-", interval: "" };
        const { estimate, ...ends } = ratioPercent(time.tpot);
        return { change: `${signed(estimate, 1)} %`, interval: bracketed(ends, 1) };
      })),
    });
  }
  columns.push(...precisionColumns(results, names));
  return {
    title: "Method",
    columns,
    rows: names.map((name, row) => ({ name, cells: columns.map(({ cells }) => cells[row]!) })),
    ruled: true,
  };
}

/**
 * Formats the second table: times in ms and how far they are from the baseline's, the distance from the full cache,
 * and what was held. Columns are described in docs/metrics.md.
 *
 * @param results A run's results.
 * @param columns Width of the terminal, characters; no limit if left out.
 * @returns The lines joined by "\n", without one at the end; "" if nothing was measured.
 *
 * @example
 * ```ts
 * import { formatDetails } from "./detail_table.ts";
 * import type { BenchmarkResults } from "../results/types.ts";
 *
 * const print = (results: BenchmarkResults) => console.log(formatDetails(results, 80));
 * // Method         TPOT ms           vs baseline  First ms  p95 ms  VRAM GiB
 * // …
 * ```
 */
export function formatDetails(results: DetailResults, columns?: number): string {
  const grid = detailGrid(results);
  return grid.rows.length === 0 ? "" : formatGrid(grid, columns);
}

function cellOf(value: number | null, text: (value: number) => string, unasked: boolean): string {
  if (value === null) return "-";
  if (Number.isFinite(value)) return text(value);
  return unasked ? "-" : Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

/** Whether a group is of a pass that was not asked for. What is held follows from sizes, in any case. */
function isUnasked(group: number, passes: PassChoice | undefined): boolean {
  return group === TIME ? !isAskedFor("speed", passes) : group === QUALITY && !isAskedFor("quality", passes);
}

/** Formats with fixed decimals; in powers of ten where only the magnitude matters. */
function largeOr(digits: number): (value: number) => string {
  return (value) => value < 1e6 ? value.toFixed(digits) : value.toExponential(1);
}
