import type { Plugin } from "chart.js";
import type { CanvasLibrary } from "./canvas.ts";
import { FONT_FAMILY } from "./font.ts";
import { type FrontierPoint, frontierPoints } from "./drawable.ts";
import { type HeldPoint, seriesIn } from "./held_points.ts";
import { drawLineLegend } from "./line_legend.ts";
import { INK, tinted } from "./palette.ts";
import { paretoOptimal } from "./pareto.ts";
import { drawPicture, HEADER_HEIGHT, MARGIN } from "./picture_page.ts";
import { type Box, placeLabels } from "./place_labels.ts";
import { placeOf, POINT_RADIUS, spreadChart } from "./spread_chart.ts";
import { type SpreadAxis, spreadAxis } from "./spread_axis.ts";
import { termsOf } from "./terms.ts";
import type { BenchmarkResults } from "../results/types.ts";

/** Font size of the labels, points. */
const LABEL_SIZE = 12;
/** Radius of the ring around a point of the frontier, points. */
const RING = POINT_RADIUS + 4;

/**
 * Draws speed over quality: the time per token over the mean KL divergence from the full cache, or over the perplexity
 * where the divergence was not measured. A point for each configuration with its size beside it, joined by method, with
 * intervals where they are known. Rings mark the points that no other beats in both. 4200 x 2520 pixels at 300 DPI; an
 * SVG file of the same name beside it.
 *
 * @param results A run's results.
 * @param path The PNG file. A reader never sees half of it.
 * @param library From {@linkcode loadCanvas}; loaded if left out, which needs --allow-ffi.
 * @throws {RangeError} If no method has several budgets with both figures.
 *
 * @example
 * ```ts
 * import { drawFrontier } from "./frontier.ts";
 * import { readResults } from "../results/results_file.ts";
 *
 * async function redraw(folder: string) {
 *   await drawFrontier(await readResults(folder), `${folder}/frontier.png`);
 * }
 * ```
 */
export async function drawFrontier(results: BenchmarkResults, path: string, library?: CanvasLibrary): Promise<void> {
  const { placed, by } = frontierPoints(results);
  if (placed.length === 0) {
    throw new RangeError("Cannot draw the frontier: no method has speed and quality at several budgets");
  }
  const x = spreadAxis(
    placed.map((point) => point.x),
    by === "kl" ? "Mean KL divergence from the full cache (nats)" : "Perplexity",
  );
  const y = spreadAxis(placed.map((point) => point.y), "TPOT (ms)");
  const hasIntervals = placed.some(({ x, y }) => x.low !== undefined || y.low !== undefined);
  const rings = "Ring: no other is as good in both";
  await drawPicture(path, { width: 14, height: 8.4 }, (page) => {
    page.drawHeader({
      title: "Frontier of speed and quality",
      subtitle: termsOf(results),
      note: hasIntervals ? `${rings}  ·  Bars: intervals` : rings,
      legend: [],
    });
    let top = HEADER_HEIGHT - 4;
    const lines = seriesIn(placed);
    page.paint((context) => {
      const entries = lines.map((line) =>
        line.points[0]!.role === "baseline" ? { ...line, label: "full cache" } : line
      );
      top += 12 + drawLineLegend(context, entries, { x: MARGIN, y: top, width: page.width - 2 * MARGIN });
    });
    const box = { x: MARGIN, y: top, width: page.width - 2 * MARGIN, height: page.height - top - 20 };
    page.place(box, (ratio) => spreadChart({ title: "", x, y, lines, plugins: [frontier(placed, x, y)] }, ratio));
  }, library);
}

/** Chart.js's axes. */
type Scales = Record<string, { getPixelForValue(value: number): number }>;

