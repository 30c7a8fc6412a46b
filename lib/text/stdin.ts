import { createHash } from "node:crypto";
import type { Fault } from "./byte_text.ts";

/** Bytes that can be read once, and their hash. */
export interface HashedStream {
  /** The bytes, piece by piece. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** SHA-256 of all of them, hexadecimal: what has not been asked for is read and let go. */
  sha256(): Promise<string>;
}

/**
 * Hashes a stream as it is read, so that neither all of it has to be kept nor any of it read twice.
 *
 * @example
 * ```ts
 * import { hashedStream } from "./stdin.ts";
 *
 * const stream = hashedStream(ReadableStream.from([new TextEncoder().encode("abc")]));
 * console.log((await stream.sha256()).slice(0, 8)); // ba7816bf
 * ```
 *
 * @param stream The stream.
 * @returns Its pieces and its hash.
 */
export function hashedStream(stream: ReadableStream<Uint8Array>): HashedStream {
  const hash = createHash("sha256");
  const pieces = (async function* () {
    for await (const piece of stream) {
      hash.update(piece);
      yield piece;
    }
  })();
  return {
    pieces,
    sha256: async () => {
      for await (const _ of pieces) { /* hashed on the way */ }
      return hash.copy().digest("hex");
    },
  };
}

/**
 * Standard input as a text.
 *
 * @param fault Makes the error where nothing is piped in.
 * @param signal Ends reading: a pipe may be open for ever.
 * @returns Its bytes.
 */
export function standardInput(fault: Fault, signal?: AbortSignal): HashedStream {
  if (Deno.stdin.isTerminal()) throw fault("standard input is a terminal; pipe a text in, as in cat book.txt | …");
  const { readable } = Deno.stdin;
  return hashedStream(signal === undefined ? readable : readable.pipeThrough(new TransformStream(), { signal }));
}
