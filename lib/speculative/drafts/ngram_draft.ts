import { type Draft, NO_MEMORY, type Proposal } from "./draft.ts";

/** Longest and shortest end of the text that is looked up, tokens. */
const LONGEST = 3;

/** The most tokens it proposes. */
export const MOST_FROM_LOOKUP = 10;

/**
 * Prompt lookup: finds where the text's last three tokens, or two, or one, stood before, the latest place first, and
 * proposes what came after. Saxena 2023, github.com/apoorvumang/prompt-lookup-decoding. It runs no model.
 *
 * @example
 * ```ts
 * import { NgramDraft } from "./ngram_draft.ts";
 *
 * using draft = new NgramDraft();
 * console.log(draft.propose([1, 2, 3, 4, 9, 2, 3], 2).tokens); // [ 4, 9 ]
 * ```
 */
export class NgramDraft implements Draft {
  readonly memory = NO_MEMORY;
  readonly steps = 0;
  /** By length: an n-gram → the index after its latest place but the text's end. */
  readonly #after = Array.from({ length: LONGEST }, () => new Map<string, number>());
  /** Tokens of the text whose n-grams are known, except the one that ends the text. */
  #known = 0;

  propose(text: readonly number[], count: number): Proposal {
    this.#learn(text);
    for (let length = Math.min(LONGEST, text.length - 1); length >= 1; length--) {
      const at = this.#after[length - 1]!.get(text.slice(-length).join());
      if (at === undefined) continue;
      const tokens = text.slice(at, at + Math.min(count, MOST_FROM_LOOKUP));
      return { tokens, distributions: tokens.map(() => undefined) };
    }
    return { tokens: [], distributions: [] };
  }

  /** Remembers n-grams that something follows. */
  #learn(text: readonly number[]): void {
    for (let end = Math.max(1, this.#known); end < text.length; end++) {
      for (let length = 1; length <= Math.min(LONGEST, end); length++) {
        this.#after[length - 1]!.set(text.slice(end - length, end).join(), end);
      }
    }
    this.#known = text.length;
  }

  settle(): void {}

  [Symbol.dispose](): void {}
}
