/** How a text begins. */
export interface Head {
  /** At least as many UTF-16 units as were asked for, unless the text has fewer. */
  readonly text: string;
  /** Whether this is the whole text. */
  readonly complete: boolean;
}

/** A text that is read only as far as it is needed. */
export interface TextSource {
  /**
   * The beginning of the text. Asking for more continues where reading stopped.
   *
   * @param length UTF-16 units wanted.
   */
  head(length: number): Promise<Head>;
}

/**
 * A text that is in memory already.
 *
 * @example
 * ```ts
 * import { stringSource } from "./text_source.ts";
 *
 * console.log(await stringSource("Call me Ishmael.").head(4)); // { text: "Call me Ishmael.", complete: true }
 * ```
 *
 * @param text The text.
 * @returns The same, as a source.
 */
export function stringSource(text: string): TextSource {
  return { head: () => Promise.resolve({ text, complete: true }) };
}

/**
 * Characters of a text as Unicode counts them and Python does: code points.
 *
 * @example
 * ```ts
 * import { countCharacters } from "./text_source.ts";
 *
 * console.log("🐋".length, countCharacters("🐋")); // 2 1
 * ```
 *
 * @param text The text.
 * @returns Its code points.
 */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    // A high surrogate: with the unit after it, it is one character.
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800) {
      count--;
      at++;
    }
  }
  return count;
}
