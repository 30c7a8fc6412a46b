/// <reference lib="dom" />
import type { Plugin } from "chart.js";
import { paretoOptimal } from "../../../report/charts/pareto.ts";
import { type SpreadAxis, spreadAxis } from "../../../report/charts/spread_axis.ts";
import { significant } from "../../../report/tables/significant.ts";
import type { Packed, PageData } from "../page_data.ts";
import { type ChartPoint, type LineConfiguration, showChart } from "./chart.ts";
import { type Cost, frontierLines, type FrontierPoint, frontierPoints, type Quality } from "./frontier_points.ts";
import { intervals } from "./intervals.ts";
import { pointLabels } from "./labels.ts";
import { lineStyle } from "./line_style.ts";
import { writeLegend } from "./legend.ts";
import { byId } from "./parts.ts";
import { placeOn, scaleOf } from "./scale.ts";
import { currentTheme, type Theme } from "./theme.ts";

const QUALITIES: Readonly<Record<Quality, string>> = { kl: "Mean KL divergence (nats)", ppl: "Perplexity" };
const COSTS: Readonly<Record<Cost, string>> = { cache: "Bytes held (MiB)", tpot: "TPOT (ms)" };
/** Marks a label whose time is to be doubted, as in the suite's tables. */
const DOUBT = " !";

/**
 * Draws both frontiers, and again when the group, the figure, the lines shown or the colours change.
 *
 * @returns Draws them for the group of this index.
 *
 * @example
 * ```ts
 * import { startFrontier } from "./frontier.ts";
 * import { readData } from "./parts.ts";
 *
 * const start = () => startFrontier(readData())(0);
 * ```
 */
export function startFrontier({ cells, looks }: PageData): (group: number) => void {
  const hidden = new Set<string>();
  const legend = byId("frontier-legend", HTMLUListElement);
  const choice = byId("quality", HTMLSelectElement);
  let shown = 0;
  choice.addEventListener("input", () => draw(shown));
  return draw;

  function draw(group: number): void {
    const isOther = group !== shown;
    shown = group;
    if (isOther || choice.value === "") choice.value = has("kl") ? "kl" : "ppl";
    for (const option of choice.options) option.disabled = !has(option.value as Quality);
    const quality = choice.value as Quality;
    const theme = currentTheme();
    const lines = (["cache", "tpot"] as const).flatMap((cost) =>
      frontierPoints(cells, { group, quality, cost, hidden: new Set() })
    );
    byId("frontier-none", HTMLParagraphElement).hidden = lines.length > 0;
    byId("frontier-shown", HTMLDivElement).hidden = lines.length === 0;
    const entries = new Map(lines.map(({ cell }) => [cell.series, looks[cell.look]!]));
    writeLegend(legend, [...entries].map(([label, look]) => ({ label, look })), hidden, theme, () => draw(group));
    for (const cost of ["cache", "tpot"] as const) {
      const points = frontierPoints(cells, { group, quality, cost, hidden });
      const canvas = byId(`frontier-${cost}`, HTMLCanvasElement);
      canvas.closest("figure")!.hidden =
        frontierPoints(cells, { group, quality, cost, hidden: new Set() }).length === 0;
      canvas.ariaLabel = describe(points, quality, cost);
      showChart(canvas, configuration(points, quality, cost, theme));
    }

    function has(figure: Quality): boolean {
      return cells.some((cell) => cell.group === group && cell.newest && cell.spreads[figure] !== undefined);
    }
  }

  function configuration(points: FrontierPoint[], quality: Quality, cost: Cost, theme: Theme): LineConfiguration {
    const x = spreadAxis(points.map((point) => spread(point.cost)), COSTS[cost]);
    const y = spreadAxis(points.map((point) => spread(point.quality)), QUALITIES[quality]);
    const place = (point: FrontierPoint) => ({ x: placeOn(x, point.cost[0]), y: placeOn(y, point.quality[0]) });
    const best = paretoOptimal(points.map(({ cost, quality }) => ({ x: cost[0], y: quality[0] })));
    const front = points.filter((_, index) => best[index]);
    const lines = frontierLines(points);
    const rimOf = (point: FrontierPoint) => lineStyle(looks[point.cell.look]!, theme).rim;
    return {
      type: "line",
      data: {
        datasets: lines.map((line) => ({ data: line.map(place), ...lineStyle(looks[line[0]!.cell.look]!, theme) })),
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "nearest", intersect: true },
        scales: { x: scaleOf(x, theme), y: scaleOf(y, theme) },
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: (items) => items.map((item) => lines[item.datasetIndex]![item.dataIndex]!.cell.name),
              label: (item) => tell(lines[item.datasetIndex]![item.dataIndex]!, quality, cost),
            },
          },
        },
      },
      plugins: [
        intervals(points.map((point) => ({
          ...place(point),
          acrossX: ends(point.cost, x),
          acrossY: ends(point.quality, y),
          color: rimOf(point),
        }))),
        frontLine(front.map(place), theme),
        pointLabels(
          [...points.keys()].sort((a, b) => Number(best[b]) - Number(best[a])).map((index) => {
            const { cell } = points[index]!;
            const doubt = cost === "tpot" && cell.marks.length > 0 ? DOUBT : "";
            const text = (cell.role === "baseline" ? "full cache" : cell.size || cell.name) + doubt;
            return { ...place(points[index]!), text, color: rimOf(points[index]!), isBold: best[index]! };
          }),
          theme,
        ),
      ],
    };
  }
}

