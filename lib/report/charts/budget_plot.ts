import type { Plugin } from "chart.js";
import type { CanvasLibrary } from "./canvas.ts";
import { FONT_FAMILY } from "./font.ts";
import { type BudgetFigure, budgetFigures } from "./drawable.ts";
import { type HeldPoint, heldPoints, seriesIn, type Spread } from "./held_points.ts";
import { drawLineLegend } from "./line_legend.ts";
import { FULL_CACHE_COLOR } from "./method_looks.ts";
import { INK } from "./palette.ts";
import { drawPicture, HEADER_HEIGHT, MARGIN } from "./picture_page.ts";
import { placeOf, type SpreadChart, spreadChart } from "./spread_chart.ts";
import { type SpreadAxis, spreadAxis } from "./spread_axis.ts";
import { termsOf } from "./terms.ts";
import type { BenchmarkResults } from "../results/types.ts";

/** Distance between the panels, points. */
const GAP = 26;
/** Ratio of the largest to the smallest share above which its axis is logarithmic. */
const SHARES_LOGARITHMIC_FROM = 3;

/**
 * Draws the quality over the share of the cache that is held: the mean KL divergence from the full cache, and the
 * perplexity. A line for each method and for the control, a point for each configuration, with intervals where they are
 * known. 4200 x 2400 pixels at 300 DPI, and an SVG file of the same name.
 *
 * @param results A run's results.
 * @param path The PNG file. A reader never sees half of it.
 * @param library From {@linkcode loadCanvas}; loaded if left out, which needs --allow-ffi.
 * @throws {RangeError} If no method has several budgets.
 *
 * @example
 * ```ts
 * import { drawBudget } from "./budget_plot.ts";
 * import { readResults } from "../results/results_file.ts";
 *
 * async function redraw(folder: string) {
 *   await drawBudget(await readResults(folder), `${folder}/quality_over_budget.png`);
 * }
 * ```
 */
export async function drawBudget(results: BenchmarkResults, path: string, library?: CanvasLibrary): Promise<void> {
  const points = heldPoints(results);
  const figures = budgetFigures(points);
  if (figures.length === 0) throw new RangeError("Cannot draw quality over budget: no method has several budgets");
  const known = results.configurations.every(({ name, method, held }) =>
    method === "baseline" || held !== undefined || results.aggregated_stats[name] === undefined
  );
  const charts = figures.map((figure) => chartOf(figure, points, known));
  const shown = points.filter((point) => isShown(point) && figures.some((figure) => point[figure] !== undefined));
  const confidence = confidenceNote(results, figures);
  await drawPicture(path, { width: 14, height: 8 }, (page) => {
    page.drawHeader({
      title: "Quality over the size of the cache",
      subtitle: termsOf(results),
      note: confidence,
      legend: [],
    });
    let top = HEADER_HEIGHT - 4;
    page.paint((context) => {
      top += 12 + drawLineLegend(context, seriesIn(shown), { x: MARGIN, y: top, width: page.width - 2 * MARGIN });
    });
    const width = (page.width - 2 * MARGIN - (charts.length - 1) * GAP) / charts.length;
    charts.forEach((chart, index) => {
      const box = { x: MARGIN + index * (width + GAP), y: top, width, height: page.height - top - 20 };
      page.place(box, (ratio) => spreadChart(chart, ratio));
    });
  }, library);
}

/** Whether a point is on a line: the full cache is not. */
function isShown({ role, share }: HeldPoint): boolean {
  return role !== "baseline" && share !== undefined;
}

function chartOf(figure: BudgetFigure, points: readonly HeldPoint[], isMean: boolean): SpreadChart {
  const shown = points.filter((point) => isShown(point) && point[figure] !== undefined);
  const full = points.find(({ role }) => role === "baseline")?.ppl;
  const percent = ({ share }: HeldPoint): Spread => ({ value: 100 * share! });
  const x = spreadAxis(
    shown.map(percent),
    `Share of the full cache held, ${isMean ? "mean over the text" : "at the end"} (%)`,
    { logarithmicFrom: SHARES_LOGARITHMIC_FROM },
  );
  const figures = shown.map((point) => point[figure]!);
  const y = figure === "kl"
    ? spreadAxis(figures, "Mean KL divergence (nats)", { fromZero: true })
    : spreadAxis(full === undefined ? figures : [...figures, full], "Perplexity");
  return {
    title: figure === "kl" ? "Distance from the full cache" : "Perplexity",
    x,
    y,
    lines: seriesIn(shown).map(({ look, points }) => ({
      look,
      points: points.map((point) => ({ x: percent(point), y: point[figure]! })).sort((a, b) => a.x.value - b.x.value),
    })),
    ...(figure === "ppl" && full !== undefined ? { plugins: [fullCache(full.value, y)] } : {}),
  };
}

/** Draws the full cache's perplexity as a line across the panel. */
function fullCache(perplexity: number, axis: SpreadAxis): Plugin<"line"> {
  return {
    id: "fullCache",
    beforeDatasetsDraw({ ctx, chartArea, scales }) {
      const y = scales["y"]!.getPixelForValue(placeOf(axis, perplexity));
      ctx.save();
      ctx.strokeStyle = FULL_CACHE_COLOR;
      ctx.lineWidth = 1.6;
      ctx.setLineDash([8, 5]);
      ctx.beginPath();
      ctx.moveTo(chartArea.left, y);
      ctx.lineTo(chartArea.right, y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.font = `500 12.5px ${FONT_FAMILY}`;
      ctx.fillStyle = INK.text;
      ctx.textAlign = "right";
      // Perplexity is seldom better than the full cache's: below the line there is room.
      const below = y + 20 < chartArea.bottom;
      ctx.textBaseline = below ? "top" : "bottom";
      ctx.fillText("full cache", chartArea.right - 4, y + (below ? 5 : -5));
      ctx.restore();
    },
  };
}

/** Says what intervals are drawn, if any. */
function confidenceNote(
  { comparisons = {}, divergence = {} }: BenchmarkResults,
  figures: readonly BudgetFigure[],
): string {
  const found = [
    ...(figures.includes("kl") ? Object.values(divergence).map(({ mean_kl }) => mean_kl.confidence) : []),
    ...(figures.includes("ppl")
      ? Object.values(comparisons).flatMap(({ quality }) => quality?.ln_ppl_ratio.confidence ?? [])
      : []),
  ];
  const shares = [...new Set(found)].map((share) => `${Math.round(1000 * share) / 10} %`);
  return shares.length === 0 ? "" : `Bars: ${shares.join(" and ")} intervals`;
}
