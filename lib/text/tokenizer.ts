import { Tokenizer } from "@huggingface/tokenizers";
import { InputError } from "../util/errors.ts";
import { describe } from "../model/folder/json_file.ts";
import { notJson, printable } from "../util/printable.ts";
import { readRegular } from "../util/regular_file.ts";
import { type BosRule, bosRule } from "./bos_rule.ts";

/** Largest file to read, bytes. A large vocabulary makes a tokenizer.json of 35 MB. */
const MOST = 128 * 2 ** 20;

/** Turns text into token ids, in this process or another. */
export interface Encoder {
  /** Special tokens before every text, such as a beginning-of-text token; often empty. */
  readonly prefix: readonly number[];
  /** Returns the token ids of a text, without special tokens. */
  encode(text: string): number[] | Promise<number[]>;
}

/** Turns text into token ids and back, like the model's own tokenizer. */
export interface TextTokenizer extends Encoder {
  encode(text: string): number[];
  /** Returns the text of token ids, special tokens included. */
  decode(ids: readonly number[]): string;
}

/**
 * Loads the tokenizer of a Hugging Face model folder: tokenizer.json and, if it exists, tokenizer_config.json. Its
 * prefix is the same as that of transformers' `tokenizer(text)`; see {@linkcode bosRule}.
 *
 * @example
 * ```ts
 * import { loadTokenizer } from "./tokenizer.ts";
 *
 * const tokenizer = await loadTokenizer("lib/assets/novel-neox-8m");
 * console.log(tokenizer.prefix, tokenizer.decode(tokenizer.encode("Call me Ishmael."))); // [ 0 ] Call me Ishmael.
 * ```
 *
 * @param folder Path of the model folder.
 * @returns The tokenizer.
 * @throws {InputError} If a file is missing, not JSON, or describes something unsupported.
 */
export async function loadTokenizer(folder: string): Promise<TextTokenizer> {
  const path = `${folder}/tokenizer.json`;
  const description = await readJson(path);
  if (description === undefined) {
    throw new InputError(
      `Cannot load the tokenizer: ${path} does not exist; copy the model's tokenizer.json there, or write it with ` +
        "tokenizer.save_pretrained in Python's transformers",
    );
  }
  const config = await readJson(`${folder}/tokenizer_config.json`);
  const { model_type } = await readJson(`${folder}/config.json`) as { model_type?: unknown } | undefined ?? {};
  const rule = bosRule(config, typeof model_type === "string" ? model_type : undefined);
  try {
    return wrap(new Tokenizer(description, config ?? {}), rule, path);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    const why = printable(cause instanceof Error ? cause.message : String(cause));
    throw new InputError(`Cannot load the tokenizer: ${path} is not one this version supports: ${why}`, { cause });
  }
}

/** Reads the object in a file; undefined if the file does not exist. */
async function readJson(path: string): Promise<object | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readRegular(path, MOST);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) return undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(`Cannot load the tokenizer: ${path} cannot be read: ${why}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new InputError(`Cannot load the tokenizer: ${path} is not JSON: ${notJson(cause)}`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new InputError(`Cannot load the tokenizer: ${path} holds no object`);
}

function wrap(tokenizer: Tokenizer, rule: BosRule | undefined, path: string): TextTokenizer {
  /** A vocabulary is data: its values may be anything. */
  const check = (ids: readonly unknown[]): number[] => {
    const at = ids.findIndex((id) => !(Number.isSafeInteger(id) && (id as number) >= 0));
    if (at === -1) return ids as number[];
    throw new InputError(
      `Cannot use the tokenizer of ${path}: it gives ${
        describe(ids[at])
      } as the id of token ${at}, not a whole number ` +
        "from 0; download it again",
    );
  };
  const encode = (text: string): number[] => {
    const { ids } = tokenizer.encode(text, { add_special_tokens: false });
    // A vocabulary without an unknown token leaves gaps, which would reach the model as NaN.
    const gap = ids.findIndex((id) => id === undefined);
    if (gap === -1) return check(ids);
    throw new InputError(
      `Cannot tokenize: the tokenizer has no id for token ${gap} of the text, and no unknown token`,
    );
  };
  return {
    prefix: check(rule === undefined ? specialBefore(tokenizer, encode("a")) : prefixBy(rule, tokenizer)),
    encode,
    // Clean-up would drop spaces before punctuation that are in the text.
    decode: (ids) =>
      ids.length === 0
        ? ""
        : tokenizer.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
  };
}

/** Returns the tokens that the model's tokenizer class puts before a text. */
function prefixBy({ token, isAdded }: BosRule, tokenizer: Tokenizer): number[] {
  if (!isAdded) return [];
  const id = tokenizer.token_to_id(token);
  if (id !== undefined) return [id];
  throw new InputError(
    `Cannot load the tokenizer: texts begin with its bos_token "${
      printable(token, 100)
    }", which tokenizer.json has no id for; set ` +
      "bos_token in tokenizer_config.json, or add_bos_token to false",
  );
}

/**
 * Returns the tokens that the tokenizer itself puts before a text, found by encoding one. Tokens after a text (BERT's
 * [SEP]) are not part of it.
 */
function specialBefore(tokenizer: Tokenizer, plain: readonly number[]): number[] {
  const { ids } = tokenizer.encode("a", { add_special_tokens: true });
  const start = ids.findIndex((_, at) => plain.every((id, i) => ids[at + i] === id));
  return ids.slice(0, Math.max(start, 0));
}
