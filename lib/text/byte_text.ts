import type { InputError } from "../util/errors.ts";
import type { Head, TextSource } from "./text_source.ts";

/** Makes the error for a text that cannot be read, from the reason and the underlying error. */
export type Fault = (why: string, cause?: unknown) => InputError;

/** Characters (UTF-16) of the longest text. A string's limit is twice that, and a packed file may hold any number. */
const MOST = 2 ** 28;

/**
 * UTF-8 text that arrives as bytes and is decoded only as far as needed. A byte order mark is dropped.
 *
 * @example
 * ```ts
 * import { ByteText } from "./byte_text.ts";
 * import { InputError } from "../util/errors.ts";
 *
 * const pieces = [new Uint8Array([0x43, 0x61]), new Uint8Array([0x6c, 0x6c])];
 * const text = new ByteText(pieces, (why) => new InputError(why));
 * console.log(await text.head(1)); // { text: "Ca", complete: false }
 * console.log(await text.head(3)); // { text: "Call", complete: false }: whether more comes is not known yet
 * console.log(await text.head(5)); // { text: "Call", complete: true }
 * ```
 */
export class ByteText implements TextSource {
  readonly #pieces: Iterator<Uint8Array> | AsyncIterator<Uint8Array>;
  readonly #fault: Fault;
  #decoder: TextDecoder | undefined = new TextDecoder("utf-8", { fatal: true });
  #text = "";

  /**
   * @param pieces The text's bytes, cut anywhere.
   * @param fault Makes the error for bytes that are not text.
   */
  constructor(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, fault: Fault) {
    this.#pieces = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
    this.#fault = fault;
  }

  /** @inheritdoc */
  async head(length: number): Promise<Head> {
    while (this.#text.length < length && this.#decoder !== undefined) {
      const { value, done } = await this.#pieces.next();
      this.#text += done ? this.#decode(this.#decoder) : this.#decode(this.#decoder, value);
      if (done) this.#decoder = undefined;
      if (this.#text.length > MOST) throw this.#fault(`one text of it has over ${MOST} characters; give shorter ones`);
    }
    return { text: this.#text, complete: this.#decoder === undefined };
  }

  #decode(decoder: TextDecoder, piece?: Uint8Array): string {
    try {
      return piece === undefined
        ? decoder.decode()
        : decoder.decode(piece as Uint8Array<ArrayBuffer>, { stream: true });
    } catch (error) {
      throw this.#fault("it is not UTF-8; save it as UTF-8", error);
    }
  }
}

/**
 * Passes a file's bytes on, and throws if they cannot be text: UTF-16's byte order mark, or zero bytes.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
 * import { onlyText } from "./byte_text.ts";
 *
 * const pieces = onlyText(ReadableStream.from([new Uint8Array([0x61, 0])]), (why) => new InputError(why));
 * console.log(await pieces.next().catch(({ message }) => message)); // it is binary, not text; give UTF-8 text
 * ```
 *
 * @param pieces The file's bytes, cut anywhere.
 * @param fault Makes the error.
 * @returns The same pieces.
 */
export async function* onlyText(pieces: AsyncIterable<Uint8Array>, fault: Fault): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const piece of pieces) {
    const [first, second] = piece;
    const wide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
    if (isFirst && wide) throw fault("it is UTF-16; save it as UTF-8");
    if (piece.includes(0)) throw fault("it is binary, not text; give UTF-8 text");
    isFirst = false;
    yield piece;
  }
}
