import type { Context } from "./canvas.ts";
import { FONT_FAMILY, type FONT_WEIGHTS } from "./font.ts";
import { withMethods } from "./with_methods.ts";

/** A text written on a canvas. */
export interface WrittenText {
  text: string;
  /** Left end, in the context's unit. */
  x: number;
  /** In the same unit. */
  width: number;
}

/**
 * Keeps a list of all text that is written. Skia's SVG files have the letters one by one, without those that the font
 * shows in another form, such as a bracket before a capital.
 *
 * @param context Of a canvas that becomes an SVG file.
 * @param texts The list; text is added to its end.
 * @returns A context to write with.
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { recordTexts, type WrittenText } from "./svg_text.ts";
 *
 * const texts: WrittenText[] = [];
 * const context = recordTexts((await loadCanvas()).createSvg(200, 100).getContext("2d"), texts);
 * context.fillText("(Lower is Better)", 10, 20);
 * console.log(texts[0]?.text, texts[0]?.x); // "(Lower is Better)" 10
 * ```
 */
export function recordTexts(context: Context, texts: WrittenText[]): Context {
  const record = (text: string, x: number) => {
    const { width } = context.measureText(text);
    const align = context.textAlign;
    const left = align === "center" ? x - width / 2 : align === "right" || align === "end" ? x - width : x;
    texts.push({ text, x: left, width });
  };
  return withMethods(context, {
    fillText: (text: string, x: number, y: number) => {
      record(text, x);
      context.fillText(text, x, y);
    },
    strokeText: (text: string, x: number, y: number) => {
      record(text, x);
      context.strokeText(text, x, y);
    },
  });
}

/** Skia's names of the font's weights. */
const WEIGHT_NAMES: Readonly<Record<string, typeof FONT_WEIGHTS[number]>> = { Medium: 500, SemiBold: 600 };

/**
 * Writes every text of an SVG file in one piece, of its full width whatever the font, and in the right weight.
 *
 * @param svg From Skia.
 * @param texts From {@linkcode recordTexts}. Text that is not in it stays letter by letter.
 * @returns The file's text.
 *
 * @example
 * ```ts
 * import { placeTexts } from "./svg_text.ts";
 *
 * const svg = '<text font-size="9" font-family="Inter" x="15, 20, " y="8">A)</text>';
 * console.log(placeTexts(svg, [{ text: "(A)", x: 10, width: 15 }]));
 * // <text font-size="9" font-family="Inter, sans-serif" x="10" textLength="15" y="8">(A)</text>
 * ```
 */
export function placeTexts(svg: string, texts: readonly WrittenText[]): string {
  let next = 0;
  return svg.replaceAll(/<text([^>]*)>([^<]*)<\/text>/g, (_, attributes: string, letters: string) => {
    const styled = attributes
      .replace(/(?: font-weight="\w+")? font-family="Inter (\w+), Inter"/, (whole, name: string) => {
        const weight = WEIGHT_NAMES[name];
        return weight === undefined ? whole : ` font-weight="${weight}" font-family="${FONT_FAMILY}"`;
      })
      .replace(`font-family="${FONT_FAMILY}"`, `font-family="${FONT_FAMILY}, sans-serif"`);
    const found = texts.findIndex(({ text }, index) => index >= next && bare(text) === bare(unescaped(letters)));
    const written = texts[found];
    if (written === undefined) return `<text${styled}>${letters.trim()}</text>`;
    next = found + 1;
    const place = ` x="${two(written.x)}" textLength="${two(written.width)}"`;
    return `<text${styled.replace(/ x="[^"]*"/, place)}>${escaped(written.text)}</text>`;
  });
}

/** What Skia keeps of a text in any case: letters and digits. */
function bare(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]/gu, "");
}

function two(number: number): string {
  return String(Math.round(100 * number) / 100);
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" } as const;

function escaped(text: string): string {
  return text.replaceAll(/[&<>]/g, (letter) => ENTITIES[letter as keyof typeof ENTITIES]);
}

function unescaped(text: string): string {
  return text.replaceAll(/&(?:amp|lt|gt|apos|quot|#\d+|#x[0-9a-f]+);/gi, " ");
}