/** A dotted line of steps below everything that a point of the frontier beats, and rings around its points. */
function frontLine(front: readonly ChartPoint[], theme: Theme): Plugin<"line"> {
  return {
    id: "front",
    beforeDatasetsDraw({ ctx, scales, chartArea }) {
      const places = front
        .map(({ x, y }) => ({ x: scales["x"]!.getPixelForValue(x), y: scales["y"]!.getPixelForValue(y) }))
        .sort((a, b) => a.x - b.x || b.y - a.y);
      ctx.save();
      ctx.strokeStyle = theme.muted;
      ctx.setLineDash([2, 4]);
      ctx.beginPath();
      places.forEach(({ x, y }, index) => {
        if (index === 0) ctx.moveTo(x, chartArea.top);
        else ctx.lineTo(x, places[index - 1]!.y);
        ctx.lineTo(x, y);
      });
      if (places.length > 0) ctx.lineTo(chartArea.right, places.at(-1)!.y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.strokeStyle = theme.text;
      for (const { x, y } of places) {
        ctx.beginPath();
        ctx.arc(x, y, 9, 0, 2 * Math.PI);
        ctx.stroke();
      }
      ctx.restore();
    },
  };
}

function spread([value, low, high]: Packed) {
  return low === undefined || high === undefined ? { value } : { value, low, high };
}

function ends([, low, high]: Packed, axis: SpreadAxis): readonly [low: number, high: number] | undefined {
  return low === undefined || high === undefined ? undefined : [placeOn(axis, low), placeOn(axis, high)];
}

function figure(name: string, [value, low, high]: Packed): string {
  const text = (value: number) => significant(value, 4);
  return `${name}: ${text(value)}${low === undefined || high === undefined ? "" : ` [${text(low)}, ${text(high)}]`}`;
}

function tell({ cell, cost, quality }: FrontierPoint, by: Quality, over: Cost): string[] {
  const marks = cell.marks.length === 0 ? [] : [`Times to be doubted: ${cell.marks.join(", ")}`];
  const run = `${cell.time.slice(0, 16)}, terms T${cell.terms + 1}`;
  return [figure(QUALITIES[by], quality), figure(COSTS[over], cost), ...marks, run];
}

function describe(points: readonly FrontierPoint[], quality: Quality, cost: Cost): string {
  const best = paretoOptimal(points.map(({ cost, quality }) => ({ x: cost[0], y: quality[0] })));
  const names = points.filter((_, index) => best[index]).map(({ cell }) => cell.name).join(", ");
  return `${QUALITIES[quality]} over ${COSTS[cost]}, ${points.length} configurations. On the frontier: ${
    names || "none"
  }. The table of cells has all figures.`;
}
