import type { Context } from "./canvas.ts";
import { withMethods } from "./with_methods.ts";

/** A canvas as Chart.js uses one: a size, and a context. */
export interface ChartCanvas {
  width: number;
  height: number;
  getContext(kind: "2d"): Context;
}

/**
 * Makes a canvas out of a part of a page, for Chart.js: it draws into the page's own context. A canvas of its own would
 * have to be copied to the page as pixels, also into an SVG file.
 *
 * The page is shared, so clearing does nothing, and transforms start at the part's corner.
 *
 * @param context The page's.
 * @param corner The part's upper left corner, pixels.
 * @param width Points, as `height`.
 * @returns The canvas.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { chartCanvas } from "./chart_canvas.ts";
 *
 * const page = (await loadCanvas()).createCanvas(200, 100).getContext("2d");
 * const canvas = chartCanvas(page, { x: 100, y: 50 }, 50, 25);
 * canvas.getContext("2d").resetTransform();
 * console.log(page.getTransform().e, page.getTransform().f); // 100 50
 * ```
 */
export function chartCanvas(
  context: Context,
  corner: { x: number; y: number },
  width: number,
  height: number,
): ChartCanvas {
  const canvas: ChartCanvas = { width, height, getContext: () => proxy };
  const setTransform = (a = 1, b = 0, c = 0, d = 1, e = 0, f = 0) =>
    context.setTransform(a, b, c, d, e + corner.x, f + corner.y);
  const proxy = withMethods(context, {
    canvas,
    setTransform,
    resetTransform: () => setTransform(),
    clearRect: () => {},
  });
  return canvas;
}
