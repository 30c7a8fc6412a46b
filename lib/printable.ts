/** C0 and C1 control characters, line and paragraph separators, and what turns the direction of text around. */
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * Makes text that a file or a server gave fit for a message: without characters that a terminal obeys, and short.
 *
 * @example
 * ```ts
 * import { printable } from "./printable.ts";
 *
 * console.log(printable("a\x1b[31mb\n"), printable("abcdef", 4)); // a[31mb abc…
 * ```
 *
 * @param text The text.
 * @param max The most characters to keep; what is cut off leaves an ellipsis.
 * @returns The text without control characters, of at most `max` characters.
 */
export function printable(text: string, max = 500): string {
  // Enough is taken for `max` characters outside of the basic plane; a long text is not walked whole.
  const clean = [...text.slice(0, 4 * max + 4).replaceAll(UNPRINTABLE, "")];
  return clean.length > max || text.length > 4 * max + 4
    ? `${clean.slice(0, Math.max(0, max - 1)).join("")}…`
    : clean.join("");
}
