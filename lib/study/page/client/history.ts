/// <reference lib="dom" />
import type { Plugin } from "chart.js";
import { spreadAxis } from "../../../report/charts/spread_axis.ts";
import { signed } from "../../../report/tables/interval_text.ts";
import { FIGURE_NAMES, type FigureName, figureOf, titleOf } from "../figures.ts";
import type { Packed, PageData } from "../page_data.ts";
import { type LineConfiguration, showChart } from "./chart.ts";
import { commitChanges, type HistoryLine, historyLines, type HistoryPoint, type Metric } from "./history_points.ts";
import { intervals } from "./intervals.ts";
import { pointLabels } from "./labels.ts";
import { lineStyle } from "./line_style.ts";
import { writeLegend } from "./legend.ts";
import { byId, element } from "./parts.ts";
import { placeOn, scaleOf } from "./scale.ts";
import { currentTheme, type Theme } from "./theme.ts";

/** After a figure's name: its change against the baseline. */
const CHANGE = ":change";
const FIRST = "tpot";
/** Room before the first run and after the last one, where labels go, as shares of the time between. */
const LEFT = 0.03, RIGHT = 0.15;

/**
 * Draws the history of a figure, and again when the group, the figure, the lines shown or the colours change.
 *
 * @returns Draws it for the group of this index.
 *
 * @example
 * ```ts
 * import { startHistory } from "./history.ts";
 * import { readData } from "./parts.ts";
 *
 * const start = () => startHistory(readData())(0);
 * ```
 */
export function startHistory({ cells, looks }: PageData): (group: number) => void {
  const hidden = new Set<string>();
  const choice = byId("metric", HTMLSelectElement);
  const legend = byId("history-legend", HTMLUListElement);
  const canvas = byId("history-chart", HTMLCanvasElement);
  const table = byId("history-table", HTMLTableElement);
  let shown = 0;
  const metrics = FIGURE_NAMES.flatMap((figure): Metric[] => [
    ...cells.some(({ figures }) => figures[figure] !== undefined) ? [{ figure, isChange: false }] : [],
    ...cells.some(({ changes }) => changes[figure] !== undefined) ? [{ figure, isChange: true }] : [],
  ]);
  choice.append(...metrics.map((metric) => new Option(titleOfMetric(metric), valueOf(metric))));
  const first = metrics.find(({ figure }) => figure === FIRST) ?? metrics[0];
  if (first !== undefined) choice.value = valueOf(first);
  choice.addEventListener("input", () => draw(shown));
  return draw;

  function draw(group: number): void {
    shown = group;
    const metric = metricOf(choice.value);
    const isOnce = metrics.every((metric) => historyLines(cells, group, metric).length === 0);
    byId("history-none", HTMLParagraphElement).hidden = !isOnce;
    byId("history-shown", HTMLDivElement).hidden = isOnce;
    if (isOnce) return;
    const theme = currentTheme();
    const all = historyLines(cells, group, metric);
    const entries = new Map(all.map(({ points: [first] }) => [first!.cell.series, looks[first!.cell.look]!]));
    writeLegend(legend, [...entries].map(([label, look]) => ({ label, look })), hidden, theme, () => draw(group));
    const lines = all.filter(({ points }) => !hidden.has(points[0]!.cell.series));
    canvas.ariaLabel = `${titleOfMetric(metric)} over time, ${lines.length} lines; the table below has its figures`;
    showChart(canvas, configuration(lines, metric, theme));
    fill(lines, metric);
  }

  function configuration(lines: HistoryLine[], metric: Metric, theme: Theme): LineConfiguration {
    const points = lines.flatMap(({ points }) => points);
    const y = metric.isChange
      ? linear(points, titleOfMetric(metric))
      : spreadAxis(points.map(({ figure }) => spread(figure)), titleOfMetric(metric));
    const times = points.map(({ at }) => at);
    const [from, to] = [Math.min(...times), Math.max(...times)];
    const span = { title: "", logarithmic: false, min: from - LEFT * (to - from), max: to + RIGHT * (to - from) };
    const place = ({ at, figure }: HistoryPoint) => ({ x: at, y: placeOn(y, figure[0]) });
    const style = ({ points }: HistoryLine) => lineStyle(looks[points[0]!.cell.look]!, theme);
    return {
      type: "line",
      data: { datasets: lines.map((line) => ({ data: line.points.map(place), ...style(line), pointRadius: 4 })) },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "nearest", intersect: true },
        scales: { x: dates(scaleOf(span, theme), from, to), y: scaleOf(y, theme, metric.isChange) },
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: (items) => items.map(({ datasetIndex }) => lines[datasetIndex]!.label),
              label: (item) => tell(lines[item.datasetIndex]!.points[item.dataIndex]!, metric),
            },
          },
        },
      },
      plugins: [
        commitLines(commitChanges(points), theme),
        intervals(lines.flatMap((line) =>
          line.points.map((point) => ({
            ...place(point),
            ...(point.figure.length === 3
              ? { acrossY: [placeOn(y, point.figure[1]), placeOn(y, point.figure[2])] as const }
              : {}),
            color: style(line).rim,
          }))
        )),
        pointLabels(
          lines.map((line) => ({ ...place(line.points.at(-1)!), text: line.label, color: style(line).rim })),
          theme,
        ),
      ],
    };
  }

  /** Writes the figures as a table. */
  function fill(lines: readonly HistoryLine[], metric: Metric): void {
    byId("history-caption", HTMLElement).textContent = titleOfMetric(metric);
    table.tBodies[0]!.replaceChildren(
      ...lines.flatMap(({ label, points }) =>
        points.map(({ cell, figure }) => {
          const link = element("a", `T${cell.terms + 1}`);
          link.href = `#t${cell.terms + 1}`;
          const name = element("th", label);
          name.scope = "row";
          return element(
            "tr",
            "",
            name,
            element("td", cell.time.slice(0, 16)),
            element("td", textOf(figure, metric)),
            element("td", cell.commit || "unknown"),
            element("td", cell.host || "unknown"),
            element("td", cell.marks.join(", ")),
            element("td", "", link),
          );
        })
      ),
    );
  }
}

