import {
  CategoryScale,
  Chart,
  type ChartConfiguration,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  type Plugin,
  PointElement,
} from "chart.js";
import { type CanvasLibrary, FONT_FAMILY, loadCanvas } from "./canvas.ts";
import { movingMean } from "./moving_mean.ts";
import { HEADER_HEIGHT, MARGIN, Page } from "./picture_page.ts";
import { INK, kindOf, shadesOf } from "./palette.ts";
import { roundTicks } from "./round_ticks.ts";
import { termsOf } from "./terms.ts";
import type { BenchmarkResults } from "../results/types.ts";

Chart.register(CategoryScale, Legend, LinearScale, LineController, LineElement, LogarithmicScale, PointElement);

/** Tokens in the mean of each point: enough to see a trend, few enough to see where a cache fills. */
const WINDOW = 64;
/** Share of a long text in the mean of each point: with less, noise makes the line thick. */
const WINDOW_SHARE = 0.01;
/** Most points of a line; more cannot be seen. */
const MOST_POINTS = 1500;
/** Ratio of the largest to the smallest perplexity above which the axis is logarithmic. */
const LOGARITHMIC_FROM = 10;

/** One configuration's line: perplexity by position in the text, tokens. */
export interface NllLine {
  name: string;
  /** Tokens in the mean of each point. */
  window: number;
  points: { x: number; y: number }[];
}

/**
 * Computes the perplexity along the text, smoothed: exp of the moving mean of the quality pass's NLL, averaged over the
 * samples.
 *
 * @param results Configurations in order, and the raw results with their NLL.
 * @param window Tokens in the mean of each point, by default 64 or a hundredth of the text; a text too short for it
 * gets a quarter of its length.
 * @returns One line for each configuration with figures.
 *
 * @example
 * ```ts
 * import { nllLines } from "./nll_plot.ts";
 *
 * const raw_results = [{ method: "baseline", nll: [Math.log(4), Math.log(4), Math.log(4), Math.log(4)] }];
 * console.log(nllLines({ configurations: [{ name: "baseline" }], raw_results }, 2)[0]?.points.length); // 4
 * ```
 */
export function nllLines(
  results: {
    configurations: readonly { name: string }[];
    raw_results: readonly { method: string; nll: readonly number[] }[];
  },
  window?: number,
): NllLine[] {
  return results.configurations.flatMap(({ name }) => {
    const samples = results.raw_results.filter((raw) => raw.method === name && raw.nll.length > 0).map(({ nll }) =>
      nll
    );
    if (samples.length === 0) return [];
    // Stops at the end of the shortest sample: beyond it the mean would jump.
    const length = Math.min(...samples.map((nll) => nll.length));
    const wanted = window ?? Math.max(WINDOW, Math.round(length * WINDOW_SHARE));
    const over = Math.max(1, Math.min(wanted, Math.floor(length / 4)));
    const nll = Array.from(
      { length },
      (_, position) => samples.reduce((sum, sample) => sum + sample[position]!, 0) / samples.length,
    );
    const stride = Math.ceil(length / MOST_POINTS);
    const points = movingMean(nll, over)
      // The first token is read, the second is the first to be predicted.
      .map((mean, index) => ({ x: index + over, y: Math.exp(mean) }))
      .filter((_, index, { length }) => index % stride === 0 || index === length - 1);
    return [{ name, window: over, points }];
  });
}

/**
 * Draws the perplexity along the text, one line for each configuration: where a cache begins to drop entries that were
 * needed, its line leaves the baseline's. If the text is longer than the texts the model was trained on, a mark shows
 * where that begins. 4200 x 2400 pixels at 300 DPI.
 *
 * @param results A run's results.
 * @param path The file. A reader never sees half of it.
 * @param library From {@linkcode loadCanvas}; loaded if left out, which needs --allow-ffi.
 *
 * @example
 * ```ts
 * import { drawNll } from "./nll_plot.ts";
 * import { readResults } from "../results/results_file.ts";
 *
 * async function redraw(folder: string) {
 *   await drawNll(await readResults(folder), `${folder}/perplexity_along_text.png`);
 * }
 * ```
 */
