import assert from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { embeddedJson, withFolder } from "./_tokenizers.ts";

const embedded = "lib/assets/novel-neox-8m";
const refuses = (files: Record<string, unknown>, pattern: RegExp) =>
  withFolder(files, (folder) =>
    assert.rejects(loadTokenizer(folder), (error: Error) => {
      assert(error instanceof InputError, String(error));
      assert.match(error.message, pattern);
      assert.match(error.message, /^Cannot load the tokenizer: /);
      return true;
    }));

Deno.test("loadTokenizer() finds the special token before a text", async () => {
  assert.deepEqual((await loadTokenizer(embedded)).prefix, [0]);
  const json = await embeddedJson();
  await withFolder({ "tokenizer.json": { ...json, post_processor: null } }, async (folder) => {
    assert.deepEqual((await loadTokenizer(folder)).prefix, []);
  });
  const special = { SpecialToken: { id: "<|endoftext|>", type_id: 0 } };
  const sequence = { Sequence: { id: "A", type_id: 0 } };
  const after = { ...json.post_processor as object, single: [special, sequence, special] };
  await withFolder({ "tokenizer.json": { ...json, post_processor: after } }, async (folder) => {
    assert.deepEqual((await loadTokenizer(folder)).prefix, [0]);
  });
});

Deno.test("decode() gives the text back", async () => {
  const { encode, decode } = await loadTokenizer(embedded);
  for (const text of ["", "CHAPTER 1. Loomings.\n\nCall me Ishmael .", "  naïve — 鯨 🐋 \r\n\tdon 't"]) {
    assert.equal(decode(encode(text)), text);
  }
  assert.equal(decode([0, ...encode("a")]), "<|endoftext|>a");
});

Deno.test("loadTokenizer() says what is wrong with a folder", async () => {
  await refuses({}, /tokenizer\.json does not exist; copy the model's tokenizer\.json there, or write it with/);
  await refuses({ "tokenizer.json": "{" }, /tokenizer\.json is not JSON: /);
  await refuses({ "tokenizer.json": "[]" }, /tokenizer\.json holds no object/);
  await refuses({ "tokenizer.json": { model: {} } }, /is not one this version supports: Tokenizer must contain/);
  const json = await embeddedJson();
  await refuses(
    { "tokenizer.json": { ...json, model: { type: "Telepathy" } } },
    /is not one this version supports: .*Telepathy/,
  );
  await refuses({ "tokenizer.json": { ...json, model: null } }, /is not one this version supports/);
  await refuses({ "tokenizer.json": json, "tokenizer_config.json": "}" }, /tokenizer_config\.json is not JSON/);
  await assert.rejects(loadTokenizer("deno.json"), /deno\.json\/tokenizer\.json does not exist/);
});
