import type { Context } from "./canvas.ts";
import { withMethods } from "./with_methods.ts";

/** Distance of a Bézier curve's inner points for a quarter of a circle, in radii. */
const QUARTER = 0.5522847498;

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
 * The page is shared, so clearing does nothing, and transforms start at the part's corner. Arcs are drawn as Bézier
 * curves: in SVG files, Skia writes an arc as hundreds of pieces.
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
    arc: (...circle: Arc) => arc(context, ...circle),
  });
  return canvas;
}

type Arc = [x: number, y: number, radius: number, from: number, to: number, counterclockwise?: boolean];

/** Adds an arc to the path, as `CanvasRenderingContext2D.arc()` does. */
function arc(context: Context, ...[x, y, radius, from, to, counterclockwise = false]: Arc): void {
  const turn = 2 * Math.PI;
  const way = counterclockwise ? -1 : 1;
  const asked = way * (to - from);
  const angle = way * (asked >= turn ? turn : ((asked % turn) + turn) % turn);
  const parts = Math.max(1, Math.ceil(Math.abs(angle) / (Math.PI / 2) - 1e-9));
  const step = angle / parts;
  const inner = radius * (Math.abs(step) === Math.PI / 2 ? way * QUARTER : 4 / 3 * Math.tan(step / 4));
  context.lineTo(x + radius * Math.cos(from), y + radius * Math.sin(from));
  for (let part = 0; part < parts; part++) {
    const [start, end] = [from + part * step, from + (part + 1) * step];
    const [cos, sin] = [radius * Math.cos(end), radius * Math.sin(end)];
    context.bezierCurveTo(
      x + radius * Math.cos(start) - inner * Math.sin(start),
      y + radius * Math.sin(start) + inner * Math.cos(start),
      x + cos + inner * Math.sin(end),
      y + sin - inner * Math.cos(end),
      x + cos,
      y + sin,
    );
  }
}
