import { barMetrics } from "./bar_metrics.ts";
import type { CanvasLibrary } from "./canvas.ts";
import { drawFigure } from "./bar_chart_grid.ts";
import { type Kind, KIND_COLORS, KIND_LABELS, kindOf } from "./palette.ts";
import { errorBarNote, metricPanel, vramNote } from "./metric_panel.ts";
import { termsOf } from "./terms.ts";
import type { BenchmarkResults } from "../results/types.ts";

/**
 * Draws benchmark_comparison.png: throughput, TPOT and TTFT over perplexity, VRAM and cache size, one bar for each
 * configuration in the order of the table, 7200 x 3600 pixels at 300 DPI, and an SVG file of the same name. With several samples, error bars show one
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
  const panels = barMetrics(results).map((metric) => metricPanel(metric, results, (name) => KIND_COLORS[kindOf(name)]));
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