/** Draws the frontier under the points, rings around its points, and the labels. */
function frontier(points: readonly FrontierPoint[], xAxis: SpreadAxis, yAxis: SpreadAxis): Plugin<"line"> {
  const best = paretoOptimal(points.map(({ x, y }) => ({ x: x.value, y: y.value })));
  return {
    id: "frontier",
    beforeDatasetsDraw({ ctx, scales, chartArea }) {
      const front = points.filter((_, index) => best[index]).sort((a, b) => a.x.value - b.x.value)
        .map((point) => placeIn(scales, point));
      ctx.save();
      ctx.strokeStyle = INK.axis;
      ctx.lineWidth = 1.4;
      ctx.setLineDash([1, 4]);
      ctx.beginPath();
      // What the frontier beats is above and to the right of its steps.
      front.forEach(({ x, y }, index) => {
        if (index === 0) ctx.moveTo(x, chartArea.top);
        else ctx.lineTo(x, front[index - 1]!.y);
        ctx.lineTo(x, y);
      });
      if (front.length > 0) ctx.lineTo(chartArea.right, front.at(-1)!.y);
      ctx.stroke();
      ctx.restore();
    },
    afterDatasetsDraw({ ctx, scales, chartArea }) {
      ctx.save();
      ctx.strokeStyle = INK.text;
      ctx.lineWidth = 1.6;
      const order = points.map((point, index) => ({ point, best: best[index]! })).sort((a, b) =>
        Number(b.best) - Number(a.best)
      );
      const fontOf = (best: boolean) => `${best ? 600 : 400} ${LABEL_SIZE}px ${FONT_FAMILY}`;
      const labels = order.map(({ point, best }) => {
        const { x, y } = placeIn(scales, point);
        if (best) {
          ctx.beginPath();
          ctx.arc(x, y, RING, 0, 2 * Math.PI);
          ctx.stroke();
        }
        ctx.font = fontOf(best);
        return { x, y, width: ctx.measureText(labelOf(point)).width + 2, height: LABEL_SIZE * 1.1 };
      });
      const { left, top, right, bottom } = chartArea;
      const bounds = { x: left, y: top - 8, width: right - left + 8, height: bottom - top + 8 };
      ctx.textAlign = "left";
      ctx.textBaseline = "middle";
      ctx.lineWidth = 3;
      placeLabels(labels, { bounds, distance: RING + 1.5, lines: inkOf(scales) }).forEach((box, index) => {
        if (box === undefined) return;
        const { point, best } = order[index]!;
        ctx.font = fontOf(best);
        // A rim in the paper's colour, where lines run below.
        ctx.strokeStyle = INK.background;
        ctx.strokeText(labelOf(point), box.x + 1, box.y + box.height / 2);
        ctx.fillStyle = tinted(point.look.color, -0.35);
        ctx.fillText(labelOf(point), box.x + 1, box.y + box.height / 2);
      });
      ctx.restore();
    },
  };

  /** What is drawn between points, as small boxes: intervals, and lines between the points of a method. */
  function inkOf(scales: Scales): Box[] {
    const boxes = points.flatMap(({ x, y }) => {
      const left = scales["x"]!.getPixelForValue(placeOf(xAxis, x.low ?? x.value));
      const right = scales["x"]!.getPixelForValue(placeOf(xAxis, x.high ?? x.value));
      const top = scales["y"]!.getPixelForValue(placeOf(yAxis, y.high ?? y.value));
      const bottom = scales["y"]!.getPixelForValue(placeOf(yAxis, y.low ?? y.value));
      const at = placeIn(scales, { x, y });
      return [{ x: left, y: at.y - 3, width: right - left, height: 6 }, {
        x: at.x - 3,
        y: top,
        width: 6,
        height: bottom - top,
      }];
    });
    for (const { points: joined } of seriesIn(points)) {
      joined.slice(1).forEach((point, index) => {
        const [from, to] = [placeIn(scales, joined[index]!), placeIn(scales, point)];
        const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 4);
        for (let step = 0; step < steps; step++) {
          const [x, y] = [from.x + (to.x - from.x) * step / steps, from.y + (to.y - from.y) * step / steps];
          boxes.push({ x: x - 1, y: y - 1, width: 2, height: 2 });
        }
      });
    }
    return boxes;
  }

  function placeIn(scales: Scales, { x, y }: Pick<FrontierPoint, "x" | "y">) {
    return {
      x: scales["x"]!.getPixelForValue(placeOf(xAxis, x.value)),
      y: scales["y"]!.getPixelForValue(placeOf(yAxis, y.value)),
    };
  }
}

/** A point's label: its size, which its line does not say. */
function labelOf({ role, size, name }: HeldPoint): string {
  return role === "baseline" ? "full cache" : size || name;
}
