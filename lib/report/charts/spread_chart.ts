import { Chart, type ChartConfiguration, LinearScale, LineController, LineElement, LogarithmicScale } from "chart.js";
import { type Plugin, PointElement, Title } from "chart.js";
import { FONT_FAMILY } from "./font.ts";
import type { Spread } from "./held_points.ts";
import type { Look } from "./method_looks.ts";
import { INK } from "./palette.ts";
import type { SpreadAxis } from "./spread_axis.ts";

Chart.register(LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Title);

/** A line of figures with intervals. */
export interface SpreadLine {
  look: Look;
  /** In the order in which they are joined. */
  points: readonly { x: Spread; y: Spread }[];
}

/** A chart of such lines. */
export interface SpreadChart {
  /** Above it; "" for none. */
  title: string;
  x: SpreadAxis;
  y: SpreadAxis;
  lines: readonly SpreadLine[];
  /** What else to draw. */
  plugins?: readonly Plugin<"line">[];
}

/** Radius of a point, points. */
export const POINT_RADIUS = 5.5;

/**
 * Configures Chart.js for lines of figures with intervals.
 *
 * @param chart What to draw.
 * @param devicePixelRatio Pixels per point.
 * @returns The configuration for `new Chart(canvas, …)`.
 *
 * @example
 * ```ts
 * import { spreadAxis } from "./spread_axis.ts";
 * import { spreadChart } from "./spread_chart.ts";
 *
 * const axis = spreadAxis([{ value: 1 }, { value: 2 }], "ms");
 * console.log(spreadChart({ title: "", x: axis, y: axis, lines: [] }, 1).type); // "line"
 * ```
 */
export function spreadChart(
  { title, x, y, lines, plugins = [] }: SpreadChart,
  devicePixelRatio: number,
): ChartConfiguration<"line"> {
  const font = (size: number, weight: number) => ({ family: FONT_FAMILY, size, weight });
  return {
    type: "line",
    data: {
      datasets: lines.map(({ look, points }) => ({
        data: points.map((point) => ({ x: placeOf(x, point.x.value), y: placeOf(y, point.y.value) })),
        borderColor: look.color,
        borderDash: [...look.dash],
        borderWidth: 1.8,
        borderJoinStyle: "round",
        pointStyle: look.marker.style,
        pointRotation: look.marker.rotation,
        pointRadius: POINT_RADIUS,
        pointBorderWidth: 1.8,
        pointBackgroundColor: look.marker.hollow ? INK.background : look.color,
        pointBorderColor: look.color,
        clip: false,
      })),
    },
    options: {
      animation: false,
      responsive: false,
      devicePixelRatio,
      locale: "en-US",
      parsing: false,
      normalized: true,
      layout: { padding: { right: 10, top: 4 } },
      plugins: {
        legend: { display: false },
        subtitle: { display: false },
        title: { display: title !== "", text: title, color: INK.text, font: font(17, 600), padding: { bottom: 12 } },
      },
      scales: {
        x: { ...scaleOf(x), grid: { color: INK.grid, lineWidth: 1 }, border: { color: INK.axis } },
        y: { ...scaleOf(y), grid: { color: INK.grid, lineWidth: 1 }, border: { display: false } },
      },
    },
    plugins: [intervals(x, y, lines), ...plugins],
  };

  function scaleOf(axis: SpreadAxis) {
    const labels = new Map(axis.ticks?.map(({ value, label }) => [value, label]));
    return {
      type: axis.logarithmic ? "logarithmic" as const : "linear" as const,
      min: axis.min,
      max: axis.max,
      title: { display: true, text: axis.title, color: INK.muted, font: font(14, 500) },
      ticks: {
        color: INK.muted,
        font: font(13, 400),
        includeBounds: false,
        maxTicksLimit: 8,
        ...(axis.ticks ? { callback: (value: number | string) => labels.get(Number(value)) ?? "" } : {}),
      },
      ...(axis.ticks
        ? {
          afterBuildTicks: (scale: { ticks: { value: number }[] }) =>
            void (scale.ticks = axis.ticks!.map(({ value }) => ({ value }))),
        }
        : {}),
    };
  }
}

/**
 * Returns where a figure stands on an axis, in the axis's unit.
 *
 * @param axis The axis.
 * @param value The figure.
 * @returns The figure within the axis; the place for zeros if it is one on a logarithmic axis.
 *
 * @example
 * ```ts
 * import { placeOf } from "./spread_chart.ts";
 *
 * console.log(placeOf({ title: "", logarithmic: true, min: 0.01, max: 1, zero: 0.02 }, 0)); // 0.02
 * ```
 */
export function placeOf({ logarithmic, min, max, zero }: SpreadAxis, value: number): number {
  if (logarithmic && value <= 0) return zero ?? min;
  return Math.min(Math.max(value, min), max);
}

/** Draws intervals as bars with caps, across the points. An end beyond the axis has no cap. */
function intervals(x: SpreadAxis, y: SpreadAxis, lines: readonly SpreadLine[]): Plugin<"line"> {
  return {
    id: "intervals",
    beforeDatasetsDraw({ ctx, scales }) {
      ctx.save();
      ctx.lineWidth = 1.3;
      ctx.globalAlpha = 0.8;
      for (const { look, points } of lines) {
        ctx.strokeStyle = look.color;
        for (const point of points) {
          const at = {
            x: scales["x"]!.getPixelForValue(placeOf(x, point.x.value)),
            y: scales["y"]!.getPixelForValue(placeOf(y, point.y.value)),
          };
          for (const [name, axis, across] of [["x", x, "y"], ["y", y, "x"]] as const) {
            const { low, high } = point[name];
            if (low === undefined || high === undefined) continue;
            ctx.beginPath();
            const ends = [low, high].map((end) => scales[name]!.getPixelForValue(placeOf(axis, end)));
            const draw = (from: [number, number], to: [number, number]) => {
              ctx.moveTo(...(across === "x" ? [from[1], from[0]] : from) as [number, number]);
              ctx.lineTo(...(across === "x" ? [to[1], to[0]] : to) as [number, number]);
            };
            draw([ends[0]!, at[across]], [ends[1]!, at[across]]);
            [low, high].forEach((end, index) => {
              if (end < axis.min || end > axis.max) return;
              draw([ends[index]!, at[across] - 4], [ends[index]!, at[across] + 4]);
            });
            ctx.stroke();
          }
        }
      }
      ctx.restore();
    },
  };
}
