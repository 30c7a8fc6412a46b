import { drawPoint } from "chart.js/helpers";
import type { Context } from "./canvas.ts";
import { FONT_FAMILY } from "./font.ts";
import type { Look } from "./method_looks.ts";
import { INK } from "./palette.ts";

/** Font size and height of a row, points. */
const SIZE = 13;
const ROW = 20;
/** Width of a line's sample and the gaps after it and after the label, points. */
const SAMPLE = { width: 34, gap: 6, after: 20 };

/** An entry of a legend. */
export interface LegendEntry {
  label: string;
  look: Look;
}

/**
 * Draws a legend of lines with their points, in as many rows as it needs.
 *
 * @param context Its unit is the point.
 * @param entries What to name, in order.
 * @param box Left and upper edge, and the width that may be used, points.
 * @param hasPoints Whether the lines have points.
 * @returns Height that it took, points.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { drawLineLegend } from "./line_legend.ts";
 * import { seriesLooks } from "./method_looks.ts";
 *
 * const context = (await loadCanvas()).createCanvas(300, 40).getContext("2d");
 * const [look] = seriesLooks([{ name: "tova_64", method: "tova" }]);
 * console.log(drawLineLegend(context, [{ label: "tova", look: look! }], { x: 0, y: 0, width: 300 })); // 20
 * ```
 */
export function drawLineLegend(
  context: Context,
  entries: readonly LegendEntry[],
  { x, y, width }: { x: number; y: number; width: number },
  hasPoints = true,
): number {
  context.save();
  context.font = `400 ${SIZE}px ${FONT_FAMILY}`;
  let [left, row] = [x, 0];
  for (const entry of entries) {
    const needed = SAMPLE.width + SAMPLE.gap + context.measureText(entry.label).width;
    if (left > x && left + needed > x + width) [left, row] = [x, row + 1];
    drawEntry(context, entry, left, y + (row + 0.5) * ROW, SIZE, hasPoints);
    left += needed + SAMPLE.after;
  }
  context.restore();
  return (row + 1) * ROW;
}

/**
 * Draws a legend of lines without points as a column, smaller if it would not fit in the height.
 *
 * @param context Its unit is the point.
 * @param entries What to name, in order.
 * @param box Right and upper edge, and the height that may be used, points.
 * @returns Width that it took, points.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { drawLegendColumn } from "./line_legend.ts";
 *
 * const context = (await loadCanvas()).createCanvas(300, 40).getContext("2d");
 * console.log(drawLegendColumn(context, [], { right: 300, y: 0, height: 40 })); // 0
 * ```
 */
export function drawLegendColumn(
  context: Context,
  entries: readonly LegendEntry[],
  { right, y, height }: { right: number; y: number; height: number },
): number {
  if (entries.length === 0) return 0;
  const row = Math.min(ROW, height / entries.length);
  const size = Math.min(SIZE, 0.75 * row);
  context.save();
  context.font = `400 ${size}px ${FONT_FAMILY}`;
  const longest = Math.max(...entries.map(({ label }) => context.measureText(label).width));
  const width = SAMPLE.width + SAMPLE.gap + longest;
  entries.forEach((entry, index) => drawEntry(context, entry, right - width, y + (index + 0.5) * row, size, false));
  context.restore();
  return width;
}

function drawEntry(
  context: Context,
  { label, look }: LegendEntry,
  x: number,
  y: number,
  size: number,
  hasPoint: boolean,
): void {
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.strokeStyle = look.color;
  context.fillStyle = look.marker.hollow ? INK.background : look.color;
  context.lineWidth = 1.8;
  context.setLineDash([...look.dash]);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + SAMPLE.width, y);
  context.stroke();
  context.setLineDash([]);
  const { style, rotation } = look.marker;
  if (hasPoint) {
    const options = { pointStyle: style, rotation, radius: 5, borderWidth: 1.8 };
    drawPoint(context as never, options, x + SAMPLE.width / 2, y);
  }
  context.font = `400 ${size}px ${FONT_FAMILY}`;
  context.fillStyle = INK.text;
  context.fillText(label, x + SAMPLE.width + SAMPLE.gap, y);
}
