import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../../lib/errors.ts";
import { loadText } from "../../lib/text/datasets.ts";
import { firstTokens } from "../../lib/text/prefix.ts";
import { loadTokenizer, type TextTokenizer } from "../../lib/text/tokenizer.ts";
import { embeddedJson, metaspaceJson, patternJson, withFolder } from "./_tokenizers.ts";

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
  await refuses({}, /there is no .*tokenizer\.json; copy the model's tokenizer\.json there, or write it with/);
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
  await assert.rejects(loadTokenizer("lib/errors.ts"), /there is no lib\/errors\.ts\/tokenizer\.json/);
});

const word = fc.constantFrom(
  ..."the whale , Ishmael . 1851 don't — 鯨は海にいる 🐋🐋 naïve \t <|endoftext|> ==== ! ?! a I 'S \r\n \u00a0 é".split(
    " ",
  ),
);
const space = fc.constantFrom(" ", " ", " ", "", "\n", "\n\n", "  ", "   \n ");
const run = fc.tuple(fc.constantFrom("a", " ", "=", "\n", "鯨", "ab", "🐋"), fc.nat(700)).map(([c, n]) => c.repeat(n));
const anyText = fc.array(fc.oneof({ weight: 60, arbitrary: fc.tuple(word, space) }, { weight: 1, arbitrary: run }), {
  minLength: 50,
  maxLength: 500,
  size: "max",
}).map((parts) => parts.flat().join(""));

for (
  const [kind, json] of [["byte-level", embeddedJson], ["pattern", patternJson], ["metaspace", metaspaceJson]] as const
) {
  Deno.test(`firstTokens() gives what the whole text begins with: ${kind}`, async () => {
    const tokenizer = await withFolder({ "tokenizer.json": await json() }, loadTokenizer);
    let cut = 0;
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 150 }), (text, count) => {
        const whole = tokenizer.encode(text);
        const { ids, complete } = firstTokens(text, tokenizer, count);
        if (!complete) cut++;
        assert(complete ? ids.length === whole.length : ids.length >= count);
        assert.deepEqual(ids, whole.slice(0, ids.length));
      }),
      { numRuns: 150 },
    );
    assert(cut > 50, `only ${cut} texts were cut`);
  });
}

Deno.test("firstTokens() reads a large text only as far as it is needed", async () => {
  const { texts } = await loadText("moby_dick");
  const tokenizer = await loadTokenizer(embedded);
  let read = 0;
  const counting: TextTokenizer = {
    ...tokenizer,
    encode: (text) => {
      read += text.length;
      return tokenizer.encode(text);
    },
  };
  assert(firstTokens(texts[0]!.repeat(20), counting, 5000).ids.length >= 5000);
  assert(read < 60_000, `${read} characters for 5000 tokens`);
});

Deno.test("firstTokens() never cuts a character in two", async () => {
  const tokenizer = await loadTokenizer(embedded);
  const text = "x" + "🐋".repeat(5000);
  const { ids } = firstTokens(text, tokenizer, 1000);
  assert.deepEqual(ids, tokenizer.encode(text).slice(0, ids.length));
});
