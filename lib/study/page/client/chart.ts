/// <reference lib="dom" />
import type { Chart as ChartJs, ChartConfiguration } from "chart.js";
import type { drawPoint } from "chart.js/helpers";

/** A line chart with figures on both axes. */
export type LineChart = ChartJs<"line", ChartPoint[]>;

/** What {@linkcode showChart} takes. */
export type LineConfiguration = ChartConfiguration<"line", ChartPoint[]>;

/** A point on a chart's axes. */
export interface ChartPoint {
  x: number;
  y: number;
}

/** Chart.js as its script puts it into the page. */
interface Library {
  new (canvas: HTMLCanvasElement, configuration: LineConfiguration): LineChart;
  helpers: { drawPoint: typeof drawPoint };
}

/**
 * Returns Chart.js, which is in the page before this code.
 *
 * @example
 * ```ts
 * import { library } from "./chart.ts";
 *
 * const draw = () => library().helpers.drawPoint;
 * ```
 */
export function library(): Library {
  return (globalThis as unknown as { Chart: Library }).Chart;
}

const shown = new Map<HTMLCanvasElement, LineChart>();

/**
 * Shows a chart in place of the canvas' last one.
 *
 * @example
 * ```ts
 * /// <reference lib="dom" />
 * import { showChart } from "./chart.ts";
 *
 * const clear = (canvas: HTMLCanvasElement) => showChart(canvas, { type: "line", data: { datasets: [] } });
 * ```
 */
export function showChart(canvas: HTMLCanvasElement, configuration: LineConfiguration): void {
  shown.get(canvas)?.destroy();
  shown.set(canvas, new (library())(canvas, configuration));
}
