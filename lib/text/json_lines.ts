import type { InputError } from "../util/errors.ts";
import { notJson } from "../util/printable.ts";
import type { Fault } from "./byte_text.ts";

/** Bytes of the longest row. A string's limit is twice that. */
export const MOST_OF_ROW = 2 ** 28;

/** A row of JSON and its line. */
export interface JsonRow {
  /** The row, parsed. */
  readonly value: unknown;
  /** Line of the file on which it begins, from 1. */
  readonly line: number;
}

/**
 * Yields the rows of a .jsonl or .ndjson file: a JSON value on each line; empty lines are skipped.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
 * import { jsonLines } from "./json_lines.ts";
 *
 * async function* pieces() {
 *   yield new TextEncoder().encode('{"text": "one"}\n\n{"text"');
 *   yield new TextEncoder().encode(': "two"}');
 * }
 * const rows = await Array.fromAsync(jsonLines(pieces(), (why) => new InputError(why)));
 * console.log(rows.map(({ line }) => line)); // [ 1, 3 ]
 * ```
 *
 * @param pieces The file's bytes, cut anywhere.
 * @param fault Makes the error for a line that is not JSON.
 * @returns The rows, read on demand.
 */
export async function* jsonLines(pieces: AsyncIterable<Uint8Array>, fault: Fault): AsyncGenerator<JsonRow> {
  let line = 1;
  let open: Uint8Array[] = [];
  let held = 0;
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf(0x0a); end >= 0; end = piece.indexOf(0x0a, start)) {
      yield* row([...open, piece.subarray(start, end)], line++, fault);
      open = [];
      held = 0;
      start = end + 1;
    }
    if (start < piece.length) open.push(piece.subarray(start));
    held += piece.length - start;
    if (held > MOST_OF_ROW) throw tooLong(line, fault);
  }
  yield* row(open, line, fault);
}

function* row(parts: readonly Uint8Array[], line: number, fault: Fault): Generator<JsonRow> {
  if (parts.every(({ length }) => length === 0)) return;
  const text = decodeParts(parts, line, fault);
  if (text.trim() !== "") yield { value: parseJson(text, line, fault), line };
}

/** Returns the error for a row that is too long. */
export function tooLong(line: number, fault: Fault): InputError {
  return fault(`the row at line ${line} has over ${MOST_OF_ROW / 2 ** 20} MiB; give shorter rows`);
}

/** Decodes bytes in parts to text. */
export function decodeParts(parts: readonly Uint8Array[], line: number, fault: Fault): string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    let text = "";
    for (const part of parts) text += decoder.decode(part as Uint8Array<ArrayBuffer>, { stream: true });
    return text + decoder.decode();
  } catch (error) {
    throw fault(`line ${line} is not UTF-8; save it as UTF-8`, error);
  }
}

/** Parses JSON; an error names the line. */
export function parseJson(text: string, line: number, fault: Fault): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fault(`line ${line} is not JSON: ${notJson(error)}`, error);
  }
}
