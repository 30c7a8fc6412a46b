import { InputError } from "../util/errors.ts";
import { firstTokens } from "./prefix.ts";
import type { TextSource } from "./text_source.ts";
import type { Encoder } from "./tokenizer.ts";

/** Options of {@linkcode sampleTokens}. */
export interface SampleOptions {
  /** The texts, such as those of {@linkcode openDataset}. */
  readonly texts: AsyncIterable<TextSource> | Iterable<TextSource>;
  /** The model's tokenizer. */
  readonly tokenizer: Encoder;
  /** Samples wanted. */
  readonly samples: number;
  /** Token ids of each sample, special tokens before the text included. */
  readonly tokensPerSample: number;
  /** Returns what else an error says about the texts, such as which were skipped. */
  readonly about?: () => string | undefined;
}

/**
 * Takes samples of equal length from texts: the first starts at the text's beginning, and several samples of one text
 * are successive stretches of its tokens. With several texts, each gives its first stretch before any gives a second;
 * texts too short for one are skipped. Every sample starts with the special tokens that the tokenizer puts before a
 * text.
 *
 * Texts are read only as far as needed.
 *
 * @example
 * ```ts
 * import { openDataset } from "./dataset.ts";
 * import { sampleTokens } from "./samples.ts";
 * import { loadTokenizer } from "./tokenizer.ts";
 *
 * const { texts } = await openDataset({ dataset: "moby_dick" });
 * const tokenizer = await loadTokenizer("lib/assets/novel-neox-8m");
 * const samples = await sampleTokens({ texts, tokenizer, samples: 2, tokensPerSample: 801 });
 * console.log(samples.length, samples[0]!.length); // 2 801
 * ```
 *
 * @param options The texts, the tokenizer, and the number and length of samples.
 * @returns Token ids, `[samples][tokensPerSample]`.
 * @throws {InputError} If the texts are too short, with their number of tokens and what would do.
 */
export async function sampleTokens(options: SampleOptions): Promise<number[][]> {
  const { texts, tokenizer, samples, tokensPerSample, about = () => undefined } = options;
  const size = tokensPerSample - tokenizer.prefix.length;
  if (size < 1) {
    throw new InputError(
      `Cannot take samples of ${tokensPerSample} tokens: the tokenizer puts ${tokenizer.prefix.length} before the text; ` +
        "give a larger --max_tokens",
    );
  }
  const found: number[][] = [];
  let sources: Source[] = [];
  let count = 0;
  let longest = 0;
  const take = async (source: Source, index: number) => {
    const stretch = await source.stretch(index * size, size);
    if (stretch !== undefined) found.push([...tokenizer.prefix, ...stretch]);
    else longest = Math.max(longest, source.length);
    return stretch !== undefined;
  };
  for await (const text of texts) {
    count++;
    const source = new Source(text, tokenizer);
    if (await take(source, 0)) sources.push(source);
    if (found.length === samples) return found;
  }
  for (let index = 1; sources.length > 0; index++) {
    const going: Source[] = [];
    for (const source of sources) {
      if (await take(source, index)) going.push(source);
      if (found.length === samples) return found;
    }
    sources = going;
  }
  const has = count === 1
    ? `the text has ${longest} tokens`
    : `the longest of the ${count} texts has ${longest} tokens`;
  const beside = about();
  throw new InputError(
    `Cannot take ${samples} ${samples === 1 ? "sample" : "samples"} of ${size} tokens: ${has}, enough for ` +
      `${found.length}${
        beside === undefined ? "" : ` (${beside})`
      }; give a longer --dataset, or a smaller --max_tokens, ` +
      "--prompt_tokens or --num_samples",
  );
}

/** A text that is tokenized only as far as needed. */
class Source {
  #ids: number[] = [];
  #complete = false;

  constructor(readonly text: TextSource, readonly tokenizer: Encoder) {}

  /** Number of tokens known so far; after a stretch was not found, all of the text's. */
  get length(): number {
    return this.#ids.length;
  }

  /** Returns tokens `start` to `start + size`; undefined if the text ends before. */
  async stretch(start: number, size: number): Promise<number[] | undefined> {
    const end = start + size;
    if (end > this.#ids.length && !this.#complete) {
      // Doubling each time keeps the total work within a few times the last pass.
      const { ids, complete } = await firstTokens(this.text, this.tokenizer, Math.max(end, this.#ids.length * 2));
      this.#ids = ids;
      this.#complete = complete;
    }
    return end <= this.#ids.length ? this.#ids.slice(start, end) : undefined;
  }
}
