/// <reference lib="dom" />
import type { Plugin } from "chart.js";
import { type Box, placeLabels } from "../../../report/charts/place_labels.ts";
import type { Theme } from "./theme.ts";

/** A point's label, on the axes of the chart. */
export interface Label {
  x: number;
  y: number;
  text: string;
  color: string;
  isBold?: boolean;
}

const SIZE = 11;
const FONT = "system-ui, sans-serif";
/** From a point to its label, pixels. */
const DISTANCE = 9;
/** Where many points are, a label farther from its own, pixels, is taken for another's: it is left out. */
const FARTHEST = 14;

/**
 * Writes labels next to their points, the first ones first; those that have no room are left out.
 *
 * @example
 * ```ts
 * import { pointLabels } from "./labels.ts";
 *
 * const theme = { isDark: false, text: "#000", muted: "#666", grid: "#eee", page: "#fff" };
 * console.log(pointLabels([], theme).id); // labels
 * ```
 */
export function pointLabels(labels: readonly Label[], theme: Theme): Plugin<"line"> {
  return {
    id: "labels",
    afterDatasetsDraw({ ctx, scales, chartArea: { left, top, right, bottom } }) {
      ctx.save();
      ctx.textAlign = "left";
      ctx.textBaseline = "middle";
      ctx.lineWidth = 3;
      const fontOf = ({ isBold = false }: Label) => `${isBold ? 600 : 400} ${SIZE}px ${FONT}`;
      const wanted = labels.map((label) => {
        ctx.font = fontOf(label);
        const x = scales["x"]!.getPixelForValue(label.x);
        const y = scales["y"]!.getPixelForValue(label.y);
        return { x, y, width: ctx.measureText(label.text).width + 2, height: SIZE * 1.1 };
      });
      const bounds = { x: left, y: top, width: right - left, height: bottom - top };
      placeLabels(wanted, { bounds, distance: DISTANCE }).forEach((box, index) => {
        const label = labels[index]!;
        if (box === undefined || !label.isBold && distanceTo(box, wanted[index]!) > FARTHEST) return;
        ctx.font = fontOf(label);
        // A rim in the page's colour, where lines run below.
        ctx.strokeStyle = theme.page;
        ctx.strokeText(label.text, box.x + 1, box.y + box.height / 2);
        ctx.fillStyle = label.color;
        ctx.fillText(label.text, box.x + 1, box.y + box.height / 2);
      });
      ctx.restore();
    },
  };
}

function distanceTo({ x, y, width, height }: Box, point: { x: number; y: number }): number {
  return Math.hypot(
    Math.max(x - point.x, 0, point.x - x - width),
    Math.max(y - point.y, 0, point.y - y - height),
  );
}
