import { BarController, BarElement, CategoryScale, Chart, LinearScale, LogarithmicScale } from "chart.js";
import { type ChartConfiguration, type Plugin, SubTitle, Title } from "chart.js";
import type {} from "chartjs-plugin-datalabels"; // the types of its options
// Its main file is CommonJS and would load a second Chart.js, with a BarElement class of its own: figures would then be
// placed as if over points.
import datalabels from "chartjs-plugin-datalabels/dist/chartjs-plugin-datalabels.esm.js";
import { FONT_FAMILY } from "./font.ts";
import { fitNames, type FittedNames, heightOf, LINE_HEIGHT, type MeasureText } from "./fit_names.ts";
import { INK } from "./palette.ts";
import { roundTicks } from "./round_ticks.ts";

Chart.register(BarController, BarElement, CategoryScale, LinearScale, LogarithmicScale, SubTitle, Title);

/** One bar, or an empty slot. */
export interface Bar {
  /** Label below the bar. */
  label: string;
  color: string;
  /** In the axis's unit; null for an empty slot. */
  value: number | null;
  /** Half the length of its error bar, in the axis's unit; 0 for none. */
  deviation: number;
  /** Text in an empty slot: "failed". */
  missing?: string;
}

/** A bar chart with its title, axis and bars. */
export interface BarPanel {
  title: string;
  /** Second line: which way is better. */
  subtitle: string;
  /** Quantity on the y axis, with its unit. */
  axis: string;
  /** Ends of the y axis. */
  range: { min: number; max: number };
  /** Whether the y axis is logarithmic; `range.min` is then over 0. */
  logarithmic?: boolean;
  /** Formats the figure over a bar. */
  format: (value: number) => string;
  bars: readonly Bar[];
  /** Text in the panel instead of bars. */
  note?: string;
}

/** Share of a panel's height that names may take. */
const NAMES_SHARE = 0.45;
/** Distance of names from the axis, points. */
const NAMES_GAP = 7;
/** Slot width, points, below which the figures over bars are turned upright. */
const NARROW_SLOT = 44;

/**
 * Configures Chart.js for a panel. All lengths are points (1/72 inch); `devicePixelRatio` converts them to pixels.
 *
 * @param panel What to draw.
 * @param size The panel's width and height, points; with the bars' names they decide sizes and rotation.
 * @param measure Returns the width of a text at a font size, points.
 * @param devicePixelRatio Pixels per point.
 * @returns The configuration for `new Chart(canvas, …)`.
 *
 * @example
 * ```ts
 * import { barPanelChart } from "./bar_panel.ts";
 *
 * const { data } = barPanelChart({
 *   title: "Throughput", subtitle: "(Higher is Better)", axis: "tokens/s", range: { min: 0, max: 180 },
 *   format: (value) => value.toFixed(1), bars: [{ label: "baseline", color: "gray", value: 156.78, deviation: 0 }],
 * }, { width: 500, height: 300 }, (text, size) => 0.6 * size * text.length, 1);
 * console.log(data.labels); // [ "baseline" ]
 * ```
 */
