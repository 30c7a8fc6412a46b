import assert from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import { sampleTokens } from "../../lib/text/samples.ts";
import { stringSource } from "../../lib/text/text_source.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import reference from "../fixtures/moby_801.json" with { type: "json" };
import { textsOf } from "./_dataset.ts";

const tokenizer = await loadTokenizer("lib/assets/novel-neox-8m");
const moby = await textsOf("moby_dick");
const whole = (text: string) => tokenizer.encode(text);
const take = (texts: readonly string[], samples: number, tokensPerSample: number, about?: string) =>
  sampleTokens({ texts: texts.map(stringSource), tokenizer, samples, tokensPerSample, about: () => about });

Deno.test("sampleTokens() gives the reference's ids of Moby Dick", async () => {
  assert.deepEqual(await take(moby, 1, 801), [reference]);
});

Deno.test("sampleTokens() gives successive stretches of one text", async () => {
  const ids = whole(moby[0]!.slice(0, 60_000));
  const found = await take(moby, 7, 1001);
  assert.equal(found.length, 7);
  found.forEach((sample, i) => assert.deepEqual(sample, [0, ...ids.slice(i * 1000, (i + 1) * 1000)]));
});

Deno.test("sampleTokens() starts at the beginning of every text before it goes on in one", async () => {
  const texts = ["one ".repeat(100), "short", "two ".repeat(50), "three ".repeat(100)];
  const [one, , two, three] = texts.map(whole) as [number[], number[], number[], number[]];
  const samples = await take(texts, 5, 41);
  assert.deepEqual(samples, [
    [0, ...one.slice(0, 40)],
    [0, ...two.slice(0, 40)],
    [0, ...three.slice(0, 40)],
    [0, ...one.slice(40, 80)],
    [0, ...three.slice(40, 80)],
  ]);
});

Deno.test("sampleTokens() takes a text to its last token", async () => {
  const text = "Call me Ishmael. Some years ago";
  const ids = [0, ...whole(text)];
  assert.deepEqual(await take([text], 1, ids.length), [ids]);
});

Deno.test("sampleTokens() says how many tokens a short text has", async () => {
  const refuses = (texts: string[], samples: number, tokensPerSample: number, pattern: RegExp) =>
    assert.rejects(take(texts, samples, tokensPerSample), (error: Error) => {
      assert(error instanceof InputError);
      assert.match(error.message, pattern);
      return true;
    });
  const text = "one ".repeat(100);
  const count = whole(text).length;
  await refuses(
    [text],
    1,
    2001,
    new RegExp(`^Cannot take 1 sample of 2000 tokens: the text has ${count} tokens, enough for 0`),
  );
  await refuses(
    [text],
    3,
    41,
    new RegExp(`3 samples of 40 tokens: the text has ${count} tokens, enough for 2; give a longer`),
  );
  await refuses([text, "a"], 9, 41, new RegExp(`the longest of the 2 texts has ${count} tokens, enough for 2`));
  await refuses([text], 1, 1, /^Cannot take samples of 1 tokens: the tokenizer puts 1 before the text/);
});

Deno.test("sampleTokens() asks for no more texts than it needs", async () => {
  const asked: number[] = [];
  async function* texts() {
    for (let i = 0;; i++) {
      asked.push(i);
      yield stringSource(i === 1 ? "short" : `${i} `.repeat(100));
    }
  }
  const samples = await sampleTokens({ texts: texts(), tokenizer, samples: 3, tokensPerSample: 41 });
  assert.deepEqual(samples, [0, 2, 3].map((i) => [0, ...whole(`${i} `.repeat(100)).slice(0, 40)]));
  assert.deepEqual(asked, [0, 1, 2, 3]);
});

Deno.test("sampleTokens() says what was passed over where texts are too few", async () => {
  await assert.rejects(
    take(["a"], 1, 41, "passed over: 3 texts"),
    /enough for 0 \(passed over: 3 texts\); give a longer/,
  );
});
