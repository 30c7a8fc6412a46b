import { heldPoints, type Spread } from "../../report/charts/held_points.ts";
import { comparedWith } from "../../report/results/compared_with.ts";
import type { BenchmarkResults, ConfigurationRecord } from "../../report/results/types.ts";
import { changesAgainstBaseline, type MethodChanges } from "../../report/tables/changes.ts";
import { bracketed, signed } from "../../report/tables/interval_text.ts";
import { rowFigures } from "../../report/tables/row_figures.ts";
import { shown } from "./escape.ts";
import { FIGURE_NAMES, type FigureName, figureOf } from "./figures.ts";
import type { Packed, PageCell } from "./page_data.ts";

const MIB = 2 ** 20;
/** Significant digits of figures in the page's data: more than it shows. */
const DIGITS = 7;

/** A measured configuration of one run, without what only other runs can tell. */
export interface RunRow {
  cell: Pick<PageCell, "name" | "series" | "size" | "role" | "marks" | "figures" | "changes" | "spreads">;
  method: string;
  /** What it was made for, such as "25%"; "" if no budget was asked for. */
  budget: string;
  dtype: string;
  positions: string;
  /** Its parameters, as JSON. */
  params: string;
  /** Text of each change, such as "+3.2 % [+1.1, +5.4]". */
  changeTexts: Partial<Record<FigureName, string>>;
  /** What it is: parameters, attention, kernels. */
  about: string[];
  /** What was seen and what a reader must know, one sentence each. */
  remarks: string[];
}

/** The changes' names in results. */
const COMPARED = {
  ttft: "ttft",
  tpot: "tpot",
  throughput: "throughput",
  perplexity: "perplexity",
  accuracy: "accuracy",
  vram: "peak_vram_gb",
} as const satisfies Partial<Record<FigureName, Exclude<keyof MethodChanges, "method">>>;

/**
 * Makes the rows of a run: of every configuration that was measured to its end. Nothing of single steps is in them.
 *
 * @param results A run's results, of schema 1 or 2.
 * @returns In the order of the run's table.
 *
 * @example
 * ```ts
 * import { runRows } from "./run_rows.ts";
 * import type { BenchmarkResults } from "../../report/results/types.ts";
 *
 * const tpots = (results: BenchmarkResults) => runRows(results).map(({ cell }) => cell.figures.tpot);
 * ```
 */
export function runRows(results: BenchmarkResults): RunRow[] {
  const points = new Map(heldPoints(results).map((point) => [point.name, point]));
  const changes = new Map(changesAgainstBaseline(results).map((change) => [change.method, change]));
  return results.configurations.flatMap((record): RunRow[] => {
    const { name } = record;
    const stats = results.aggregated_stats[name];
    const point = points.get(name);
    if (stats === undefined || point === undefined) return [];
    const measured: Record<FigureName, number | null | undefined> = {
      held: point.share === undefined ? undefined : 100 * point.share,
      cache: over(rowFigures(results, name).mean_kv_bytes, MIB),
      vram: results.environment.gpu === null ? undefined : stats.peak_vram_gb,
      // A figure of a pass that was not made is NaN.
      ttft: 1000 * stats.ttft,
      tpot: 1000 * stats.tpot,
      throughput: stats.throughput,
      perplexity: stats.perplexity,
      accuracy: 100 * stats.accuracy,
      kl: point.kl?.value,
    };
    const own = changes.get(name);
    return [{
      cell: {
        name: shown(name),
        series: shown(withPositions(point.series, record)),
        size: shown(point.size, 40),
        role: point.role,
        marks: record.marks ?? [],
        figures: Object.fromEntries(FIGURE_NAMES.flatMap((figure) => {
          const value = measured[figure];
          return typeof value === "number" && Number.isFinite(value) ? [[figure, short(value)]] : [];
        })),
        changes: own === undefined ? {} : packedChanges(own),
        spreads: {
          ...(point.kl ? { kl: packed(point.kl) } : {}),
          ...(point.ppl ? { ppl: packed(point.ppl) } : {}),
          ...(point.tpot ? { tpot: packed(point.tpot) } : {}),
        },
      },
      method: shown(record.method),
      budget: shown(record.budget?.asked ?? "", 40),
      dtype: record.dtype ?? shown(results.config.dtype),
      positions: shown(record.positions),
      changeTexts: own === undefined ? {} : changeTexts(own),
      params: JSON.stringify(record.params),
      about: aboutOf(record),
      remarks: [...(record.doubts ?? []), ...(record.notes ?? [])].map((text) => shown(text, 500)),
    }];
  });
}

/**
 * Names what figures of a run are compared with.
 *
 * @example
 * ```ts
 * import { baselineOf } from "./run_rows.ts";
 *
 * console.log(baselineOf({ config: {} })); // baseline
 * ```
 */
export function baselineOf({ config }: { config: Pick<BenchmarkResults["config"], "compared_with"> }): string {
  return shown(comparedWith(config));
}

/** Two runs may have a configuration of one name with other positions. */
function withPositions(series: string, { positions, method }: ConfigurationRecord): string {
  return positions === "absolute" || method === "baseline" || series.includes("@") ? series : `${series}@${positions}`;
}

function aboutOf({ params, attention, kernels, kernels_reason, weight_bytes }: ConfigurationRecord): string[] {
  const texts = Object.entries(params).map(([name, value]) => `${name} ${value}`);
  texts.push(`${attention} attention`);
  if (kernels !== undefined) {
    const whose = kernels === "own" ? "the project's kernels" : "ONNX Runtime's kernels";
    texts.push(kernels_reason === undefined ? whose : `${whose} (${kernels_reason})`);
  }
  if (weight_bytes !== undefined) texts.push(`weights of ${(weight_bytes / MIB).toFixed(0)} MiB`);
  return texts.map((text) => shown(text, 300));
}

function packedChanges(own: MethodChanges): PageCell["changes"] {
  return Object.fromEntries(
    Object.entries(COMPARED).flatMap(([figure, name]): [string, Packed][] => {
      const change = own[name];
      if (change === null || change === "n/a") return [];
      const value = "points" in change ? change.points : change.percent;
      return Number.isFinite(value) ? [[figure, packed({ value, ...change.interval })]] : [];
    }),
  );
}

function changeTexts(own: MethodChanges): RunRow["changeTexts"] {
  return Object.fromEntries(
    (Object.entries(COMPARED) as [FigureName, keyof typeof own][]).flatMap(([figure, name]) => {
      const change = own[name];
      if (change === null || typeof change === "string") return [];
      const value = "points" in change ? change.points : change.percent;
      if (Number.isNaN(value)) return [];
      const digits = "points" in change ? 2 : 1;
      const { std, interval } = change;
      const spread = std === null || !Number.isFinite(std) ? "" : ` ± ${std.toFixed(digits)}`;
      const ends = interval === undefined ? "" : ` ${bracketed(interval, digits)}`;
      return [[figure, `${signed(value, digits)} ${figureOf(figure).change}${spread}${ends}`]];
    }),
  );
}

function packed({ value, low, high }: Spread): Packed {
  const isKnown = low !== undefined && high !== undefined && Number.isFinite(low) && Number.isFinite(high);
  return isKnown ? [short(value), short(low), short(high)] : [short(value)];
}

const short = (value: number) => Number(value.toPrecision(DIGITS));

const over = (value: number | null, unit: number) => value === null ? null : value / unit;