export async function drawNll(results: BenchmarkResults, path: string, library?: CanvasLibrary): Promise<void> {
  const page = new Page(library ?? await loadCanvas(), 14, 8);
  page.drawHeader({ title: "Perplexity along the text", subtitle: termsOf(results), note: "", legend: [] });
  const box = { x: MARGIN, y: HEADER_HEIGHT, width: page.width - 2 * MARGIN, height: page.height - HEADER_HEIGHT - 24 };
  page.place(box, (ratio) => lineChart(nllLines(results), results.config, ratio));
  await page.save(path);
}

function lineChart(
  lines: readonly NllLine[],
  { max_tokens, max_positions: trained }: BenchmarkResults["config"],
  devicePixelRatio: number,
): ChartConfiguration<"line"> {
  const end = Math.max(max_tokens, ...lines.map(({ points }) => points.at(-1)?.x ?? 1));
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y)).filter(Number.isFinite);
  const min = values.length === 0 ? 1 : values.reduce((a, b) => Math.min(a, b));
  const max = values.length === 0 ? 2 : values.reduce((a, b) => Math.max(a, b));
  const logarithmic = max > LOGARITHMIC_FROM * min;
  const shades = shadesOf(lines.map(({ name }) => name));
  const font = (size: number, weight: number) => ({ family: FONT_FAMILY, size, weight });
  const axis = (text: string) => ({ display: true, text, color: INK.muted, font: font(14, 500) });
  return {
    type: "line",
    data: {
      datasets: lines.map(({ name, points }, index) => ({
        label: name,
        data: points,
        borderColor: shades[index]!.color,
        borderDash: [...shades[index]!.dash],
        borderWidth: kindOf(name) === "baseline" ? 3.6 : 1.5,
        borderJoinStyle: "round",
        // The baseline is a rim under the other lines: over them, it would hide lines close to it.
        order: kindOf(name) === "baseline" ? 1 : 0,
        pointRadius: 0,
        spanGaps: false,
      })),
    },
    options: {
      animation: false,
      responsive: false,
      devicePixelRatio,
      locale: "en-US",
      parsing: false,
      normalized: true,
      plugins: {
        legend: {
          // A few names fit over the plot; the plot needs its width to show where things happen.
          ...(lines.length <= 5 ? { position: "top", align: "start" } : { position: "right" }),
          labels: {
            // Ordered as in the table, not as the lines are stacked.
            sort: (a, b) => (a.datasetIndex ?? 0) - (b.datasetIndex ?? 0),
            color: INK.text,
            font: font(lines.length > 20 ? 11 : 13, 400),
            usePointStyle: true,
            pointStyle: "line",
            pointStyleWidth: 26,
            padding: lines.length > 20 ? 6 : 10,
          },
        },
      },
      scales: {
        x: {
          type: "linear",
          min: 0,
          max: end,
          grid: { display: false },
          border: { color: INK.axis },
          title: axis("Position in the text (tokens)"),
          ticks: { color: INK.muted, font: font(13, 400), includeBounds: false },
        },
        y: {
          type: logarithmic ? "logarithmic" : "linear",
          min: 0.95 * min,
          max: 1.05 * max,
          grid: { color: INK.grid, lineWidth: 1 },
          border: { display: false },
          title: axis(`PPL, mean over ${lines[0]?.window ?? WINDOW} tokens${logarithmic ? " (logarithmic)" : ""}`),
          ticks: { color: INK.muted, font: font(13, 400), includeBounds: false },
          ...(logarithmic ? { afterBuildTicks: roundTicks } : {}),
        },
      },
    },
    plugins: trained !== undefined && trained < end ? [trainedLength(trained)] : [],
  };
}

/** Marks the length of the longest text the model was trained on. */
function trainedLength(trained: number): Plugin<"line"> {
  return {
    id: "trainedLength",
    beforeDatasetsDraw({ ctx, chartArea, scales }) {
      const x = scales["x"]!.getPixelForValue(trained);
      const text = `trained to ${trained.toLocaleString("en-US")} tokens`;
      ctx.save();
      ctx.strokeStyle = INK.axis;
      ctx.lineWidth = 1.2;
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      ctx.font = `500 13px ${FONT_FAMILY}`;
      ctx.fillStyle = INK.muted;
      const right = x + 16 + ctx.measureText(text).width < chartArea.right;
      ctx.textAlign = right ? "left" : "right";
      ctx.fillText(text, x + (right ? 8 : -8), chartArea.top + 16);
      ctx.restore();
    },
  };
}
