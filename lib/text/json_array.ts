import type { Fault } from "./byte_text.ts";
import { decodeParts, type JsonRow, MOST_OF_ROW, parseJson, tooLong } from "./json_lines.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Bytes before a bracket that are searched for its key: the key, and spaces around the colon. */
const KEY_REACH = 64;

/**
 * Yields the rows of a .json file: the elements of its array, or of the array under `data` of its object. Some files
 * hold values one after another; each is then a row.
 *
 * Rows are parsed one by one, so a large array is never in memory as a whole, and nothing after it is read.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
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
 * @param fault Makes the error for invalid JSON.
 * @returns The rows, read on demand.
 */
export async function* jsonArray(pieces: AsyncIterable<Uint8Array>, fault: Fault): AsyncGenerator<JsonRow> {
  const scan = new Scan(fault);
  for await (const piece of pieces) {
    yield* scan.read(piece);
    if (scan.isDone) return;
  }
  yield* scan.end();
}

/** Finds where rows begin and end, by counting brackets outside of strings. */
class Scan {
  /** Whether the rows have ended, so that the rest belongs to the object around them. */
  isDone = false;
  /** Open brackets, and how many enclose a row: none if values follow one another. */
  #depth = 0;
  #around = 0;
  #inString = false;
  #escaped = false;
  #line = 1;
  /** Parts of the current row from earlier pieces, and the line on which it begins; 0 between rows. */
  #parts: Uint8Array[] = [];
  #begins = 0;
  /** Total bytes of these parts. */
  #held = 0;
  /** Commas between rows. */
  #commas = 0;

  constructor(readonly fault: Fault) {}

  /** Yields the rows that end in a piece. */
  *read(piece: Uint8Array): Generator<JsonRow> {
    let start = this.#begins > 0 ? 0 : -1;
    for (let at = 0; at < piece.length && !this.isDone; at++) {
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
        // A byte order mark belongs to no row.
        if (isSpace || byte === 0xef || byte === 0xbb || byte === 0xbf || this.#isBracket(byte)) continue;
        start = at;
        this.#begins = this.#line;
      }
      const isBetween = this.#depth === this.#around;
      if (isBetween && (this.#around > 0 ? byte === COMMA || byte === CLOSE : isSpace)) {
        yield this.#finish(piece.subarray(start, at));
        start = -1;
        if (byte === COMMA) this.#commas++;
        else if (byte === CLOSE) this.#close();
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN && this.#holdsRows(piece.subarray(start, at))) {
        this.#around = this.#depth = 2;
        this.#parts = [];
        this.#held = 0;
        this.#begins = 0;
        start = -1;
      } else if (byte === OPEN || byte === 0x7b) this.#depth++;
      else if (byte === CLOSE || byte === 0x7d) this.#depth--;
    }
    if (start < 0) return;
    this.#parts.push(piece.subarray(start));
    this.#held += piece.length - start;
    if (this.#held > MOST_OF_ROW) throw tooLong(this.#begins, this.fault);
  }

  /** Yields the row that ends with the file. */
  *end(): Generator<JsonRow> {
    if (this.#around > 0 && this.#depth > 0) {
      throw this.fault("it is not JSON: it ends before its array does; is it whole?");
    }
    if (this.#begins > 0) yield this.#finish(new Uint8Array());
  }

  /** Handles a bracket of the outermost array, between two rows. */
  #isBracket(byte: number): boolean {
    if (this.#around > 0 && this.#depth === 0) {
      throw this.fault(`line ${this.#line} is not JSON: something follows the array`);
    }
    if (this.#around === 0 && byte === OPEN) {
      this.#around = this.#depth = 1;
      return true;
    }
    // A row must follow a comma.
    const isEmpty = this.#around > 0 && byte === CLOSE && this.#commas === 0;
    if (isEmpty) this.#close();
    return isEmpty;
  }

  #close(): void {
    this.isDone = this.#around === 2;
    this.#depth = 0;
  }

  /** Whether the text before a bracket shows that this is the object's array of rows. */
  #holdsRows(last: Uint8Array): boolean {
    if (this.#around > 0 || this.#depth !== 1) return false;
    const before = [...this.#parts, last].map((part) => part.subarray(-KEY_REACH));
    return /"data"\s*:\s*$/.test(before.map((part) => String.fromCharCode(...part)).join(""));
  }

  #finish(last: Uint8Array): JsonRow {
    const line = this.#begins;
    const text = decodeParts([...this.#parts, last], line, this.fault);
    this.#parts = [];
    this.#held = 0;
    this.#begins = 0;
    return { value: parseJson(text, line, this.fault), line };
  }
}
