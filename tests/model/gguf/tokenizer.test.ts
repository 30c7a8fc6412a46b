/** Tokenizers out of a GGUF file's metadata. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { join } from "@std/path";
import type { GgufHeader } from "../../../lib/model/gguf/header.ts";
import { readGgufHeader } from "../../../lib/model/gguf/header.ts";
import { tokenizerOf } from "../../../lib/model/gguf/tokenizer.ts";
import { loadTokenizer, type TextTokenizer } from "../../../lib/text/tokenizer.ts";
import spm from "../../fixtures/gguf/sentencepiece.json" with { type: "json" };
import { temporaryFolder, writeFiles } from "../_models.ts";
import { FEW_TOKENS, gguf, type Value } from "./_gguf.ts";

function headerOf(metadata: Readonly<Record<string, Value>>): GgufHeader {
  using folder = temporaryFolder();
  const file = join(folder.path, "model.gguf");
  Deno.writeFileSync(file, gguf(metadata, {}));
  return readGgufHeader(file);
}

async function tokenizer(metadata: Readonly<Record<string, Value>>): Promise<TextTokenizer> {
  using folder = temporaryFolder();
  const made = tokenizerOf(headerOf(metadata));
  writeFiles(folder.path, {
    "config.json": { model_type: "llama" },
    "tokenizer.json": made.tokenizer,
    "tokenizer_config.json": made.config,
  });
  return await loadTokenizer(folder.path);
}

const SPM: Readonly<Record<string, Value>> = {
  "tokenizer.ggml.model": { string: "llama" },
  "tokenizer.ggml.tokens": { strings: spm.tokens },
  "tokenizer.ggml.scores": { f32s: spm.scores },
  "tokenizer.ggml.token_type": { i32s: spm.kinds },
  "tokenizer.ggml.bos_token_id": { u32: 1 },
};

Deno.test("a SentencePiece model's texts become the tokens of Python's sentencepiece", async () => {
  const { prefix, encode, decode } = await tokenizer(SPM);
  deepEqual(prefix, [1]);
  for (const { text, ids } of spm.texts) {
    deepEqual(encode(text), ids, text);
    equal(decode(ids), text);
  }
});

Deno.test("texts begin with a token if the file says so, or else by the kind", async () => {
  const none = await tokenizer({ ...SPM, "tokenizer.ggml.add_bos_token": { bool: false } });
  deepEqual(none.prefix, []);
  deepEqual((await tokenizer(FEW_TOKENS)).prefix, []);
  deepEqual((await tokenizer({ ...FEW_TOKENS, "tokenizer.ggml.add_bos_token": { bool: true } })).prefix, [4]);
  deepEqual((await tokenizer({ ...FEW_TOKENS, "tokenizer.ggml.pre": { string: "llama-bpe" } })).prefix, [4]);
});

/** Bytes as GPT-2's tokens write them, and a few merges. */
function byteTokens(pre: string): Record<string, Value> {
  const printable = (byte: number) => byte > 32 && byte < 127 || byte > 160 && byte !== 173;
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  const merges = ["1 2", "12 3", "123 4", "Ġ 1", "' T", "H i"];
  const tokens = [...bytes, ...merges.map((pair) => pair.replace(" ", "")), "<|end|>"];
  return {
    "tokenizer.ggml.model": { string: "gpt2" },
    "tokenizer.ggml.pre": { string: pre },
    "tokenizer.ggml.tokens": { strings: tokens },
    "tokenizer.ggml.token_type": { i32s: tokens.map((token) => token === "<|end|>" ? 3 : 1) },
    "tokenizer.ggml.merges": { strings: merges },
    "tokenizer.ggml.bos_token_id": { u32: tokens.length - 1 },
  };
}

Deno.test("byte-level BPE cuts numbers and words as its rule says, and gives every text back", async () => {
  const cuts = {
    "gpt-2": ["1234", "Ġ1", "Hi", "'", "T"],
    "phi-2": ["1234", "Ġ1", "Hi", "'", "T"],
    smollm: ["1", "2", "3", "4", "Ġ", "1", "Hi", "'", "T"],
    qwen2: ["1", "2", "3", "4", "Ġ", "1", "Hi", "'T"],
    "llama-bpe": ["123", "4", "Ġ", "1", "Hi", "'T"],
  };
  for (const [pre, wanted] of Object.entries(cuts)) {
    const metadata = byteTokens(pre);
    const { strings } = metadata["tokenizer.ggml.tokens"] as { strings: string[] };
    const { encode, decode } = await tokenizer(metadata);
    deepEqual(encode("1234 1Hi'T").map((id) => strings[id]), wanted, pre);
    for (const text of ["Hi<|end|>1", " a\n\n  b\tÄ鯨🐋"]) equal(decode(encode(text)), text, pre);
    equal(encode("Hi<|end|>").at(-1), strings.length - 1);
  }
});

Deno.test("a tokenizer that is not known is an error that says what is", () => {
  const refuses = (change: Record<string, Value>, message: RegExp, from = FEW_TOKENS) =>
    throws(() => tokenizerOf(headerOf({ ...from, ...change })), { name: "InputError", message });
  refuses({ "tokenizer.ggml.pre": { string: "tekken" } }, /rule "tekken"; those known here are gpt-2/);
  refuses({ "tokenizer.ggml.model": { string: "t5" } }, /kind "t5"; those read are gpt2 and llama/);
  refuses({ "tokenizer.ggml.token_type": { i32s: [1] } }, /5 tokens and 1 kinds/);
  refuses({ "tokenizer.ggml.scores": { f32s: [1] } }, /scores/, SPM);
  refuses({ "tokenizer.ggml.bos_token_id": { u32: 99_999 } }, /does not name/, SPM);
  refuses({ "tokenizer.ggml.merges": { u32: 1 } }, /"tokenizer.ggml.merges" must be a list of texts, found 1/);
});
