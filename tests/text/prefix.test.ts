import assert from "node:assert/strict";
import fc from "fast-check";
import { firstTokens, tokensWithin } from "../../lib/text/prefix.ts";
import { stringSource } from "../../lib/text/text_source.ts";
import { loadTokenizer, type TextTokenizer } from "../../lib/text/tokenizer.ts";
import { piecewise, textsOf } from "./_dataset.ts";
import { embeddedJson, metaspaceJson, patternJson, withFolder } from "./_tokenizers.ts";

const embedded = "lib/assets/novel-neox-8m";

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
    await fc.assert(
      fc.asyncProperty(
        anyText,
        fc.integer({ min: 1, max: 150 }),
        fc.integer({ min: 1, max: 999 }),
        async (text, count, piece) => {
          const whole = tokenizer.encode(text);
          const { ids, complete } = await firstTokens(piecewise(text, piece), tokenizer, count);
          if (!complete) cut++;
          assert(complete ? ids.length === whole.length : ids.length >= count);
          assert.deepEqual(ids, whole.slice(0, ids.length));
        },
      ),
      { numRuns: 150 },
    );
    assert(cut > 50, `only ${cut} texts were cut`);
  });
}

Deno.test("tokensWithin() gives what the whole text begins with, the same whatever is read at once", async () => {
  const tokenizer = await loadTokenizer(embedded);
  let cut = 0;
  const lengths = fc.record({ length: fc.integer({ min: 1, max: 3000 }), piece: fc.integer({ min: 1, max: 999 }) });
  await fc.assert(
    fc.asyncProperty(anyText, lengths, async (text, { length, piece }) => {
      const { ids, complete } = await tokensWithin(piecewise(text, piece), tokenizer, length);
      const whole = tokenizer.encode(text);
      if (!complete) cut++;
      assert.equal(complete, length >= text.length);
      assert.deepEqual(ids, complete ? whole : whole.slice(0, ids.length));
      assert.deepEqual(await tokensWithin(stringSource(text), tokenizer, length), { ids, complete });
    }),
    { numRuns: 100 },
  );
  assert(cut > 20, `only ${cut} texts were cut`);
});

Deno.test("firstTokens() reads a large text only as far as it is needed", async () => {
  const [moby] = await textsOf("moby_dick");
  const tokenizer = await loadTokenizer(embedded);
  let read = 0;
  const counting: TextTokenizer = {
    ...tokenizer,
    encode: (text) => {
      read += text.length;
      return tokenizer.encode(text);
    },
  };
  const source = piecewise(moby!.repeat(20), 1000);
  assert((await firstTokens(source, counting, 5000)).ids.length >= 5000);
  assert(read < 60_000, `${read} characters for 5000 tokens`);
  assert(source.read < 60_000, `${source.read} characters read for 5000 tokens`);
});

Deno.test("firstTokens() never cuts a character in two", async () => {
  const tokenizer = await loadTokenizer(embedded);
  const text = "x" + "🐋".repeat(5000);
  const { ids } = await firstTokens(stringSource(text), tokenizer, 1000);
  assert.deepEqual(ids, tokenizer.encode(text).slice(0, ids.length));
});
