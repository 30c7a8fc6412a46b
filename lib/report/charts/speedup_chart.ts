import type { Plugin } from "chart.js";
import type { CanvasLibrary } from "./canvas.ts";
import type { Spread } from "./held_points.ts";
import { drawLineLegend } from "./line_legend.ts";
import { type Look, seriesLooks } from "./method_looks.ts";
import { INK } from "./palette.ts";
import { drawPicture, HEADER_HEIGHT, MARGIN } from "./picture_page.ts";
import { type SpreadAxis, spreadAxis } from "./spread_axis.ts";
import { placeOf, spreadChart } from "./spread_chart.ts";
import { modelFileName } from "../results/results_folder.ts";
import type { SpeedupResults } from "../results/speculative_reader.ts";

/** A line of the picture: a draft at its best gamma. */
export interface SpeedupLine {
  readonly label: string;
  readonly look: Look;
  /** Speed-up over tokens of context. */
  readonly points: readonly { readonly x: Spread; readonly y: Spread }[];
}

/**
 * Returns a line for each draft: at each length the speed-up at the gamma that is best there.
 *
 * @param results A run's results.
 *
 * @example
 * ```ts
 * import { speedupLines } from "./speedup_chart.ts";
 *
 * const speedup = { estimate: 1.2, low: 1.1, high: 1.3, confidence: 0.95 };
 * const lines = speedupLines([{ name: "ngram gamma 4", draft: "ngram", length: 512, speedup }]);
 * console.log(lines[0]?.label, lines[0]?.points[0]?.y.value); // ngram 1.2
 * ```
 */
export function speedupLines(results: SpeedupResults["rows"]): SpeedupLine[] {
  const drafted = results.filter(({ speedup }) => speedup !== null && Number.isFinite(speedup.estimate));
  const groups = [...Map.groupBy(drafted, ({ draft }) => draft ?? "")];
  const looks = seriesLooks(groups.map(([draft]) => ({ name: draft, method: methodOf(draft) })));
  return groups.map(([draft, rows], i) => {
    const byLength = Map.groupBy(rows, ({ length }) => length);
    const best = [...byLength.values()].map((own) =>
      own.reduce((best, row) => row.speedup!.estimate > best.speedup!.estimate ? row : best)
    ).sort((a, b) => a.length - b.length);
    return {
      label: draft,
      look: looks[i]!,
      points: best.map(({ length, speedup }) => ({ x: { value: length }, y: spreadOf(speedup!) })),
    };
  });
}

/** What decides about a draft's colour: a self-draft has its method's. */
function methodOf(draft: string): string {
  return /^(?:oracle:[^:]*:)?self:([^:]+):/.exec(draft)?.[1] ?? draft;
}

function spreadOf({ estimate, low, high }: { estimate: number; low: number; high: number }): Spread {
  return Number.isFinite(low) && Number.isFinite(high) ? { value: estimate, low, high } : { value: estimate };
}

/**
 * Draws the speed-up over plain decoding against the context's length, a line for each draft, with intervals. A line at
 * 1 is plain decoding. 4200 x 2520 pixels at 300 DPI, and an SVG file of the same name.
 *
 * @param results A run's results.
 * @param path The PNG file. A reader never sees half of it.
 * @param library From {@linkcode loadCanvas}; loaded if left out, which needs --allow-ffi.
 * @throws {RangeError} If no draft was measured.
 *
 * @example
 * ```ts
 * import { drawSpeedup } from "./speedup_chart.ts";
 * import { readJson } from "../results/read_json.ts";
 * import { speedupResults } from "../results/speculative_reader.ts";
 *
 * async function redraw(folder: string) {
 *   await drawSpeedup(await readJson(`${folder}/results.json`, speedupResults), `${folder}/speedup_over_context.png`);
 * }
 * ```
 */
export async function drawSpeedup(results: SpeedupResults, path: string, library?: CanvasLibrary): Promise<void> {
  const lines = speedupLines(results.rows);
  if (lines.length === 0) throw new RangeError("Cannot draw speed-ups: no draft was measured");
  const all = lines.flatMap(({ points }) => points);
  const x = spreadAxis(all.map((point) => point.x), "Context (tokens)", { logarithmicFrom: 4 });
  const y = speedupAxis(all.map((point) => point.y));
  await drawPicture(path, { width: 14, height: 8.4 }, (page) => {
    page.drawHeader({
      title: "Speed-up of speculative decoding (Higher is Better)",
      subtitle: termsOf(results),
      note: "Each draft at its best gamma  ·  Bars: intervals  ·  Line at 1: plain decoding",
      legend: [],
    });
    let top = HEADER_HEIGHT - 4;
    page.paint((context) => {
      top += 12 + drawLineLegend(context, lines, { x: MARGIN, y: top, width: page.width - 2 * MARGIN });
    });
    const box = { x: MARGIN, y: top, width: page.width - 2 * MARGIN, height: page.height - top - 20 };
    page.place(box, (ratio) => spreadChart({ title: "", x, y, lines, plugins: [plainLine(y)] }, ratio));
  }, library);
}

/**
 * Makes the axis of speed-ups, with room for 1. Of intervals it shows no more than the figures' own range on either
 * side: those of a few rounds may be wider than everything else.
 *
 * @example
 * ```ts
 * import { speedupAxis } from "./speedup_chart.ts";
 *
 * const axis = speedupAxis([{ value: 1.5, low: 0.01, high: 90 }]);
 * console.log(axis.max < 3); // true
 * ```
 *
 * @param figures Speed-ups, over 0.
 */
export function speedupAxis(figures: readonly Spread[]): SpreadAxis {
  const values = [1, ...figures.map(({ value }) => value)];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const reach = Math.max(most - least, 0.2 * most);
  const [bottom, top] = [Math.max(0, least - reach), most + reach];
  const cut = figures.map(({ value, low = value, high = value }) => ({
    value,
    low: Math.max(low, bottom),
    high: Math.min(high, top),
  }));
  const axis = spreadAxis([...cut, { value: 1 }], "Speed-up over plain decoding", { logarithmicFrom: Infinity });
  return { ...axis, min: Math.max(0, axis.min) };
}

function termsOf(
  { config: { model_id, device, dtype, workload, max_new_tokens, temperature } }: SpeedupResults,
): string {
  const choice = temperature === 0 ? "greedy" : `temperature ${temperature}`;
  return [modelFileName(model_id), device, dtype, `workload ${workload}`, `${max_new_tokens} tokens written`, choice]
    .join("  ·  ");
}

/** Marks where plain decoding is. */
function plainLine(axis: SpreadAxis): Plugin<"line"> {
  return {
    id: "plainLine",
    beforeDatasetsDraw({ ctx, chartArea, scales }) {
      const y = scales["y"]!.getPixelForValue(placeOf(axis, 1));
      ctx.save();
      ctx.strokeStyle = INK.text;
      ctx.lineWidth = 1.6;
      ctx.beginPath();
      ctx.moveTo(chartArea.left, y);
      ctx.lineTo(chartArea.right, y);
      ctx.stroke();
      ctx.restore();
    },
  };
}
