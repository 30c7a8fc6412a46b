import { Chart, type ChartConfiguration, LinearScale, LineController, LineElement, LogarithmicScale } from "chart.js";
import { type Plugin, PointElement } from "chart.js";
import type { CanvasLibrary } from "./canvas.ts";
import { FONT_FAMILY } from "./font.ts";
import { drawLegendColumn, drawLineLegend } from "./line_legend.ts";
import { lineLooks, type Look } from "./method_looks.ts";
import { nllDifferences, type NllLine, nllLines } from "./nll_lines.ts";
import { drawPicture, HEADER_HEIGHT, MARGIN, type Page } from "./picture_page.ts";
import { INK } from "./palette.ts";
import { roundTicks } from "./round_ticks.ts";
import { symmetricAxis } from "./symmetric_axis.ts";
import { termsOf } from "./terms.ts";
import type { BenchmarkResults } from "../results/types.ts";

Chart.register(LinearScale, LineController, LineElement, LogarithmicScale, PointElement);

/** Ratio of the largest to the smallest perplexity above which the axis is logarithmic. */
const LOGARITHMIC_FROM = 10;
/** Width of the y axes, points: plots above each other have the same edges. */
const AXIS_WIDTH = 92;
/** Height of the full cache's own plot, points. */
const FULL_HEIGHT = 112;
/** Most lines whose names fit in rows above the plot. */
const ROWS_UP_TO = 5;

/** A plot over the text: lines, and the y axis. */
interface LinePlot {
  lines: readonly NllLine[];
  looks: ReadonlyMap<string, Look>;
  y: NonNullable<NonNullable<ChartConfiguration<"line">["options"]>["scales"]>[string];
  /** Last position of the text. */
  end: number;
  /** Length of the longest text the model was trained on. */
  trained: number | undefined;
  /** Whether the axis of positions has labels, and the mark of the trained length its text. */
  labelled: boolean;
}

/**
 * Draws how perplexity changes along the text, a line for each configuration. With a baseline: how much larger the NLL
 * is than the full cache's on the same tokens, and the full cache's own perplexity in a small plot above; where a cache
 * begins to drop entries that were needed, its line leaves zero. Without a baseline: perplexity. If the text is longer
 * than the texts the model was trained on, a mark shows where that begins. 4200 x 2400 pixels at 300 DPI; an SVG file
 * of the same name beside it.
 *
 * @param results A run's results.
 * @param path The PNG file. A reader never sees half of it.
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
  const all = nllLines(results);
  const full = results.configurations.find(({ name, method }) =>
    method === "baseline" && all.some((line) => line.name === name)
  )?.name;
  const differences = full === undefined ? [] : nllDifferences(results, full);
  const isDifference = differences.length > 0;
  const lines = isDifference ? differences : all;
  const looks = new Map(lineLooks(results.configurations).map((look, at) => [results.configurations[at]!.name, look]));
  const end = Math.max(results.config.max_tokens, ...all.map(({ points }) => points.at(-1)?.x ?? 1));
  const common = { looks, end, trained: results.config.max_positions };
  const window = lines[0]?.window ?? 1;
  await drawPicture(path, { width: 14, height: 8 }, (page) => {
    page.drawHeader({
      title: isDifference ? "NLL along the text: difference from the full cache" : "Perplexity along the text",
      subtitle: termsOf(results),
      note: isDifference ? "+0.1 nats: 10.5 % more perplexity" : "",
      legend: [],
    });
    const box = legendAround(page, lines.map(({ name }) => ({ label: name, look: looks.get(name)! })));
    if (!isDifference) {
      page.place(box, (ratio) => linePlot({ ...common, lines, y: pplAxis(lines, window), labelled: true }, ratio));
      return;
    }
    const upper = { ...box, height: FULL_HEIGHT };
    const lower = { ...box, y: box.y + FULL_HEIGHT + 4, height: box.height - FULL_HEIGHT - 4 };
    const own = all.filter(({ name }) => name === full);
    page.place(
      upper,
      (ratio) => linePlot({ ...common, lines: own, y: pplAxis(own, undefined), labelled: false }, ratio),
    );
    const { placed, axis } = differenceAxis(lines, window);
    page.place(lower, (ratio) => linePlot({ ...common, lines: placed, y: axis, labelled: true }, ratio));
  }, library);
}

/** Draws the names of lines, above or to the right, and returns what is left of the page. */
function legendAround(page: Page, entries: Parameters<typeof drawLineLegend>[1]) {
  const box = {
    x: MARGIN,
    y: HEADER_HEIGHT - 6,
    width: page.width - 2 * MARGIN,
    height: page.height - HEADER_HEIGHT - 14,
  };
  page.paint((context) => {
    if (entries.length <= ROWS_UP_TO) {
      const height = 8 + drawLineLegend(context, entries, { ...box, x: MARGIN + AXIS_WIDTH }, false);
      box.y += height;
      box.height -= height;
    } else {
      const column = { right: page.width - MARGIN, y: box.y, height: box.height - 30 };
      box.width -= 16 + drawLegendColumn(context, entries, column);
    }
  });
  return box;
}

