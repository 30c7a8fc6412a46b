import type { Change, ComparedName, MethodChanges, PointChange } from "./changes.ts";
import { formatGrid } from "./grid.ts";
import { bracketed, type ChangeText, lineUp, signed } from "./interval_text.ts";

/** Figures that are compared with the baseline's, and their column titles, as in the table. */
const COLUMNS: readonly { figure: ComparedName; title: string; unit: "%" | "pt" }[] = [
  { figure: "throughput", title: "Thruput", unit: "%" },
  { figure: "tpot", title: "TPOT", unit: "%" },
  { figure: "ttft", title: "TTFT", unit: "%" },
  { figure: "perplexity", title: "PPL", unit: "%" },
  { figure: "accuracy", title: "Acc", unit: "pt" },
  { figure: "peak_vram_gb", title: "VRAM", unit: "%" },
];

/** Least width of the name column: that of the other tables. */
const NAME_WIDTH = 22;
/** Blanks between columns. */
const GAP = 3;

/** The changes as cells, for every format of tables. */
export interface ChangeCells {
  /** Titles of the figures. */
  titles: string[];
  /** A row for each configuration. */
  rows: { name: string; cells: string[] }[];
}

/**
 * Formats the changes as cells. If there are intervals, changes and intervals are lined up within each column.
 *
 * @param changes From `changesAgainstBaseline`.
 * @param inTitles Whether units are in the titles, to save room, rather than after each figure.
 * @returns Titles and rows.
 *
 * @example
 * ```ts
 * import { changeCells } from "./changes_table.ts";
 *
 * console.log(changeCells([], true).titles.join(", ")); // Thruput %, TPOT %, TTFT %, PPL %, Acc pt, VRAM %
 * ```
 */
export function changeCells(changes: readonly MethodChanges[], inTitles = false): ChangeCells {
  const isSpaced = changes.some((row) => COLUMNS.some(({ figure }) => intervalOf(row[figure]) !== undefined));
  const columns = COLUMNS.map(({ figure, unit }) => {
    const sign = inTitles ? "" : isSpaced ? ` ${unit}` : unit === "pt" ? " pt" : unit;
    return lineUp(changes.map((row) => formatChange(row[figure], sign)));
  });
  return {
    titles: COLUMNS.map(({ title, unit }) => inTitles ? `${title} ${unit}` : title),
    rows: changes.map(({ method }, row) => ({ name: method, cells: columns.map((cells) => cells[row]!) })),
  };
}

/**
 * Formats the changes as lines for the console. Accuracy is in percentage points (pt), all else in percent. After the
 * change comes its interval `[low, high]` if there is one, or else ± the standard deviation over the texts.
 *
 * @param changes From `changesAgainstBaseline`.
 * @param width Width of the terminal, characters; no limit if left out. Columns that do not fit go below.
 * @param baseline Name of what is compared with.
 * @returns A title line and one line for each configuration, without a line end; "" if there are no changes.
 *
 * @example
 * ```ts
 * import { formatChanges } from "./changes_table.ts";
 *
 * console.log(formatChanges([{
 *   method: "streaming_256",
 *   throughput: { percent: -9.23, std: 0.41 },
 *   tpot: { percent: 15.6, std: 0.5 },
 *   ttft: { percent: -20.3, std: 0.8 },
 *   perplexity: { percent: 6.54, std: 1.2 },
 *   accuracy: { points: -0.78, std: 0.11 },
 *   peak_vram_gb: null,
 * }]));
 * // Change vs baseline               Thruput              TPOT  …               Acc              VRAM
 * // streaming_256                -9.2% ± 0.4      +15.6% ± 0.5  …   -0.78 pt ± 0.11                 -
 * ```
 */
export function formatChanges(changes: readonly MethodChanges[], width?: number, baseline = "baseline"): string {
  if (changes.length === 0) return "";
  const { titles, rows } = changeCells(changes);
  // All columns have the width of the widest, so that figures line up.
  const name = Math.max(NAME_WIDTH, ...rows.map(({ name }) => name.length));
  const column = Math.max(...[titles, ...rows.map(({ cells }) => cells)].flat().map(({ length }) => length)) + GAP;
  if (width === undefined || name + column * titles.length <= width) {
    return [{ name: `Change vs ${baseline}`, cells: titles }, ...rows]
      .map(({ name: first, cells }) => first.padEnd(name) + cells.map((cell) => cell.padStart(column)).join(""))
      .join("\n");
  }
  const narrow = changeCells(changes, true);
  return formatGrid({
    title: `vs ${baseline}`,
    // What a run measures in its two passes; VRAM is a speed pass's, but has room next to quality.
    columns: narrow.titles.map((title, i) => ({ title, group: i < 3 ? 0 : 1 })),
    rows: narrow.rows,
    ruled: false,
  }, width);
}

function intervalOf(change: Change | PointChange | "n/a" | null): Change["interval"] {
  return change === null || change === "n/a" ? undefined : change.interval;
}

function formatChange(change: Change | PointChange | "n/a" | null, unit: string): ChangeText {
  if (change === null) return { change: "-", interval: "" };
  if (change === "n/a") return { change, interval: "" };
  const value = "points" in change ? change.points : change.percent;
  const digits = "points" in change ? 2 : 1;
  const { std, interval } = change;
  if (Number.isNaN(value)) return { change: "nan", interval: "" };
  const spread = std === null || !Number.isFinite(value)
    ? ""
    : ` ± ${std < 1000 ? std.toFixed(digits) : std.toPrecision(2)}`;
  return {
    change: `${signed(value, digits)}${unit}${spread}`,
    interval: interval === undefined ? "" : bracketed(interval, digits),
  };
}