export function barPanelChart(
  panel: BarPanel,
  { width, height }: { width: number; height: number },
  measure: MeasureText,
  devicePixelRatio: number,
): ChartConfiguration<"bar"> {
  const slot = (width - 80) / Math.max(1, panel.bars.length);
  const upright = slot < NARROW_SLOT;
  const font = (size: number, weight: number) => ({ family: FONT_FAMILY, size, weight });
  const names = fitNames(panel.bars.map(({ label }) => label), { slot, height: NAMES_SHARE * height, measure });
  const labelSize = slot >= 90 ? 15 : slot >= 30 ? 13 : slot >= 20 ? 11.5 : 10.5;
  const figureSize = upright ? labelSize : Math.max(labelSize, 13);
  return {
    type: "bar",
    data: {
      labels: panel.bars.map(({ label }) => label),
      datasets: [{
        data: panel.bars.map(({ value }) => panel.note === undefined ? value : null),
        backgroundColor: panel.bars.map(({ color }) => color),
        borderRadius: 2,
        barPercentage: 0.86,
        categoryPercentage: 0.86,
        maxBarThickness: 72,
      }],
    },
    options: {
      animation: false,
      responsive: false,
      devicePixelRatio,
      locale: "en-US",
      layout: { padding: { right: 6, bottom: NAMES_GAP + heightOf(names, measure) } },
      plugins: {
        // Chart.js's registry is global: if another chart has registered a legend, this one would get it too.
        legend: { display: false },
        title: {
          display: true,
          text: panel.title,
          color: INK.text,
          font: font(19, 600),
          padding: { top: 0, bottom: 2 },
        },
        subtitle: {
          display: true,
          text: panel.subtitle,
          color: INK.muted,
          font: font(14.5, 400),
          padding: { top: 0, bottom: roomOver(panel, figureSize, upright) },
        },
        datalabels: {
          color: INK.text,
          font: font(figureSize, 500),
          // A rim in the paper's colour, where a grid line runs through a figure.
          textStrokeColor: INK.background,
          textStrokeWidth: 3,
          formatter: (value: number | null) => value === null ? "" : panel.format(value),
          clip: false,
          rotation: upright ? -90 : 0,
          anchor: "end",
          align: "end",
          // Over the error bar, if the bar has one.
          offset: ({ chart, dataIndex }) => errorBarHeight(chart, panel, dataIndex) + (upright ? 4 : 2),
        },
      },
      scales: {
        x: {
          grid: { display: false },
          border: { color: INK.axis },
          // Chart.js cuts long names, and puts upright ones of several lines off their bars' middle: drawn by hand.
          ticks: { display: false },
        },
        y: {
          type: panel.logarithmic ? "logarithmic" : "linear",
          display: panel.note === undefined,
          min: panel.range.min,
          max: panel.range.max,
          grid: { color: INK.grid, lineWidth: 1 },
          border: { display: false },
          title: { display: true, text: panel.axis, color: INK.muted, font: font(14.5, 500) },
          ticks: {
            color: INK.muted,
            font: font(13, 400),
            includeBounds: false,
            maxTicksLimit: 8,
            // Chart.js would round such values to 0.
            ...(panel.logarithmic && panel.range.min < 1e-4
              ? { callback: (value: number | string) => Number(value).toExponential(0) }
              : {}),
          },
          ...(panel.logarithmic ? { afterBuildTicks: roundTicks } : {}),
        },
      },
    },
    plugins: [datalabels as Plugin<"bar">, errorBars(panel), barNames(names), slotTexts(panel, upright, labelSize)],
  };
}

/** Least height of plots, points: names below them are long if figures stand upright. */
const LEAST_PLOT = { upright: 80, level: 150 };

/** Height, points, that figures and error bars need above the plot for bars that end near the axis's end. */
function roomOver({ bars, range, logarithmic, format }: BarPanel, size: number, upright: boolean): number {
  const scale = (value: number) => logarithmic ? Math.log(Math.max(value, range.min)) : value;
  const rooms = bars.map(({ value, deviation }) => {
    if (value === null) return 0;
    // Digits of the font are 0.62 of its size wide.
    const figure = upright ? 4 + 0.62 * size * format(value).length : 4 + 1.2 * size;
    const below = (scale(range.max) - scale(value + deviation)) / (scale(range.max) - scale(range.min));
    return figure - Math.max(0, below) * (upright ? LEAST_PLOT.upright : LEAST_PLOT.level);
  });
  return 8 + Math.max(0, ...rooms);
}

/** Ends of a bar's error bar on the canvas, points, cut at the plot's edges; null without an error bar. */
function errorBarEnds(chart: Chart, panel: BarPanel, index: number): { top: number; bottom: number } | null {
  const bar = panel.bars[index];
  if (bar === undefined || bar.value === null || !(bar.deviation > 0)) return null;
  const { top, bottom } = chart.chartArea;
  const place = (value: number) => Math.min(Math.max(pixelOf(chart, panel, value), top), bottom);
  return { top: place(bar.value + bar.deviation), bottom: place(bar.value - bar.deviation) };
}

