import { barFigure, type BarMetric, isWide } from "./bar_metrics.ts";
import type { Bar, BarPanel } from "./bar_panel.ts";
import { significant } from "../tables/significant.ts";
import { isOfWholeGpu } from "../tables/table_notes.ts";
import type { BenchmarkResults } from "../results/types.ts";

/**
 * Explains the error bars, if any are drawn.
 *
 * @param results A run's results.
 * @param panels What is drawn of it.
 * @returns One sentence, or none.
 *
 * @example
 * ```ts
 * import { errorBarNote } from "./metric_panel.ts";
 *
 * console.log(errorBarNote({ aggregated_stats: {} }, [])); // []
 * ```
 */
export function errorBarNote(
  { aggregated_stats }: Pick<BenchmarkResults, "aggregated_stats">,
  panels: readonly BarPanel[],
): string[] {
  if (!panels.some(({ bars }) => bars.some(({ deviation }) => deviation > 0))) return [];
  const counts = Object.values(aggregated_stats).map(({ n }) => n).filter((n) => n > 1);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return [`Error bars: ± 1 standard deviation over ${least === most ? most : `${least} to ${most}`} samples`];
}

/**
 * Notes that VRAM is the whole GPU's, if NVML did not list the process.
 *
 * @param results A run's results.
 * @returns One sentence, or none.
 *
 * @example
 * ```ts
 * import { vramNote } from "./metric_panel.ts";
 *
 * console.log(vramNote({ configurations: [], raw_results: [] })); // []
 * ```
 */
export function vramNote(
  { configurations, ...results }: Pick<BenchmarkResults, "configurations" | "raw_results">,
): string[] {
  return configurations.some(({ name }) => isOfWholeGpu(results, name)) ? ["VRAM: the whole GPU's"] : [];
}

/**
 * Makes the chart of a metric: a bar for each configuration in the order of the table. A configuration without figures
 * keeps an empty slot; so does a figure that is not finite or was not measured, and the axis leaves no room for it. Error
 * bars that do not fit into the axis become text.
 *
 * @param metric What to show.
 * @param results A run's results.
 * @param colorOf Colour of a configuration, by name.
 *
 * @example
 * ```ts
 * import { barMetrics } from "./bar_metrics.ts";
 * import { metricPanel } from "./metric_panel.ts";
 * import type { BenchmarkResults } from "../results/types.ts";
 *
 * const panels = (results: BenchmarkResults) =>
 *   barMetrics(results).map((metric) => metricPanel(metric, results, () => "#3b76c4"));
 * ```
 */
export function metricPanel(
  metric: BarMetric,
  results: BenchmarkResults,
  colorOf: (name: string) => string,
): BarPanel {
  const bars = results.configurations.map(({ name, status }): Bar => {
    const { value: figure, std, missing } = barFigure(results, name, metric.figure);
    const value = (figure ?? NaN) * metric.scale;
    const measured = Number.isFinite(value);
    return {
      label: name,
      color: colorOf(name),
      value: measured ? value : null,
      deviation: measured ? std * metric.scale : 0,
      missing: missing ?? (figure === undefined ? status === "not run" ? "not run" : "failed" : unmeasured(figure)),
    };
  });
  const values = bars.flatMap(({ value }) => value === null ? [] : [value]);
  const reach = Math.max(0, ...bars.map(({ value, deviation }) => (value ?? 0) + (deviation || 0)));
  const min = Math.min(...values);
  const max = Math.max(...values);
  const logarithmic = metric.logarithmic === true && isWide(min, max);
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
