import { InputError } from "../errors.ts";
import { firstTokens } from "./prefix.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/** What {@linkcode sampleTokens} takes. */
export interface SampleOptions {
  /** The texts, as of {@linkcode loadText}. */
  readonly texts: readonly string[];
  /** The model's tokenizer. */
  readonly tokenizer: TextTokenizer;
  /** Samples wanted. */
  readonly samples: number;
  /** Token ids of each sample, special tokens before the text included. */
  readonly tokensPerSample: number;
}

/**
 * Takes samples of equal length from texts: the first starts at the text's beginning, and several samples of one text are
 * successive stretches of its tokens. With several texts, each gives its first stretch before any gives a second; texts
 * too short for one are passed over. What the tokenizer itself puts before a text stands at the start of every sample.
 *
 * @example
 * ```ts
 * import { loadText } from "./datasets.ts";
 * import { sampleTokens } from "./samples.ts";
 * import { loadTokenizer } from "./tokenizer.ts";
 *
 * const { texts } = await loadText("moby_dick");
 * const tokenizer = await loadTokenizer("lib/assets/novel-neox-8m");
 * const samples = sampleTokens({ texts, tokenizer, samples: 2, tokensPerSample: 801 });
 * console.log(samples.length, samples[0]!.length); // 2 801
 * ```
 *
 * @param options What from, how many and how long.
 * @returns Token ids, `[samples][tokensPerSample]`.
 * @throws {InputError} Where the texts are too short: how many tokens there are, and what would do.
 */
export function sampleTokens(options: SampleOptions): number[][] {
  const { texts, tokenizer, samples, tokensPerSample } = options;
  const size = tokensPerSample - tokenizer.prefix.length;
  if (size < 1) {
    throw new InputError(
      `Cannot take samples of ${tokensPerSample} tokens: the tokenizer puts ${tokenizer.prefix.length} before the text; ` +
        "give a larger --max_tokens",
    );
  }
  const expected = Math.ceil(samples / Math.max(texts.length, 1)) * size;
  let sources = texts.map((text) => new Source(text, tokenizer, expected));
  const all = [...sources];
  const found: number[][] = [];
  for (let index = 0; found.length < samples && sources.length > 0; index++) {
    sources = sources.filter((source) => {
      if (found.length === samples) return true;
      const stretch = source.stretch(index * size, size);
      if (stretch !== undefined) found.push([...tokenizer.prefix, ...stretch]);
      return stretch !== undefined;
    });
  }
  if (found.length === samples) return found;
  const has = all.length === 1
    ? `the text has ${all[0]!.length} tokens`
    : `the longest of the ${all.length} texts has ${Math.max(0, ...all.map(({ length }) => length))} tokens`;
  throw new InputError(
    `Cannot take ${samples} ${samples === 1 ? "sample" : "samples"} of ${size} tokens: ${has}, enough for ` +
      `${found.length}; give a longer --dataset, or a smaller --max_tokens, --prompt_tokens or --num_samples`,
  );
}

/** A text that is tokenized only as far as it is read. */
class Source {
  #ids: number[] = [];
  #complete = false;

  constructor(readonly text: string, readonly tokenizer: TextTokenizer, readonly expected: number) {}

  /** Tokens known so far; all of the text's once a stretch was not found. */
  get length(): number {
    return this.#ids.length;
  }

  /** Tokens `start` to `start + size`, or undefined where the text ends before. */
  stretch(start: number, size: number): number[] | undefined {
    const end = start + size;
    if (end > this.#ids.length && !this.#complete) {
      const wanted = Math.max(end, this.expected, this.#ids.length * 2);
      const { ids, complete } = firstTokens(this.text, this.tokenizer, wanted);
      this.#ids = ids;
      this.#complete = complete;
    }
    return end <= this.#ids.length ? this.#ids.slice(start, end) : undefined;
  }
}
