import type { Context } from "./canvas.ts";
import { curvedArc } from "./curved_arc.ts";
import { placeDashes, recordDashes } from "./svg_dash.ts";
import { placeTexts, recordTexts, type WrittenText } from "./svg_text.ts";
import { withMethods } from "./with_methods.ts";
import { FONT_FAMILY, FONT_WEIGHTS, fontFile } from "./font.ts";

/**
 * Returns the path of the SVG file beside a PNG file.
 *
 * @param png Path of the PNG file.
 * @returns The same name, ending in `.svg`.
 *
 * @example
 * ```ts
 * import { svgPath } from "./svg.ts";
 *
 * console.log(svgPath("run/trace_l2_kr=0.5.png")); // "run/trace_l2_kr=0.5.svg"
 * ```
 */
export function svgPath(png: string): string {
  return `${png.replace(/\.png$/, "")}.svg`;
}

/** What is kept while an SVG file is drawn, because Skia does not write it. */
export interface Recorded {
  /** All text, in order. */
  texts: WrittenText[];
  /** Patterns of dashed lines. */
  dashes: (readonly number[])[];
}

/**
 * Wraps the context of a canvas that becomes an SVG file, so that text stays text and lines stay lines.
 *
 * @param context The canvas's.
 * @param recorded Filled while it is drawn; {@linkcode finishSvg} needs it.
 * @returns A context to draw with.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { recordSvg } from "./svg.ts";
 *
 * const recorded = { texts: [], dashes: [] };
 * const context = recordSvg((await loadCanvas()).createSvg(200, 100).getContext("2d"), recorded);
 * context.fillText("ms", 10, 20);
 * console.log(recorded.texts.length); // 1
 * ```
 */
export function recordSvg(context: Context, recorded: Recorded): Context {
  return withMethods(recordDashes(recordTexts(context, recorded.texts), recorded.dashes), {
    arc: (...circle: Parameters<Context["arc"]>) => curvedArc(context, ...circle),
  });
}

/**
 * Finishes an SVG file as Skia writes it: its size in inches, coordinates without decimals that cannot be seen, and the
 * font itself. Machines may not have the font, and text in another would not fit.
 *
 * @param svg What the canvas library wrote: sizes in pixels.
 * @param recorded From {@linkcode recordSvg}.
 * @param inches The picture's size.
 * @returns The file's text.
 *
 * @example
 * ```ts
 * import { finishSvg } from "./svg.ts";
 *
 * const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="300"><path d="M0.123456 7L8.5 9"/></svg>';
 * const finished = finishSvg(svg, { texts: [], dashes: [] }, { width: 2, height: 1 });
 * console.log(finished.includes('width="2in" height="1in" viewBox="0 0 600 300"')); // true
 * console.log(finished.includes('d="M0.12 7L8.5 9"')); // true
 * ```
 */
export function finishSvg(
  svg: string,
  recorded: Recorded,
  inches: { width: number; height: number },
): string {
  return placeTexts(placeDashes(svg, recorded.dashes), recorded.texts)
    .replaceAll(/ (d|x|y|cx|cy|width|height|stroke-width)="([^"]*)"/g, (_, name: string, value: string) => {
      // A hundredth of a point. The libraries end lists with a comma.
      return ` ${name}="${value.replace(/,\s*$/, "").replaceAll(/-?\d+\.\d+(?:e-?\d+)?/g, rounded)}"`;
    })
    // A map's cells keep their edges: no seams between them, no blur.
    .replaceAll("<image ", '<image style="image-rendering:pixelated" ')
    .replaceAll(/<rect (?=fill="(?!none))/g, '<rect shape-rendering="crispEdges" ')
    .replace(
      /<svg([^>]*?) width="([\d.]+)" height="([\d.]+)"([^>]*)>/,
      (_, before, width, height, after) =>
        `<svg${before} width="${inches.width}in" height="${inches.height}in" viewBox="0 0 ${width} ${height}" xml:space="preserve"${after}>` +
        fontFaces(),
    );
}

function rounded(number: string): string {
  return String(Math.round(100 * Number(number)) / 100);
}

let faces: string | undefined;

/** Returns the font as a style sheet; "" if this process may not read its files. */
function fontFaces(): string {
  faces ??= (() => {
    try {
      const rules = FONT_WEIGHTS.map((weight) =>
        `@font-face{font-family:${FONT_FAMILY};font-weight:${weight};src:url(data:font/woff2;base64,` +
        `${Deno.readFileSync(fontFile(weight)).toBase64()}) format("woff2")}`
      );
      return `<style>${rules.join("")}</style>`;
    } catch (error) {
      // Another font of the reader's machine stands in for it.
      if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  })();
  return faces;
}
