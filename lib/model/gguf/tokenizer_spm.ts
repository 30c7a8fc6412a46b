import { type TokenizerParts, vocabularyOf } from "./tokenizer_bpe.ts";
import { type GgufTokens, KIND } from "./tokens.ts";

/** What SentencePiece writes for a space. */
const SPACE = "▁";

/**
 * Returns a tokenizer.json's parts for SentencePiece's BPE. Its merges follow from the tokens' scores, as in
 * transformers' conversion.
 *
 * @param tokens The file's tokens.
 * @throws {InputError} If scores are missing.
 */
export function sentencePieceOf({ metadata, texts, kinds }: GgufTokens): TokenizerParts {
  const scores = metadata.numbers("tokenizer.ggml.scores");
  if (scores.length !== texts.length) {
    metadata.fail(`it has ${texts.length} tokens and ${scores.length} scores of them: it is damaged`);
  }
  if (metadata.boolean("tokenizer.ggml.remove_extra_whitespaces", false)) {
    metadata.fail("its tokenizer removes spaces (tokenizer.ggml.remove_extra_whitespaces), which is not done here");
  }
  const prefix = metadata.boolean("tokenizer.ggml.add_space_prefix", true);
  const unknown = kinds.indexOf(KIND.unknown);
  return {
    fields: {
      normalizer: {
        type: "Sequence",
        normalizers: [
          ...(prefix ? [{ type: "Prepend", prepend: SPACE }] : []),
          { type: "Replace", pattern: { String: " " }, content: SPACE },
        ],
      },
      pre_tokenizer: null,
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: SPACE }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
        ],
      },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: unknown === -1 ? null : texts[unknown],
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: true,
        byte_fallback: kinds.includes(KIND.byte),
        ignore_merges: false,
        vocab: vocabularyOf(texts),
        merges: mergesOf(texts, kinds, scores),
      },
    },
    addsFirst: true,
  };
}

/** Returns the pairs of tokens that make a token, those of the highest score first. */
function mergesOf(texts: readonly string[], kinds: Float64Array, scores: Float64Array): [string, string][] {
  const ids = new Map<string, number>();
  texts.forEach((text, id) => kinds[id] === 1 && !ids.has(text) && ids.set(text, id));
  const merges: { readonly pair: [string, string]; readonly whole: number; readonly left: number; right: number }[] =
    [];
  for (const [text, whole] of ids) {
    const characters = [...text];
    let start = "";
    for (const character of characters.slice(0, -1)) {
      start += character;
      const end = text.slice(start.length);
      const left = ids.get(start), right = ids.get(end);
      if (left !== undefined && right !== undefined) merges.push({ pair: [start, end], whole, left, right });
    }
  }
  return merges
    .sort((a, b) => scores[b.whole]! - scores[a.whole]! || a.whole - b.whole || a.left - b.left || a.right - b.right)
    .map(({ pair }) => pair);
}
