import type { Fault } from "./byte_text.ts";
import { decodeParts, type JsonRow, parseJson } from "./json_lines.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const COMMA = 0x2c;

/**
 * Rows of a .json file: the elements of the array it holds; or of the array under `data` of its object; or, as such
 * files are met with too, values one after another.
 *
 * Elements are parsed one by one, so that a large array never is in memory as a whole. An object is.
 *
 * @example
 * ```ts
 * import { InputError } from "../errors.ts";
 * import { jsonArray } from "./json_array.ts";
 *
 * async function* pieces() {
 *   yield new TextEncoder().encode('[{"text": "a, b]"},\n {"te');
 *   yield new TextEncoder().encode('xt": "c"}]');
 * }
 * const rows = await Array.fromAsync(jsonArray(pieces(), (why) => new InputError(why)));
 * console.log(rows); // [ { value: { text: "a, b]" }, line: 1 }, { value: { text: "c" }, line: 2 } ]
 * ```
 *
 * @param pieces The file's bytes, cut anywhere.
 * @param fault Makes the error for what is no JSON.
 * @returns The rows, read as they are asked for.
 */
export async function* jsonArray(pieces: AsyncIterable<Uint8Array>, fault: Fault): AsyncGenerator<JsonRow> {
  for await (const { value, line, isElement } of values(pieces, fault)) {
    const data = !isElement && typeof value === "object" && value !== null
      ? (value as { data?: unknown }).data
      : undefined;
    if (Array.isArray(data)) yield* data.map((value) => ({ value, line }));
    else yield { value, line };
  }
}

/** Values of the outermost level, or the elements of the array that is there. */
async function* values(pieces: AsyncIterable<Uint8Array>, fault: Fault) {
  const scan = new Scan(fault);
  for await (const piece of pieces) yield* scan.read(piece);
  yield* scan.end();
}

interface Value extends JsonRow {
  /** Whether it is an element of the outermost array. */
  readonly isElement: boolean;
}

/** Finds where values begin and end, by counting brackets outside of strings. */
class Scan {
  /** Brackets open. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  #line = 1;
  /** Whether elements of an array are what is looked for; until a bracket is found, values are. */
  #inArray = false;
  /** What of the value that is being read stands in earlier pieces, and the line that it begins on. */
  #parts: Uint8Array[] = [];
  #begins = 0;
  #elements = 0;

  constructor(readonly fault: Fault) {}

  /** Values that end in a piece. */
  *read(piece: Uint8Array): Generator<Value> {
    let start = this.#begins > 0 ? 0 : -1;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      if (byte === NEWLINE) this.#line++;
      const isSpace = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
      if (start < 0) {
        // A byte order mark belongs to no value.
        if (isSpace || byte === 0xef || byte === 0xbb || byte === 0xbf) continue;
        const isFirst = this.#depth === 0 && !this.#inArray;
        if (isFirst && byte === 0x5b) {
          this.#inArray = true;
          this.#depth = 1;
          continue;
        }
        if (this.#inArray && this.#depth === 0) {
          throw this.fault(`line ${this.#line} is not JSON: something follows the array`);
        }
        if (this.#inArray && byte === 0x5d && this.#elements === 0) {
          this.#depth = 0;
          continue;
        }
        start = at;
        this.#begins = this.#line;
      }
      const base = this.#inArray ? 1 : 0;
      const ends = this.#depth === base && (this.#inArray ? byte === COMMA || byte === 0x5d : isSpace);
      if (ends) {
        yield this.#finish(piece.subarray(start, at));
        start = -1;
        if (byte === 0x5d) this.#depth = 0;
        // After a comma another element has to follow.
        else if (byte === COMMA) this.#elements++;
        continue;
      }
      if (byte === QUOTE) this.#inString = true;
      else if (byte === 0x7b || byte === 0x5b) this.#depth++;
      else if (byte === 0x7d || byte === 0x5d) this.#depth--;
    }
    if (start >= 0) this.#parts.push(piece.subarray(start));
  }

  /** The value that the file's end ends. */
  *end(): Generator<Value> {
    if (this.#inArray && this.#depth > 0) {
      throw this.fault("it is not JSON: it ends before its array does; is it whole?");
    }
    if (this.#begins > 0) yield this.#finish(new Uint8Array());
  }

  #finish(last: Uint8Array): Value {
    const line = this.#begins;
    const text = decodeParts([...this.#parts, last], line, this.fault);
    this.#parts = [];
    this.#begins = 0;
    return { value: parseJson(text, line, this.fault), line, isElement: this.#inArray };
  }
}
