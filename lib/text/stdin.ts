import { createHash } from "node:crypto";
import { type Fault } from "./byte_text.ts";
import { whyUnreadable } from "./file_pieces.ts";

/** Bytes that can be read once, and their hash. */
export interface HashedStream {
  /** The bytes, piece by piece. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Returns the SHA-256 of all of them, hexadecimal. Bytes not yet requested are read and dropped. */
  sha256(): Promise<string>;
}

/**
 * Hashes a stream while it is read, so that it need not be kept or read twice.
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
 * Reads standard input as a text.
 *
 * @param fault Makes the error if nothing is piped in.
 * @param signal Ends reading: a pipe may be open for ever.
 * @returns Its bytes.
 */
export function standardInput(fault: Fault, signal?: AbortSignal): HashedStream {
  if (Deno.stdin.isTerminal()) throw fault("standard input is a terminal; pipe a text in, as in cat book.txt | …");
  return hashedStream(until(Deno.stdin.readable, signal));
}

/**
 * Reads a pipe as a text, such as a shell makes for `<(…)`. It can be read once only.
 *
 * @param path Path of the pipe.
 * @param fault Makes the error if it cannot be read.
 * @param signal Ends reading, and waiting for a writer: both may take for ever.
 * @returns Its bytes.
 */
export function pipeInput(path: string, fault: Fault, signal?: AbortSignal): HashedStream {
  const pieces = (async function* () {
    const file = await Deno.open(path).catch(async (error) => {
      throw fault(await whyUnreadable(error, path), error);
    });
    yield* file.readable; // closes the file
  })();
  return hashedStream(until(ReadableStream.from(pieces), signal));
}

function until(stream: ReadableStream<Uint8Array>, signal?: AbortSignal): ReadableStream<Uint8Array> {
  return signal === undefined ? stream : stream.pipeThrough(new TransformStream(), { signal });
}
