import { barFigure, type BarMetric, barMetrics } from "./bar_metrics.ts";
import type { Bar, BarPanel } from "./bar_panel.ts";
import type { CanvasLibrary } from "./canvas.ts";
import { drawFigure } from "./bar_chart_grid.ts";
import { type Kind, KIND_COLORS, KIND_LABELS, kindOf } from "./palette.ts";
import { significant } from "../tables/significant.ts";
import { isOfWholeGpu } from "../tables/table_notes.ts";
import { termsOf } from "./terms.ts";
import type { BenchmarkResults } from "../results/types.ts";

/** Ratio of the largest to the smallest perplexity above which a linear axis would show only the largest. */
const LOGARITHMIC_FROM = 20;

/**
 * Draws benchmark_comparison.png: throughput, TPOT and TTFT over perplexity, VRAM and cache size, one bar for each
 * configuration in the order of the table, 7200 x 3600 pixels at 300 DPI; an SVG file of the same name beside it. With several samples, error bars show one
 * standard deviation. If they do not fit into a chart's axis, the chart states how long they are instead: lines across
 * the whole chart would show nothing and hide the bars. A configuration without figures keeps an empty slot. So does a
 * figure that is not finite or was not measured; the axis leaves no room for it.
 *
 * @param results A run's results.
 * @param path The file. A reader never sees half of it.
 * @param library From {@linkcode loadCanvas}; loaded if left out, which needs --allow-ffi.
 *
 * @example
 * ```ts
 * import { drawComparison } from "./comparison.ts";
 * import { readResults } from "../results/results_file.ts";
 *
 * async function redraw(folder: string) {
 *   await drawComparison(await readResults(folder), `${folder}/benchmark_comparison.png`);
 * }
 * ```
 */
export async function drawComparison(results: BenchmarkResults, path: string, library?: CanvasLibrary): Promise<void> {
  const kinds = [...new Set(results.configurations.map(({ name }) => kindOf(name)))];
  const panels = barMetrics(results).map((metric) => panelOf(metric, results));
  await drawFigure(
    {
      title: `KV-cache compression: ${results.config.method}`,
      subtitle: termsOf(results),
      note: [...errorBarNote(results, panels), ...vramNote(results), "Perplexity axis: not from 0"].join("  ·  "),
      legend: (Object.keys(KIND_LABELS) as Kind[])
        .filter((kind) => kinds.includes(kind))
        .map((kind) => ({ label: KIND_LABELS[kind], color: KIND_COLORS[kind] })),
      width: 24,
      height: 12,
      columns: 3,
      panels,
    },
    path,
    library,
  );
}

/** Explains the error bars, if any are drawn. */
function errorBarNote({ aggregated_stats }: BenchmarkResults, panels: readonly BarPanel[]): string[] {
  if (!panels.some(({ bars }) => bars.some(({ deviation }) => deviation > 0))) return [];
  const counts = Object.values(aggregated_stats).map(({ n }) => n).filter((n) => n > 1);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return [`Error bars: ± 1 standard deviation over ${least === most ? most : `${least} to ${most}`} samples`];
}

/** Notes that VRAM is the whole GPU's, if NVML did not list the process. */
function vramNote({ configurations, ...results }: BenchmarkResults): string[] {
  return configurations.some(({ name }) => isOfWholeGpu(results, name)) ? ["VRAM: the whole GPU's"] : [];
}

function panelOf(metric: BarMetric, results: BenchmarkResults): BarPanel {
  const bars = results.configurations.map(({ name, status }): Bar => {
    const { value: figure, std } = barFigure(results, name, metric.figure);
    const value = (figure ?? NaN) * metric.scale;
    const measured = Number.isFinite(value);
    return {
      label: name,
      color: KIND_COLORS[kindOf(name)],
      value: measured ? value : null,
      deviation: measured ? std * metric.scale : 0,
      missing: figure === undefined ? status === "not run" ? "not run" : "failed" : unmeasured(figure),
    };
  });
  const values = bars.flatMap(({ value }) => value === null ? [] : [value]);
  const reach = Math.max(0, ...bars.map(({ value, deviation }) => (value ?? 0) + (deviation || 0)));
  const min = Math.min(...values);
  const max = Math.max(...values);
  const logarithmic = metric.figure === "perplexity" && min > 0 && max > LOGARITHMIC_FROM * min;
  const { passes = "both" } = results.config;
  const note = passes === "both" || passes === metric.pass || metric.figure === "kv_bytes"
    ? undefined
    : `Not measured: only the ${passes} pass was made`;
  const range = values.length === 0 ? { min: 0, max: 1 } : metric.range(min, max, reach);
  const fit = errorBarsFit(bars, range);
  return {
    title: metric.title,
    subtitle: fit ? metric.subtitle : `${metric.subtitle}  ·  ${deviationsOf(bars)} over samples: beyond this axis`,
    axis: logarithmic ? `${metric.axis} (logarithmic)` : metric.axis,
    range,
    logarithmic,
    format: metric.format,
    bars: fit ? bars : bars.map((bar) => ({ ...bar, deviation: 0 })),
    ...(note === undefined ? {} : { note }),
  };
}

/** Text in place of a bar that cannot be drawn, the same as in the table. */
function unmeasured(figure: number | null): string {
  if (figure === null) return "n/a";
  return Number.isNaN(figure) ? "nan" : figure > 0 ? "inf" : "-inf";
}

/** Whether every error bar lies within the axis. The part below 0 does not count: no figure can be negative. */
function errorBarsFit(bars: readonly Bar[], { min, max }: BarPanel["range"]): boolean {
  return bars.every(({ value, deviation }) =>
    value === null || !(deviation > 0) || (value + deviation <= max && (min === 0 || value - deviation >= min))
  );
}

/** Formats the standard deviations as text. */
function deviationsOf(bars: readonly Bar[]): string {
  const sizes = bars.map(({ deviation }) => deviation).filter((deviation) => deviation > 0);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)].map((size) =>
    size < 100 ? significant(size, 2) : Number(size.toPrecision(2)).toLocaleString("en-US")
  );
  return least === most ? `± ${most}` : `± ${least} to ${most}`;
}
