/** C0 without tab and newline, delete, C1, line and paragraph separators, marks that turn the direction of writing. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Text from a file or from the net, for a message: what a terminal would obey is shown as an escape, and length is limited.
 * A name is data, and must not clear the screen, move the cursor, fake a line of ours or fill a log.
 *
 * @example
 * ```ts
 * import { printable } from "./printable.ts";
 *
 * console.log(printable("a\x1b[2Jb\nc")); // a\x1b[2Jb\nc, with the backslashes
 * console.log(printable("x".repeat(1000), 3)); // xxx…
 * ```
 *
 * @param text What a file holds.
 * @param max Characters (UTF-16) that are kept.
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
 * The last guard before a terminal: a message of ours, whose newlines and tabs stay, with anything else that a terminal
 * would obey shown as an escape.
 *
 * @example
 * ```ts
 * import { printableLines } from "./printable.ts";
 *
 * console.log(printableLines("Cannot read x\n  tried: \x1b[31m")); // Cannot read x⏎  tried: \x1b[31m
 * ```
 *
 * @param text The message.
 * @returns The same, safe to print.
 */
export function printableLines(text: string): string {
  return text.replace(UNSAFE, (unit) => {
    const code = unit.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/**
 * JSON for a terminal: the same value, with what a terminal would obey written as JSON's escapes.
 *
 * @example
 * ```ts
 * import { printableJson } from "./printable.ts";
 *
 * console.log(printableJson({ name: "a\u009b2J" })); // {"name":"a\u009b2J"}, with the backslash
 * ```
 *
 * @param value What is written.
 * @returns One line.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Why a text is no JSON, by what `JSON.parse` threw: without the excerpt of the text, which may be long, and of a file that
 * should not be shown.
 *
 * @param error What was thrown.
 * @returns A clause.
 */
export function notJson(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return printable(
    message.replace(/, (?:\.\.\.)?".*$/s, "").replace(/^"(?:\.\.\.)?.*" is not valid JSON$/s, "no value"),
  );
}
