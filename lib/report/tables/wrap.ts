/**
 * Breaks lines at blanks, so that a terminal does not break them within words. A word longer than the width stays
 * whole.
 *
 * @param text Lines, joined by "\n".
 * @param width Most characters of a line; no limit if left out.
 * @param indent Blanks before a continued line.
 * @returns The lines, joined by "\n".
 *
 * @example
 * ```ts
 * import { wrap } from "./wrap.ts";
 *
 * console.log(wrap("tova_256: nothing was dropped", 20, 2)); // "tova_256: nothing\n  was dropped"
 * ```
 */
export function wrap(text: string, width: number | undefined, indent = 2): string {
  if (width === undefined) return text;
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      const start = lines.length === 0 ? 0 : indent;
      // Blanks that begin a line, or line up its first columns, are no place to break.
      const first = start + rest.slice(start).search(/\S/);
      let end = rest.lastIndexOf(" ", width);
      if (end <= first) end = rest.indexOf(" ", Math.max(first, width));
      if (end < 0) break;
      lines.push(rest.slice(0, end).trimEnd());
      rest = " ".repeat(indent) + rest.slice(end).trimStart();
    }
    return [...lines, rest];
  }).join("\n");
}
