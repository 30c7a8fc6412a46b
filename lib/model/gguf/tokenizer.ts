import type { GgufHeader } from "./header.ts";
import { Metadata } from "./metadata.ts";
import { bpeOf } from "./tokenizer_bpe.ts";
import { sentencePieceOf } from "./tokenizer_spm.ts";
import { type GgufTokens, KIND } from "./tokens.ts";

/**
 * Makes tokenizer.json and tokenizer_config.json from the metadata of a GGUF file: byte-level BPE ("gpt2") and
 * SentencePiece's BPE ("llama").
 *
 * @example
 * ```ts
 * import { tokenizerOf } from "./tokenizer.ts";
 *
 * const metadata = new Map(Object.entries({
 *   "tokenizer.ggml.model": "gpt2",
 *   "tokenizer.ggml.pre": "smollm",
 *   "tokenizer.ggml.tokens": ["a", "b", "ab"],
 *   "tokenizer.ggml.merges": ["a b"],
 * }));
 * const { tokenizer } = tokenizerOf({ file: "model.gguf", metadata, tensors: new Map() });
 * console.log(JSON.stringify(tokenizer).includes('"Digits"')); // true
 * ```
 *
 * @param header The file's header.
 * @returns Both files' fields.
 * @throws {InputError} If it has no tokenizer, or one of a kind that is not read.
 */
export function tokenizerOf(header: GgufHeader): { readonly tokenizer: object; readonly config: object } {
  const metadata = new Metadata(header);
  const at = "tokenizer.ggml.";
  const model = metadata.string(`${at}model`);
  const texts = metadata.strings(`${at}tokens`);
  const kinds = metadata.has(`${at}token_type`)
    ? metadata.numbers(`${at}token_type`)
    : new Float64Array(texts.length).fill(1);
  if (kinds.length !== texts.length) {
    metadata.fail(`it has ${texts.length} tokens and ${kinds.length} kinds of them: it is damaged`);
  }
  const tokens: GgufTokens = { metadata, texts, kinds };
  const parts = model === "gpt2"
    ? bpeOf(tokens)
    : model === "llama"
    ? sentencePieceOf(tokens)
    : metadata.fail(`its tokenizer is of kind "${model.slice(0, 50)}"; those read are gpt2 and llama`);
  const addsFirst = metadata.boolean(`${at}add_bos_token`, parts.addsFirst);
  const first = metadata.has(`${at}bos_token_id`) ? metadata.integer(`${at}bos_token_id`) : undefined;
  if (addsFirst && (first === undefined || first >= texts.length)) {
    metadata.fail("texts begin with a token that it does not name (tokenizer.ggml.bos_token_id)");
  }
  const added = texts.flatMap((content, id) => isAdded(kinds[id]!) ? [addedToken(id, content, kinds[id]!)] : []);
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: added,
      ...parts.fields,
      post_processor: addsFirst ? beginningWith(texts[first!]!, first!) : null,
    },
    // This class leaves it to tokenizer.json what texts begin with.
    config: {
      tokenizer_class: "PreTrainedTokenizerFast",
      ...(first !== undefined && first < texts.length ? { bos_token: texts[first] } : {}),
      ...(metadata.has("tokenizer.chat_template") ? { chat_template: metadata.string("tokenizer.chat_template") } : {}),
    },
  };
}

/** Whether tokens of a kind are found in a text before it is cut up. */
function isAdded(kind: number): boolean {
  return kind === KIND.control || kind === KIND.user || kind === KIND.unknown;
}

function addedToken(id: number, content: string, kind: number): object {
  const special = kind !== KIND.user;
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

function beginningWith(token: string, id: number): object {
  return {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: token, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}
