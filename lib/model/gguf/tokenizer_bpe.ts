import { printable } from "../../util/printable.ts";
import type { GgufTokens } from "./tokens.ts";

/** Parts of a tokenizer.json. */
export interface TokenizerParts {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether texts begin with a token, if the file does not say. */
  readonly addsFirst: boolean;
}

/** How a text is cut up before its parts are tokenized, as tokenizer.json of the models has it. */
interface Cut {
  readonly normalizer: object | null;
  readonly pre: object;
  /** Whether a part that is a token is not merged from others. */
  readonly whole: boolean;
  readonly addsFirst: boolean;
}

const byteLevel = (use_regex: boolean) => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex,
});

const matches = (regex: string) => ({
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false },
    byteLevel(false),
  ],
});

const gpt2: Cut = { normalizer: null, pre: byteLevel(true), whole: false, addsFirst: false };

const digits: Cut = {
  ...gpt2,
  pre: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel(true)] },
};

const words = (numbers: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const llama3: Cut = { normalizer: null, pre: matches(words("\\p{N}{1,3}")), whole: true, addsFirst: true };

/** llama.cpp's name ("tokenizer.ggml.pre") → the cut. */
const CUTS: ReadonlyMap<string, Cut> = new Map([
  ["gpt-2", gpt2],
  ["phi-2", gpt2],
  ["smollm", digits],
  ["starcoder", digits],
  ["llama-bpe", llama3],
  ["llama3", llama3],
  ["llama-v3", llama3],
  ["qwen2", { normalizer: { type: "NFC" }, pre: matches(words("\\p{N}")), whole: false, addsFirst: false }],
]);

/**
 * Returns a tokenizer.json's parts for byte-level BPE.
 *
 * @param tokens The file's tokens.
 * @throws {InputError} If texts are cut in a way that is not known here.
 */
export function bpeOf({ metadata, texts }: GgufTokens): TokenizerParts {
  const pre = metadata.string("tokenizer.ggml.pre", "default");
  const cut = CUTS.get(pre) ?? metadata.fail(
    `its tokenizer cuts texts by rule "${printable(pre, 100)}"; those known here are ${[...CUTS.keys()].join(", ")}`,
  );
  return {
    fields: {
      normalizer: cut.normalizer,
      pre_tokenizer: cut.pre,
      decoder: byteLevel(true),
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: cut.whole,
        vocab: vocabularyOf(texts),
        // A token may hold a space only as Ġ, so that the one in between is the only one.
        merges: metadata.strings("tokenizer.ggml.merges").map((pair) => pair.split(" ")),
      },
    },
    addsFirst: cut.addsFirst,
  };
}

/**
 * Returns text → id; of two equal texts the first counts.
 *
 * @example
 * ```ts
 * import { vocabularyOf } from "./tokenizer_bpe.ts";
 *
 * console.log(vocabularyOf(["a", "b", "a"]).a); // 0
 * ```
 */
export function vocabularyOf(texts: readonly string[]): Record<string, number> {
  const vocabulary: Record<string, number> = Object.create(null);
  texts.forEach((text, id) => vocabulary[text] ??= id);
  return vocabulary;
}
