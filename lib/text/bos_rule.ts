/** What decides whether a text begins with the beginning-of-text token. */
export interface BosRule {
  /** The token, as text. */
  readonly token: string;
  /** Whether it is put before a text. */
  readonly isAdded: boolean;
}

/** Classes of transformers that put it there themselves, by default or where `add_bos_token` asks for it. */
const CLASSES: Readonly<Record<string, { readonly token: string; readonly byDefault: boolean }>> = {
  LlamaTokenizer: { token: "<s>", byDefault: true },
  CodeLlamaTokenizer: { token: "<s>", byDefault: true },
  GemmaTokenizer: { token: "<bos>", byDefault: true },
  CohereTokenizer: { token: "<BOS_TOKEN>", byDefault: true },
  GPTNeoXTokenizer: { token: "<|endoftext|>", byDefault: false },
};

/** The class that is taken for a model whose tokenizer_config.json names none. */
const CLASS_OF_MODEL: Readonly<Record<string, string>> = {
  llama: "LlamaTokenizer",
  mistral: "LlamaTokenizer",
  gemma: "GemmaTokenizer",
  gpt_neox: "GPTNeoXTokenizer",
};

/**
 * Whether transformers 4 puts a beginning-of-text token before a text whatever tokenizer.json's post-processor says. Some
 * of its tokenizer classes write that post-processor anew, by `add_bos_token`; the others, and the Rust library, take
 * it as it is and pass `add_bos_token` over.
 *
 * @example
 * ```ts
 * import { bosRule } from "./bos_rule.ts";
 *
 * console.log(bosRule({ tokenizer_class: "LlamaTokenizer" }, "llama")); // { token: "<s>", isAdded: true }
 * console.log(bosRule({ tokenizer_class: "PreTrainedTokenizerFast", add_bos_token: true }, "llama")); // undefined
 * ```
 *
 * @param config tokenizer_config.json; undefined where there is none, and tokenizer.json alone decides.
 * @param modelType config.json's `model_type`, where it has one.
 * @returns The rule; undefined where tokenizer.json decides.
 */
export function bosRule(config: object | undefined, modelType: string | undefined): BosRule | undefined {
  if (config === undefined) return undefined;
  const { tokenizer_class, add_bos_token, bos_token } = config as Record<string, unknown>;
  const named = typeof tokenizer_class === "string" ? tokenizer_class : own(CLASS_OF_MODEL, modelType);
  const found = own(CLASSES, named?.replace(/Fast$/, ""));
  if (found === undefined) return undefined;
  const isAdded = typeof add_bos_token === "boolean" ? add_bos_token : found.byDefault;
  const token = typeof bos_token === "object" && bos_token !== null && "content" in bos_token
    ? bos_token.content
    : bos_token;
  return { token: typeof token === "string" ? token : found.token, isAdded };
}

function own<T>(record: Readonly<Record<string, T>>, key: string | undefined): T | undefined {
  return key !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
