/** Largest list, bytes. The list of a repository with 100,000 files has about 25 MB. */
export const MOST_LIST_BYTES = 64 * 2 ** 20;
/** Most values and most levels of a list. More of them take gigabytes to parse, whatever the list's size. */
const MOST_VALUES = 4 * 2 ** 20;
const MOST_LEVELS = 64;

/**
 * Reads JSON from an untrusted source, within limits.
 *
 * @example
 * ```ts
 * import { boundedJson } from "./bounded_json.ts";
 *
 * console.log(await boundedJson(new Response('{"sha": "abc"}').body)); // { sha: "abc" }
 * ```
 *
 * @param body The JSON's bytes.
 * @param most Most bytes to read.
 * @returns The parsed value.
 * @throws {RangeError} If it has too many bytes, values or levels.
 * @throws {SyntaxError} If it is not JSON.
 */
export async function boundedJson(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  most: number = MOST_LIST_BYTES,
): Promise<unknown> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const piece of body ?? []) {
    size += piece.length;
    if (size > most) throw new RangeError(`it is longer than ${most / 2 ** 20} MiB`);
    pieces.push(piece);
  }
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  refuseVast(bytes);
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Counts values and levels outside of strings, and rejects too many. */
function refuseVast(bytes: Uint8Array): void {
  let [values, level, isText] = [0, 0, false];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isText) {
      if (byte === 0x5c) i++; // "\", which may escape a quote
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) isText = true;
    else if (byte === 0x2c) values++;
    else if (byte === 0x5b || byte === 0x7b) {
      values++;
      if (++level > MOST_LEVELS) throw new RangeError(`it has more than ${MOST_LEVELS} levels`);
    } else if (byte === 0x5d || byte === 0x7d) level--;
    if (values > MOST_VALUES) throw new RangeError(`it has more than ${MOST_VALUES} values`);
  }
}