const valueOf = ({ figure, isChange }: Metric) => figure + (isChange ? CHANGE : "");

const metricOf = (value: string): Metric => ({
  figure: value.replace(CHANGE, "") as FigureName,
  isChange: value.endsWith(CHANGE),
});

const titleOfMetric = ({ figure, isChange }: Metric) =>
  isChange ? `${figureOf(figure).title}, change against the baseline (${figureOf(figure).change})` : titleOf(figure);

const spread = ([value, low, high]: Packed) =>
  low === undefined || high === undefined ? { value } : { value, low, high };

/** Changes are negative, too: their axis has no logarithm. */
function linear(points: readonly HistoryPoint[], title: string) {
  const ends = points.flatMap(({ figure }) => [...figure]).concat(0);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const rim = 0.08 * (high - low || 1);
  return { title, logarithmic: false, min: low - rim, max: high + rim };
}

function textOf([value, low, high]: Packed, { figure, isChange }: Metric): string {
  const text = isChange ? (value: number) => signed(value, 2) : figureOf(figure).text;
  return low === undefined || high === undefined ? text(value) : `${text(value)} [${text(low)}, ${text(high)}]`;
}

function tell(point: HistoryPoint, metric: Metric): string[] {
  const { time, commit, host, marks, terms } = point.cell;
  return [
    `${titleOfMetric(metric)}: ${textOf(point.figure, metric)}`,
    `${time.slice(0, 16)}, commit ${commit || "unknown"}${host === "" ? "" : `, ${host}`}, terms T${terms + 1}`,
    ...(marks.length === 0 ? [] : [`Times to be doubted: ${marks.join(", ")}`]),
  ];
}

/** Turns a linear scale into one of dates; of times, where all is of two days. */
function dates(scale: ReturnType<typeof scaleOf>, from: number, to: number) {
  const isShort = to - from < 2 * 86_400_000;
  const text = (at: number) => {
    const date = new Date(at).toISOString();
    return isShort ? date.slice(5, 16).replace("T", " ") : date.slice(0, 10);
  };
  return { ...scale, ticks: { ...scale.ticks, maxTicksLimit: 6, callback: (at: string | number) => text(Number(at)) } };
}

/** Dashed lines where the commit changed, with its first digits. */
function commitLines(changes: readonly { at: number; commit: string }[], theme: Theme): Plugin<"line"> {
  return {
    id: "commits",
    beforeDatasetsDraw({ ctx, scales, chartArea: { top, bottom } }) {
      ctx.save();
      ctx.strokeStyle = theme.muted;
      ctx.fillStyle = theme.muted;
      ctx.font = "11px ui-monospace, monospace";
      ctx.textBaseline = "top";
      ctx.setLineDash([4, 4]);
      let free = -Infinity;
      for (const { at, commit } of changes) {
        const x = scales["x"]!.getPixelForValue(at);
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x, bottom);
        ctx.stroke();
        const text = commit.slice(0, 7);
        if (x < free) continue;
        ctx.fillText(text, x + 3, top + 2);
        free = x + ctx.measureText(text).width + 8;
      }
      ctx.restore();
    },
  };
}
