/** C0 without tab and newline, delete, C1, line and paragraph separators, marks that turn the direction of writing. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Makes text from a file or the network safe for a message: control characters are shown as escapes, and the length is
 * limited. A name is data: it must not clear the screen, move the cursor, fake a line of output or fill a log.
 *
 * @example
 * ```ts
 * import { printable } from "./printable.ts";
 *
 * console.log(printable("a\x1b[2Jb\nc")); // a\x1b[2Jb\nc, with the backslashes
 * console.log(printable("x".repeat(1000), 3)); // xxx…
 * ```
 *
 * @param text The text.
 * @param max Most characters (UTF-16) to keep.
 * @returns One line.
 */
export function printable(text: string, max = 500): string {
  let end = Math.min(text.length, max);
  // Not between the halves of a surrogate pair.
  if (end < text.length && end > 0 && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
  const shown = text.slice(0, end).replaceAll("\n", "\\n").replaceAll("\t", "\\t").toWellFormed();
  return printableLines(shown) + (end < text.length ? "…" : "");
}

/**
 * Makes a whole message safe for a terminal. Newlines and tabs stay; other control characters are shown as escapes.
 *
 * @example
 * ```ts
 * import { printableLines } from "./printable.ts";
 *
 * console.log(printableLines("Cannot read x\n  tried: \x1b[31m")); // Cannot read x⏎  tried: \x1b[31m
 * ```
 *
 * @param text The message.
 * @returns The message, safe to print.
 */
export function printableLines(text: string): string {
  return text.replace(UNSAFE, (unit) => {
    const code = unit.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/**
 * Writes JSON for a terminal: the same value, with control characters as JSON's escapes.
 *
 * @example
 * ```ts
 * import { printableJson } from "./printable.ts";
 *
 * console.log(printableJson({ name: "a\u009b2J" })); // {"name":"a\u009b2J"}, with the backslash
 * ```
 *
 * @param value The value.
 * @returns One line.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Returns why a text is not JSON, from the error of `JSON.parse`. The excerpt is left out: it may be long, or from a
 * file that must not be shown.
 *
 * @param error The error.
 * @returns A clause.
 */
export function notJson(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return printable(
    message.replace(/, (?:\.\.\.)?".*$/s, "").replace(/^"(?:\.\.\.)?.*" is not valid JSON$/s, "no value"),
  );
}