/** Height on the canvas, points. A logarithmic axis has no place for zero and less: its lower end is used for them. */
function pixelOf(chart: Chart, panel: BarPanel, value: number): number {
  return chart.scales["y"]!.getPixelForValue(panel.logarithmic ? Math.max(value, panel.range.min) : value);
}

/** How far a bar's error bar extends above the bar's end, points. */
function errorBarHeight(chart: Chart, panel: BarPanel, index: number): number {
  const ends = errorBarEnds(chart, panel, index);
  return ends === null ? 0 : Math.max(0, pixelOf(chart, panel, panel.bars[index]!.value!) - ends.top);
}

/** Draws one standard deviation above and below every bar's end. */
function errorBars(panel: BarPanel): Plugin<"bar"> {
  return {
    id: "errorBars",
    afterDatasetsDraw(chart) {
      const { ctx } = chart;
      ctx.save();
      ctx.strokeStyle = INK.errorBar;
      ctx.lineWidth = 1.1;
      chart.getDatasetMeta(0).data.forEach((element, index) => {
        const ends = errorBarEnds(chart as Chart, panel, index);
        if (ends === null) return;
        const cap = Math.min(6, (element as BarElement).getProps(["width"]).width / 5);
        ctx.beginPath();
        ctx.moveTo(element.x, ends.top);
        ctx.lineTo(element.x, ends.bottom);
        // An end cut off at the plot's edge has no cap: the bar continues.
        for (const end of [ends.top, ends.bottom]) {
          if (end <= chart.chartArea.top || end >= chart.chartArea.bottom) continue;
          ctx.moveTo(element.x - cap, end);
          ctx.lineTo(element.x + cap, end);
        }
        ctx.stroke();
      });
      ctx.restore();
    },
  };
}

/** Writes the names under the bars, each around the middle of its bar. */
function barNames({ lines, size, upright }: FittedNames): Plugin<"bar"> {
  return {
    id: "barNames",
    afterDraw({ ctx, chartArea, scales }) {
      ctx.save();
      ctx.font = `400 ${size}px ${FONT_FAMILY}`;
      ctx.fillStyle = INK.text;
      ctx.textAlign = upright ? "right" : "center";
      ctx.textBaseline = upright ? "middle" : "top";
      lines.forEach((parts, index) => {
        ctx.save();
        ctx.translate(scales["x"]!.getPixelForValue(index), chartArea.bottom + NAMES_GAP);
        if (upright) ctx.rotate(-Math.PI / 2);
        parts.forEach((line, place) =>
          ctx.fillText(line, 0, (upright ? place - (parts.length - 1) / 2 : place) * size * LINE_HEIGHT)
        );
        ctx.restore();
      });
      ctx.restore();
    },
  };
}

/** Writes the reason into empty slots, and the panel's note. */
function slotTexts(panel: BarPanel, upright: boolean, size: number): Plugin<"bar"> {
  return {
    id: "slotTexts",
    afterDatasetsDraw(chart) {
      const { ctx, chartArea } = chart;
      ctx.save();
      if (panel.note !== undefined) {
        ctx.font = `400 16px ${FONT_FAMILY}`;
        ctx.fillStyle = INK.muted;
        ctx.textAlign = "center";
        ctx.textBaseline = "middle";
        ctx.fillText(panel.note, (chartArea.left + chartArea.right) / 2, (chartArea.top + chartArea.bottom) / 2);
      } else {
        ctx.font = `400 ${size}px ${FONT_FAMILY}`;
        ctx.fillStyle = INK.failed;
        panel.bars.forEach(({ value, missing }, index) => {
          if (value !== null || missing === undefined) return;
          ctx.save();
          ctx.translate(chart.scales["x"]!.getPixelForValue(index), chartArea.bottom - 6);
          if (upright) ctx.rotate(-Math.PI / 2);
          ctx.textAlign = upright ? "left" : "center";
          ctx.textBaseline = upright ? "middle" : "bottom";
          ctx.fillText(missing, 0, 0);
          ctx.restore();
        });
      }
      ctx.restore();
    },
  };
}
