import type { FigureName } from "../figures.ts";
import type { Packed, PageCell } from "../page_data.ts";

/** A figure of the history, or its change against the baseline. */
export interface Metric {
  figure: FigureName;
  isChange: boolean;
}

/** A configuration on a machine, over time. */
export interface HistoryLine {
  /** The configuration's name; with the machine's, where a configuration was measured on several. */
  label: string;
  points: HistoryPoint[];
}

/** One run of it. */
export interface HistoryPoint {
  cell: PageCell;
  /** ms since 1970, as if the machine's clock showed UTC. */
  at: number;
  figure: Packed;
}

/**
 * Chooses the lines of a history: of the configurations of a group that were measured in two runs or more.
 *
 * @param cells All cells of the page.
 * @param group The group's index.
 * @param metric What is drawn.
 * @returns In the order of the cells, each from its first run to its last.
 *
 * @example
 * ```ts
 * import { historyLines } from "./history_points.ts";
 *
 * console.log(historyLines([], 0, { figure: "tpot", isChange: false })); // []
 * ```
 */
export function historyLines(cells: readonly PageCell[], group: number, { figure, isChange }: Metric): HistoryLine[] {
  const points = cells.filter((cell) => cell.group === group).flatMap((cell): HistoryPoint[] => {
    const at = Date.parse(`${cell.time.replace(" ", "T")}Z`);
    const value = isChange ? cell.changes[figure] : figure === "kl" ? cell.spreads.kl : plain(cell.figures[figure]);
    return Number.isNaN(at) || value === undefined ? [] : [{ cell, at, figure: value }];
  });
  return [...Map.groupBy(points, ({ cell }) => cell.line).values()].flatMap((line) => {
    if (new Set(line.map(({ at }) => at)).size < 2) return [];
    const machines = Map.groupBy(line, ({ cell }) => cell.host);
    return [...machines].map(([host, points]) => {
      const { name, series } = points[0]!.cell;
      // A series has its positions where its name lacks them.
      const [, positions = ""] = name.includes("@") ? [] : /(@.*)$/.exec(series) ?? [];
      const machine = machines.size > 1 ? ` on ${host || "an unnamed machine"}` : "";
      return { label: name + positions + machine, points: points.toSorted((a, b) => a.at - b.at) };
    });
  });
}

function plain(value: number | undefined): Packed | undefined {
  return value === undefined ? undefined : [value];
}

/**
 * Finds where the commit changed: the first run of each stretch of runs with one commit, but for the first stretch.
 *
 * @param points Of all lines.
 *
 * @example
 * ```ts
 * import { commitChanges } from "./history_points.ts";
 *
 * console.log(commitChanges([])); // []
 * ```
 */
export function commitChanges(points: readonly HistoryPoint[]): { at: number; commit: string }[] {
  const ordered = points.toSorted((a, b) => a.at - b.at).filter(({ cell }) => cell.commit !== "");
  return ordered.filter(({ cell }, index) => index > 0 && cell.commit !== ordered[index - 1]!.cell.commit)
    .map(({ at, cell }) => ({ at, commit: cell.commit }));
}
