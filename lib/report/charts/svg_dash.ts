import type { Context } from "./canvas.ts";
import { withMethods } from "./with_methods.ts";

/** Lengths of dashes and gaps. */
type Pattern = readonly number[];

/** Line widths have two decimals. The third says which pattern a line has: 0 for none. */
const MARK = 0.001;
/** Patterns that a decimal can tell apart. */
const MOST = 9;

/**
 * Keeps dashed lines as lines. In SVG files, Skia writes every dash as a shape, megabytes for a picture of many lines.
 * So the line is stroked without dashes, and its width gets a mark for {@linkcode placeDashes}.
 *
 * @param context Of a canvas that becomes an SVG file.
 * @param patterns The patterns used so far; new ones are added.
 * @returns A context to draw with.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { placeDashes, recordDashes } from "./svg_dash.ts";
 *
 * const library = await loadCanvas();
 * const canvas = library.createSvg(100, 10);
 * const patterns: number[][] = [];
 * const context = recordDashes(canvas.getContext("2d"), patterns);
 * context.setLineDash([7, 4]);
 * context.lineWidth = 1.5;
 * context.moveTo(0, 5);
 * context.lineTo(100, 5);
 * context.stroke();
 * console.log(placeDashes(await library.encodeSvg(canvas), patterns).includes('stroke-dasharray="7 4"')); // true
 * ```
 */
export function recordDashes(context: Context, patterns: Pattern[]): Context {
  const withoutDashes = (draw: () => void) => {
    const dash = context.getLineDash();
    const mark = dash.length === 0 ? 0 : 1 + placeIn(patterns, dash);
    if (mark === 0 || mark > MOST) return draw();
    const width = context.lineWidth;
    context.setLineDash([]);
    context.lineWidth = Math.round(100 * width) / 100 + MARK * mark;
    draw();
    context.lineWidth = width;
    context.setLineDash(dash);
  };
  return withMethods(context, {
    stroke: (...path: Parameters<Context["stroke"]>) => withoutDashes(() => context.stroke(...path)),
    strokeRect: (...box: Parameters<Context["strokeRect"]>) => withoutDashes(() => context.strokeRect(...box)),
  });
}

/** Index of a pattern in the list, where it is added if it is new. */
function placeIn(patterns: Pattern[], dash: Pattern): number {
  const found = patterns.findIndex((pattern) => String(pattern) === String(dash));
  return found >= 0 ? found : patterns.push(dash) - 1;
}

/**
 * Gives marked lines of an SVG file their dashes.
 *
 * @param svg From Skia.
 * @param patterns From {@linkcode recordDashes}.
 * @returns The file's text.
 *
 * @example
 * ```ts
 * import { placeDashes } from "./svg_dash.ts";
 *
 * console.log(placeDashes('<path stroke-width="1.601"/>', [[7, 4]])); // <path stroke-width="1.6" stroke-dasharray="7 4"/>
 * ```
 */
export function placeDashes(svg: string, patterns: readonly Pattern[]): string {
  return svg.replaceAll(/ stroke-width="([\d.]+)"/g, (whole, width: string) => {
    const mark = Math.round(Number(width) / MARK) % 10;
    const pattern = patterns[mark - 1];
    if (pattern === undefined) return whole;
    return ` stroke-width="${Math.round(100 * (Number(width) - MARK * mark)) / 100}" stroke-dasharray="${
      pattern.join(" ")
    }"`;
  });
}
