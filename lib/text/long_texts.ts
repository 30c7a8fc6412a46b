import type { Fault } from "./byte_text.ts";
import { countCharacters, type TextSource } from "./text_source.ts";

/** A text for each row; undefined for a row without text. */
export type Rows = AsyncIterable<TextSource | undefined> | Iterable<TextSource | undefined>;

/**
 * Chooses texts among rows by length, and counts the skipped ones.
 *
 * @example
 * ```ts
 * import { InputError } from "../util/errors.ts";
 * import { LongTexts } from "./long_texts.ts";
 * import { stringSource } from "./text_source.ts";
 *
 * const long = new LongTexts(["a", "abc"].map(stringSource), 2, (why) => new InputError(why));
 * for await (const text of long.texts()) console.log((await text.head(3)).text); // abc
 * console.log(long.passedOver()); // passed over: 1 text shorter than --min_chars 2
 * ```
 */
export class LongTexts {
  readonly #rows: Rows;
  readonly #minChars: number;
  readonly #fault: Fault;
  #found = 0;
  #short = 0;
  #longest = 0;
  #without = 0;

  /**
   * @param rows The rows.
   * @param minChars Characters (code points) of the shortest text to use.
   * @param fault Makes the error if no text is long enough.
   */
  constructor(rows: Rows, minChars: number, fault: Fault) {
    this.#rows = rows;
    this.#minChars = minChars;
    this.#fault = fault;
  }

  /**
   * Yields the texts that are long enough.
   *
   * @throws {InputError} At the end of the rows, if no text was long enough, with their number and the longest length.
   */
  async *texts(): AsyncGenerator<TextSource> {
    for await (const text of this.#rows) {
      if (text === undefined) {
        this.#without++;
        continue;
      }
      // A character is one or two units, so this many hold enough of them.
      const characters = countCharacters((await text.head(2 * this.#minChars)).text);
      if (characters >= this.#minChars) {
        this.#found++;
        yield text;
      } else {
        this.#short++;
        this.#longest = Math.max(this.#longest, characters);
      }
    }
    if (this.#found > 0) return;
    if (this.#short === 0) {
      throw this.#fault(this.#without === 0 ? "it holds no text" : `its ${counted(this.#without, "row")} hold no text`);
    }
    const among = this.#short === 1 ? "its only text" : `the longest of its ${this.#short} texts`;
    throw this.#fault(
      `${among} has ${
        counted(this.#longest, "character")
      }, --min_chars asks for ${this.#minChars}; give a smaller --min_chars`,
    );
  }

  /** Describes the rows skipped so far, for people; undefined if none was. */
  passedOver(): string | undefined {
    const parts = [
      ...(this.#short > 0 ? [`${counted(this.#short, "text")} shorter than --min_chars ${this.#minChars}`] : []),
      ...(this.#without > 0 ? [`${counted(this.#without, "row")} without text`] : []),
    ];
    return parts.length > 0 ? `passed over: ${parts.join(", ")}` : undefined;
  }
}

/**
 * Yields the only text.
 *
 * @param rows Rows, of which the first is used.
 * @param fault Makes the error if it is blank.
 */
export async function* onlyOne(rows: Rows, fault: Fault): AsyncGenerator<TextSource> {
  for await (const text of rows) {
    for (let length = 1;; length *= 2) {
      const head = await text!.head(length);
      if (head.text.trim() !== "") break;
      if (head.complete) throw fault("it holds no text");
    }
    yield text!;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
