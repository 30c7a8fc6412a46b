import { InputError } from "../util/errors.ts";
import { firstTokens, type TokenPrefix, tokensWithin } from "./prefix.ts";
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
  /**
   * Whether several samples of one text follow each other. Otherwise they are spread over it.
   *
   * @default {false}
   */
  readonly successive?: boolean | undefined;
  /** Returns what else an error says about the texts, such as which were skipped. */
  readonly about?: () => string | undefined;
}

/** Samples of texts. */
export interface Samples {
  /** Token ids, `[samples][tokensPerSample]`. */
  readonly samples: number[][];
  /** Number of different texts that they are from. */
  readonly texts: number;
}

/**
 * Characters (UTF-16) of a text over which its samples are spread at most: a long novel. More would take long to
 * tokenize, a second for each million.
 */
export const SPREAD_CHARACTERS = 1_000_000;

/**
 * Takes samples of equal length from texts. With several texts, each gives its first stretch of tokens, at its
 * beginning, before any gives a second; texts too short for one are skipped. Several samples of one text are spread
 * evenly over it, and do not overlap: the last one ends with the text, or with its first
 * {@linkcode SPREAD_CHARACTERS} if it is longer. Every sample starts with the special tokens that the tokenizer puts
 * before a text.
 *
 * A text that gives one sample is read only as far as needed.
 *
 * @example
 * ```ts
 * import { openDataset } from "./dataset.ts";
 * import { sampleTokens } from "./samples.ts";
 * import { loadTokenizer } from "./tokenizer.ts";
 *
 * const { texts } = await openDataset({ dataset: "moby_dick" });
 * const tokenizer = await loadTokenizer("lib/assets/novel-neox-8m");
 * const found = await sampleTokens({ texts, tokenizer, samples: 2, tokensPerSample: 801 });
 * console.log(found.samples.length, found.samples[0]!.length, found.texts); // 2 801 1
 * ```
 *
 * @param options The texts, the tokenizer, and the number and length of samples.
 * @returns The samples, and of how many texts they are: first the beginning of each text, then the second sample of
 * each, and so on.
 * @throws {InputError} If the texts are too short, with their number of tokens and what would do.
 */
export async function sampleTokens(options: SampleOptions): Promise<Samples> {
  const { texts, tokenizer, samples, tokensPerSample, successive = false, about = () => undefined } = options;
  const size = tokensPerSample - tokenizer.prefix.length;
  if (size < 1) {
    throw new InputError(
      `Cannot take samples of ${tokensPerSample} tokens: the tokenizer puts ${tokenizer.prefix.length} before the text; ` +
        "give a larger --max_tokens",
    );
  }
  const sources: Source[] = [];
  let found = 0;
  let count = 0;
  let longest = 0;
  /** Takes one more sample of a source, if it has enough tokens. */
  const take = async (source: Source) => {
    const isLong = await source.has((source.samples + 1) * size);
    if (isLong) {
      source.samples++;
      found++;
    } else longest = Math.max(longest, source.length);
    return isLong;
  };
  for await (const text of texts) {
    count++;
    const source = new Source(text, tokenizer);
    if (await take(source)) sources.push(source);
    if (found === samples) break;
  }
  for (let going = sources; going.length > 0 && found < samples;) {
    const longer: Source[] = [];
    for (const source of going) {
      if (found < samples && await take(source)) longer.push(source);
    }
    going = longer;
  }
  if (found < samples) {
    const has = count === 1
      ? `the text has ${longest} tokens`
      : `the longest of the ${count} texts has ${longest} tokens`;
    const beside = about();
    throw new InputError(
      `Cannot take ${samples} ${samples === 1 ? "sample" : "samples"} of ${size} tokens: ${has}, enough for ` +
        `${found}${beside === undefined ? "" : ` (${beside})`}; give a longer --dataset, or a smaller --max_tokens, ` +
        "--prompt_tokens or --num_samples",
    );
  }
  const ofSources: number[][][] = [];
  for (const source of sources) ofSources.push(await source.stretches(size, successive));
  const rounds = Math.max(...ofSources.map(({ length }) => length));
  const stretches = Array.from({ length: rounds }, (_, round) => ofSources.flatMap((of) => of.slice(round, round + 1)));
  return { samples: stretches.flat().map((ids) => [...tokenizer.prefix, ...ids]), texts: sources.length };
}

/** A text that is tokenized only as far as needed. */
class Source {
  /** Samples to take of it. */
  samples = 0;
  #ids: number[] = [];
  #complete = false;

  constructor(readonly text: TextSource, readonly tokenizer: Encoder) {}

  /** Number of tokens known so far; after it did not have enough, all of the text's. */
  get length(): number {
    return this.#ids.length;
  }

  /** Whether the text has so many tokens. */
  async has(tokens: number): Promise<boolean> {
    if (tokens > this.#ids.length && !this.#complete) {
      // Doubling each time keeps the total work within a few times the last pass.
      this.#know(await firstTokens(this.text, this.tokenizer, Math.max(tokens, this.#ids.length * 2)));
    }
    return tokens <= this.#ids.length;
  }

  /** Returns the text's samples without the tokens before a text, `[samples][size]`. */
  async stretches(size: number, successive: boolean): Promise<number[][]> {
    let step = size;
    if (!successive && this.samples > 1) {
      const { ids, complete } = await tokensWithin(this.text, this.tokenizer, SPREAD_CHARACTERS);
      // Samples that need more than these are successive. How much more is known would depend on what was asked before.
      const tokens = Math.max(ids.length, this.samples * size);
      if (ids.length > this.#ids.length) this.#know({ ids, complete });
      step = (tokens - size) / (this.samples - 1);
    }
    return Array.from({ length: this.samples }, (_, i) => {
      const start = Math.round(i * step);
      return this.#ids.slice(start, start + size);
    });
  }

  #know({ ids, complete }: TokenPrefix): void {
    this.#ids = ids;
    this.#complete = complete;
  }
}
