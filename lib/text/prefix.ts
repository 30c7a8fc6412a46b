import type { TextSource } from "./text_source.ts";
import type { Encoder } from "./tokenizer.ts";

/** The first tokens of a text. */
export interface TokenPrefix {
  /** At least as many ids as requested, unless the text has fewer. */
  readonly ids: number[];
  /** Whether these are all ids of the text. */
  readonly complete: boolean;
}

/** Characters before the end of a text to search for a good place to cut. */
const REACH = 4096;

/**
 * Reads and tokenizes as much of a text as needed for `count` tokens. The ids are the same as those at the beginning of
 * the whole text.
 *
 * A cut could change the tokens next to it. So the text is cut between words, where all usual tokenizers start anew,
 * and the last few tokens before the cut are dropped. Without such a place, many are dropped.
 *
 * @example
 * ```ts
 * import { firstTokens } from "./prefix.ts";
 * import { stringSource } from "./text_source.ts";
 * import { loadTokenizer } from "./tokenizer.ts";
 *
 * const tokenizer = await loadTokenizer("lib/assets/novel-neox-8m");
 * const text = stringSource("Call me Ishmael. ".repeat(10_000));
 * const { ids, complete } = await firstTokens(text, tokenizer, 100);
 * console.log(ids.length >= 100, complete); // true false
 * ```
 *
 * @param source The text.
 * @param tokenizer Its tokenizer.
 * @param count Tokens wanted.
 * @returns The ids, perhaps more than `count`.
 */
export async function firstTokens(source: TextSource, tokenizer: Encoder, count: number): Promise<TokenPrefix> {
  let charsPerToken = 4;
  let length = 0;
  while (true) {
    // Growing by at least half keeps the total work within three times the last pass.
    length = Math.max(Math.ceil((count + 64) * charsPerToken), Math.ceil(length * 1.5));
    const { ids, complete, tokens, at } = await tokenize(source, tokenizer, length);
    if (complete || ids.length >= count) return { ids, complete };
    charsPerToken = Math.max(at / Math.max(tokens, 1), charsPerToken / 2);
  }
}

/**
 * Reads and tokenizes the beginning of a text. The ids are the same as those at the beginning of the whole text; see
 * {@linkcode firstTokens}.
 *
 * @example
 * ```ts
 * import { tokensWithin } from "./prefix.ts";
 * import { stringSource } from "./text_source.ts";
 * import { loadTokenizer } from "./tokenizer.ts";
 *
 * const tokenizer = await loadTokenizer("lib/assets/novel-neox-8m");
 * const text = stringSource("Call me Ishmael. ".repeat(10_000));
 * const { ids, complete } = await tokensWithin(text, tokenizer, 1000);
 * console.log(tokenizer.decode(ids).length <= 1000, complete); // true false
 * ```
 *
 * @param source The text.
 * @param tokenizer Its tokenizer.
 * @param length UTF-16 units of the text to tokenize, at most.
 * @returns The ids: those of all tokens that certainly lie within the beginning.
 */
export async function tokensWithin(source: TextSource, tokenizer: Encoder, length: number): Promise<TokenPrefix> {
  const { ids, complete } = await tokenize(source, tokenizer, length);
  return { ids, complete };
}

/** Tokenizes at most `length` units: `tokens` are in the first `at` units, of which `ids` are certain. */
async function tokenize(
  source: TextSource,
  tokenizer: Encoder,
  length: number,
): Promise<TokenPrefix & { readonly tokens: number; readonly at: number }> {
  // The text after the cut tells whether it is between words, and whether it splits a surrogate pair.
  const { text, complete } = await source.head(length + 2);
  const whole = complete && length >= text.length;
  const { at, doubtful } = whole ? { at: text.length, doubtful: 0 } : cutBefore(text, length);
  const ids = await tokenizer.encode(whole ? text : text.slice(0, at));
  const tokens = ids.length;
  ids.length = Math.max(tokens - doubtful, 0);
  return { ids, complete: whole, tokens, at };
}

/** Returns where to cut, at or before `length`, and how many tokens before that place are in doubt. */
function cutBefore(text: string, length: number): { at: number; doubtful: number } {
  for (let at = length; at > Math.max(length - REACH, 1); at--) {
    // Between a letter and " letter": the space belongs to the word after it, in byte-level and in metaspace tokenizers
    // alike. A newline or several spaces would not do: some patterns join them to the text before.
    if (text[at] === " " && isAsciiLetter(text, at - 1) && isAsciiLetter(text, at + 1)) return { at, doubtful: 8 };
  }
  // Not between the halves of a surrogate pair.
  const split = (text.charCodeAt(length) & 0xfc00) === 0xdc00;
  return { at: split ? length - 1 : length, doubtful: 256 };
}

function isAsciiLetter(text: string, at: number): boolean {
  const code = text.charCodeAt(at) | 0x20;
  return code >= 0x61 && code <= 0x7a;
}
