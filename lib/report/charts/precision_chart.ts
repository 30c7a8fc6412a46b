import { drawFigure } from "./bar_chart_grid.ts";
import { precisionMetrics } from "./bar_metrics.ts";
import type { CanvasLibrary } from "./canvas.ts";
import { errorBarNote, metricPanel, vramNote } from "./metric_panel.ts";
import { KIND_COLORS } from "./palette.ts";
import { termsOf } from "./terms.ts";
import { comparedWith } from "../results/compared_with.ts";
import type { BenchmarkResults, ConfigurationRecord } from "../results/types.ts";

/** Colours of the types: the comparison's. */
export const DTYPE_COLORS: Readonly<Record<NonNullable<ConfigurationRecord["dtype"]>, string>> = {
  float32: KIND_COLORS.baseline,
  float16: KIND_COLORS.streaming,
  bfloat16: KIND_COLORS.other,
};

/**
 * Draws precision_benchmark_2rows.png: throughput, TPOT, TTFT and VRAM over perplexity, accuracy, divergence and the
 * size of the weights, one bar for each number type, 7200 x 3600 pixels at 300 DPI, and an SVG file of the
 * same name. Empty slots and error bars are as in the comparison.
 *
 * @param results A run's results, whose configurations have types of their own.
 * @param path The file. A reader never sees half of it.
 * @param library From {@linkcode loadCanvas}; loaded if left out, which needs --allow-ffi.
 *
 * @example
 * ```ts
 * import { drawPrecision } from "./precision_chart.ts";
 * import { readResults } from "../results/results_file.ts";
 *
 * async function redraw(folder: string) {
 *   await drawPrecision(await readResults(folder), `${folder}/precision_benchmark_2rows.png`);
 * }
 * ```
 */
export async function drawPrecision(results: BenchmarkResults, path: string, library?: CanvasLibrary): Promise<void> {
  const { config, configurations } = results;
  const types = new Map(configurations.map(({ name, dtype }) => [name, dtype]));
  const colorOf = (name: string) => DTYPE_COLORS[types.get(name) ?? "float32"];
  const panels = precisionMetrics(results).map((metric) => metricPanel(metric, results, colorOf));
  const notes = [
    ...errorBarNote(results, panels),
    ...vramNote(results),
    "Perplexity, accuracy: not from 0",
    `KL: from ${comparedWith(config)}`,
    ...(config.device === "cuda" && config.tf32 !== undefined ? [config.tf32 ? "with TF32" : "no TF32"] : []),
  ];
  await drawFigure(
    {
      title: "Number types of one model",
      subtitle: termsOf(results),
      note: notes.join("  ·  "),
      legend: [...new Set(types.values())].filter((type) => type !== undefined)
        .map((type) => ({ label: type, color: DTYPE_COLORS[type] })),
      width: 24,
      height: 12,
      columns: 4,
      panels,
    },
    path,
    library,
  );
}