/** An axis of perplexity. */
function pplAxis(lines: readonly NllLine[], window: number | undefined): LinePlot["y"] {
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y)).filter(Number.isFinite);
  const min = values.length === 0 ? 1 : values.reduce((a, b) => Math.min(a, b));
  const max = values.length === 0 ? 2 : values.reduce((a, b) => Math.max(a, b));
  const logarithmic = max > LOGARITHMIC_FROM * min;
  const scale = logarithmic ? " (logarithmic)" : "";
  return {
    type: logarithmic ? "logarithmic" : "linear",
    min: 0.95 * min,
    max: 1.05 * max,
    title: axisTitle(
      window === undefined ? ["PPL of the", "full cache"] : `PPL, mean over ${window} tokens${scale}`,
    ),
    ticks: { ...tickStyle(), includeBounds: false, ...(window === undefined ? { maxTicksLimit: 6 } : {}) },
    ...(logarithmic ? { afterBuildTicks: roundTicks } : {}),
  };
}

/** Lines moved to their places on an axis around zero, and the axis. */
function differenceAxis(lines: readonly NllLine[], window: number): { placed: NllLine[]; axis: LinePlot["y"] } {
  const { linear, place, min, max, ticks } = symmetricAxis(lines.map(({ points }) => points.map(({ y }) => y)));
  const labels = new Map(ticks.map(({ value, label }) => [value, label]));
  return {
    placed: lines.map((line) => ({ ...line, points: line.points.map(({ x, y }) => ({ x, y: place(y) })) })),
    axis: {
      type: "linear",
      min,
      max,
      title: axisTitle(
        ["NLL less the full cache's (nats)", `mean over ${window} tokens${linear ? "" : ", logarithmic away from 0"}`],
      ),
      ticks: { ...tickStyle(), includeBounds: false, callback: (value) => labels.get(Number(value)) ?? "" },
      afterBuildTicks: (scale) => void (scale.ticks = ticks.map(({ value }) => ({ value }))),
      grid: {
        // Zero is the full cache.
        color: ({ tick }: { tick?: { value: number } }) => tick?.value === 0 ? INK.text : INK.grid,
        lineWidth: ({ tick }: { tick?: { value: number } }) => tick?.value === 0 ? 1.6 : 1,
      },
    },
  };
}

const axisTitle = (text: string | string[]) => ({
  display: true,
  text,
  color: INK.muted,
  font: { family: FONT_FAMILY, size: 14, weight: 500 },
});
const tickStyle = () => ({ color: INK.muted, font: { family: FONT_FAMILY, size: 13, weight: 400 } });

function linePlot(plot: LinePlot, devicePixelRatio: number): ChartConfiguration<"line"> {
  const { lines, looks, y, end, trained, labelled } = plot;
  return {
    type: "line",
    data: {
      datasets: lines.map(({ name, points }) => ({
        data: points,
        borderColor: looks.get(name)!.color,
        borderDash: [...looks.get(name)!.dash],
        borderWidth: 1.6,
        borderJoinStyle: "round",
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
      // Plots above each other end at the same place, whatever their labels.
      layout: { autoPadding: false, padding: { right: 24, top: 6 } },
      plugins: { legend: { display: false }, title: { display: false }, subtitle: { display: false } },
      scales: {
        x: {
          type: "linear",
          min: 0,
          max: end,
          grid: { display: false },
          border: { color: INK.axis },
          title: { ...axisTitle("Position in the text (tokens)"), display: labelled },
          ticks: { ...tickStyle(), display: labelled, includeBounds: false },
        },
        y: {
          grid: { color: INK.grid, lineWidth: 1 },
          border: { display: false },
          afterFit: (scale: { width: number }) => void (scale.width = AXIS_WIDTH),
          ...y,
        } as LinePlot["y"],
      },
    },
    plugins: trained !== undefined && trained < end ? [trainedLength(trained, labelled)] : [],
  };
}

/** Marks the length of the longest text the model was trained on. */
function trainedLength(trained: number, labelled: boolean): Plugin<"line"> {
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
      if (labelled) {
        ctx.font = `500 13px ${FONT_FAMILY}`;
        ctx.fillStyle = INK.muted;
        const right = x + 16 + ctx.measureText(text).width < chartArea.right;
        ctx.textAlign = right ? "left" : "right";
        ctx.fillText(text, x + (right ? 8 : -8), chartArea.top + 16);
      }
      ctx.restore();
    },
  };
}
