/// <reference lib="dom" />
import type { Plugin } from "chart.js";

/** An interval around a point, on the axes of the chart. */
export interface Bar {
  x: number;
  y: number;
  /** Ends along x; left out if there is no interval. */
  acrossX?: readonly [low: number, high: number] | undefined;
  /** Ends along y. */
  acrossY?: readonly [low: number, high: number] | undefined;
  color: string;
}

/** Half of the length of an end's cap, pixels. */
const CAP = 3;

/**
 * Draws intervals under the points.
 *
 * @example
 * ```ts
 * import { intervals } from "./intervals.ts";
 *
 * console.log(intervals([]).id); // intervals
 * ```
 */
export function intervals(bars: readonly Bar[]): Plugin<"line"> {
  return {
    id: "intervals",
    beforeDatasetsDraw({ ctx, scales, chartArea: { left, top, right, bottom } }) {
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, top, right - left, bottom - top);
      ctx.clip();
      ctx.lineWidth = 1;
      for (const { x, y, acrossX, acrossY, color } of bars) {
        const [atX, atY] = [scales["x"]!.getPixelForValue(x), scales["y"]!.getPixelForValue(y)];
        ctx.strokeStyle = color;
        ctx.beginPath();
        if (acrossX !== undefined) {
          const ends = acrossX.map((end) => scales["x"]!.getPixelForValue(end)) as [number, number];
          ctx.moveTo(ends[0], atY);
          ctx.lineTo(ends[1], atY);
          for (const end of ends) {
            ctx.moveTo(end, atY - CAP);
            ctx.lineTo(end, atY + CAP);
          }
        }
        if (acrossY !== undefined) {
          const ends = acrossY.map((end) => scales["y"]!.getPixelForValue(end)) as [number, number];
          ctx.moveTo(atX, ends[0]);
          ctx.lineTo(atX, ends[1]);
          for (const end of ends) {
            ctx.moveTo(atX - CAP, end);
            ctx.lineTo(atX + CAP, end);
          }
        }
        ctx.stroke();
      }
      ctx.restore();
    },
  };
}
