import type { Context } from "./canvas.ts";

/**
 * Adds an arc to the path as Bézier curves, one for each quarter of a circle or less: 0.03 % of the radius off. In SVG
 * files, Skia writes an arc as hundreds of pieces. Parameters as in `CanvasRenderingContext2D.arc()`.
 *
 * @param context Its path.
 * @param x Centre, as `y`.
 * @param radius In the context's unit.
 * @param from First angle, radians; `to` is the last.
 * @param counterclockwise Direction.
 *
 * @example
 * ```ts
 * import { curvedArc } from "./curved_arc.ts";
 *
 * const ends: string[] = [];
 * const context = {
 *   lineTo: () => {},
 *   bezierCurveTo: (...[, , , , x, y]: number[]) => void ends.push(`${Math.round(x!)} ${Math.round(y!)}`),
 * };
 * curvedArc(context, 0, 0, 10, 0, Math.PI);
 * console.log(ends); // [ "0 10", "-10 0" ]
 * ```
 */
export function curvedArc(
  context: Pick<Context, "lineTo" | "bezierCurveTo">,
  x: number,
  y: number,
  radius: number,
  from: number,
  to: number,
  counterclockwise = false,
): void {
  const turn = 2 * Math.PI;
  const way = counterclockwise ? -1 : 1;
  const asked = way * (to - from);
  const angle = way * (asked >= turn ? turn : ((asked % turn) + turn) % turn);
  const parts = Math.max(1, Math.ceil(Math.abs(angle) / (Math.PI / 2) - 1e-9));
  const step = angle / parts;
  const inner = radius * 4 / 3 * Math.tan(step / 4);
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
