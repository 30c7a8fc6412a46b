/** Beginning of a text. */
export interface Head {
  /** At least as many UTF-16 units as requested, unless the text has fewer. */
  readonly text: string;
  /** Whether this is the whole text. */
  readonly complete: boolean;
}

/** A text that is read only as far as needed. */
export interface TextSource {
  /**
   * Returns the beginning of the text. A call for more continues where reading stopped.
   *
   * @param length UTF-16 units wanted.
   */
  head(length: number): Promise<Head>;
}

/**
 * Makes a source of a text in memory.
 *
 * @example
 * ```ts
 * import { stringSource } from "./text_source.ts";
 *
 * console.log(await stringSource("Call me Ishmael.").head(4)); // { text: "Call me Ishmael.", complete: true }
 * ```
 *
 * @param text The text.
 * @returns The source.
 */
export function stringSource(text: string): TextSource {
  return { head: () => Promise.resolve({ text, complete: true }) };
}

/**
 * Counts the characters of a text as Unicode and Python do: code points.
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
    // A high surrogate forms one character with the unit after it.
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800) {
      count--;
      at++;
    }
  }
  return count;
}
