import type { Head, TextSource } from "./text_source.ts";

/**
 * Joins rows to one text, read only as far as needed.
 *
 * @example
 * ```ts
 * import { JoinedText } from "./joined_text.ts";
 * import { stringSource } from "./text_source.ts";
 *
 * const text = new JoinedText(["a", "b", "c"].map(stringSource), "\n\n");
 * console.log(await text.head(3)); // { text: "a\n\nb", complete: false }
 * ```
 */
export class JoinedText implements TextSource {
  readonly #rows: Iterator<TextSource | undefined> | AsyncIterator<TextSource | undefined>;
  readonly #separator: string;
  #text = "";
  #isFirst = true;
  #complete = false;

  /**
   * @param rows The rows; rows without text (undefined) are left out.
   * @param separator Text between two rows.
   */
  constructor(
    rows: Iterable<TextSource | undefined> | AsyncIterable<TextSource | undefined>,
    separator: string,
  ) {
    this.#rows = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
    this.#separator = separator;
  }

  /** @inheritdoc */
  async head(length: number): Promise<Head> {
    while (this.#text.length < length && !this.#complete) {
      const { value, done } = await this.#rows.next();
      if (done) this.#complete = true;
      else if (value !== undefined) {
        this.#text += (this.#isFirst ? "" : this.#separator) + (await value.head(Infinity)).text;
        this.#isFirst = false;
      }
    }
    return { text: this.#text, complete: this.#complete };
  }
}
