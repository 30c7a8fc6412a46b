/** Decides whether a text begins with the beginning-of-text token. */
export interface BosRule {
  /** The token, as text. */
  readonly token: string;
  /** Whether it is put before a text. */
  readonly isAdded: boolean;
}

/** Classes of transformers that add it themselves, by default or if `add_bos_token` is set. */
const CLASSES: Readonly<Record<string, { readonly token: string; readonly byDefault: boolean }>> = {
  LlamaTokenizer: { token: "<s>", byDefault: true },
  CodeLlamaTokenizer: { token: "<s>", byDefault: true },
  GemmaTokenizer: { token: "<bos>", byDefault: true },
  CohereTokenizer: { token: "<BOS_TOKEN>", byDefault: true },
  GPTNeoXTokenizer: { token: "<|endoftext|>", byDefault: false },
};

/** Model type → class, for a tokenizer_config.json that names no class. */
const CLASS_OF_MODEL: Readonly<Record<string, string>> = {
  llama: "LlamaTokenizer",
  mistral: "LlamaTokenizer",
  gemma: "GemmaTokenizer",
  gpt_neox: "GPTNeoXTokenizer",
};

/**
 * Returns whether transformers 4 puts a beginning-of-text token before a text, regardless of tokenizer.json's
 * post-processor. Some of its tokenizer classes replace that post-processor, by `add_bos_token`. The others, and the
 * Rust library, use it unchanged and ignore `add_bos_token`.
 *
 * @example
 * ```ts
 * import { bosRule } from "./bos_rule.ts";
 *
 * console.log(bosRule({ tokenizer_class: "LlamaTokenizer" }, "llama")); // { token: "<s>", isAdded: true }
 * console.log(bosRule({ tokenizer_class: "PreTrainedTokenizerFast", add_bos_token: true }, "llama")); // undefined
 * ```
 *
 * @param config tokenizer_config.json; undefined if the file does not exist, and tokenizer.json alone decides.
 * @param modelType config.json's `model_type`, if it has one.
 * @returns The rule; undefined if tokenizer.json decides.
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
