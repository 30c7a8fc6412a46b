import assert from "node:assert/strict";
import { InputError } from "../../lib/util/errors.ts";
import fc from "fast-check";
import { type SampleOptions, sampleTokens, SPREAD_CHARACTERS } from "../../lib/text/samples.ts";
import { stringSource } from "../../lib/text/text_source.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import reference from "../fixtures/moby_801.json" with { type: "json" };
import { piecewise, textsOf } from "./_dataset.ts";

const tokenizer = await loadTokenizer("lib/assets/novel-neox-8m");
const moby = await textsOf("moby_dick");
const whole = (text: string) => tokenizer.encode(text);
const find = (
  texts: readonly string[],
  samples: number,
  tokensPerSample: number,
  options: Partial<SampleOptions> = {},
) => sampleTokens({ texts: texts.map(stringSource), tokenizer, samples, tokensPerSample, ...options });
const take = async (...args: Parameters<typeof find>) => (await find(...args)).samples;

Deno.test("sampleTokens() gives the reference's ids of Moby Dick", async () => {
  assert.deepEqual(await take(moby, 1, 801), [reference]);
});

Deno.test("sampleTokens() gives successive stretches of one text if asked to", async () => {
  const ids = whole(moby[0]!.slice(0, 60_000));
  const found = await take(moby, 7, 1001, { successive: true });
  assert.equal(found.length, 7);
  found.forEach((sample, i) => assert.deepEqual(sample, [0, ...ids.slice(i * 1000, (i + 1) * 1000)]));
});

Deno.test("sampleTokens() spreads samples over one text, from its first token to its last", async () => {
  const text = moby[0]!.slice(0, 100_000);
  const ids = whole(text);
  const { samples, texts } = await find([text], 4, 1001);
  const starts = [0, 1, 2, 3].map((i) => Math.round(i * (ids.length - 1000) / 3));
  assert.deepEqual(samples, starts.map((start) => [0, ...ids.slice(start, start + 1000)]));
  assert.equal(texts, 1);
  assert.deepEqual(samples.at(-1)!.slice(-3), ids.slice(-3));
});

Deno.test("sampleTokens() spreads samples over the first million characters of a longer text", async () => {
  const long = moby[0]!;
  assert(long.length > SPREAD_CHARACTERS + 100_000);
  const source = piecewise(long + long, 50_000);
  const { samples: [first, last] } = await sampleTokens({
    texts: [source],
    tokenizer,
    samples: 2,
    tokensPerSample: 801,
  });
  assert.deepEqual(first, reference);
  assert(source.read <= SPREAD_CHARACTERS + 50_000, `${source.read}`);
  const end = long.slice(0, SPREAD_CHARACTERS).lastIndexOf(tokenizer.decode(last!.slice(1)).trim());
  assert(end > SPREAD_CHARACTERS - 6000, `${end}`); // 800 tokens are about 2500 characters
  // The same whatever is read at once
  assert.deepEqual((await take([long], 2, 801))[1], last);
});

Deno.test("sampleTokens() gives successive samples where they need more than a million characters", async () => {
  // A tokenizer of which each token is two characters
  const pairs = { prefix: [], encode: (text: string) => Array.from({ length: text.length >> 1 }, (_, i) => i) };
  const texts = [stringSource("a".repeat(3 * SPREAD_CHARACTERS))];
  const size = 0.3 * SPREAD_CHARACTERS;
  const { samples } = await sampleTokens({ texts, tokenizer: pairs, samples: 4, tokensPerSample: size });
  assert.deepEqual(samples.map(([first]) => first), [0, size, 2 * size, 3 * size]);
});

Deno.test("sampleTokens() never overlaps samples, whatever their number and length", async () => {
  const digits = { prefix: [7, 7], encode: (text: string) => [...text].map((_, i) => i) };
  const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 });
  await fc.assert(fc.asyncProperty(
    lengths,
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 1, max: 12 }),
    fc.boolean(),
    async (lengths, samples, size, successive) => {
      const room = lengths.map((length) => Math.floor(length / size));
      const texts = lengths.map((length) => stringSource("x".repeat(length)));
      const found = sampleTokens({ texts, tokenizer: digits, samples, tokensPerSample: size + 2, successive });
      if (room.reduce((a, b) => a + b) < samples) return await assert.rejects(found, InputError);
      // Plain reference: a sample of each text in turn, then the places of each text's samples
      const counts = lengths.map(() => 0);
      const order: [text: number, index: number][] = [];
      for (let round = 0; order.length < samples; round++) {
        for (const [text, most] of room.entries()) {
          if (round < most && order.length < samples) order.push([text, counts[text]!++]);
        }
      }
      const places = order.map(([text, index]) => {
        const apart = successive || counts[text] === 1 ? size : (lengths[text]! - size) / (counts[text]! - 1);
        return Math.round(index * apart);
      });
      const { samples: taken, texts: used } = await found;
      assert.deepEqual(taken, places.map((at) => [7, 7, ...Array.from({ length: size }, (_, i) => at + i)]));
      assert.equal(used, counts.filter((count) => count > 0).length);
      for (const [text, length] of lengths.entries()) {
        const starts = places.filter((_, i) => order[i]![0] === text);
        starts.forEach((at, i) => assert(at + size <= (starts[i + 1] ?? length)));
      }
    },
  ));
});

Deno.test("sampleTokens() starts at the beginning of every text before it goes on in one", async () => {
  const texts = ["one ".repeat(100), "short", "two ".repeat(50), "three ".repeat(100)];
  const [one, , two, three] = texts.map(whole) as [number[], number[], number[], number[]];
  const successive = await find(texts, 5, 41, { successive: true });
  assert.deepEqual(successive.samples, [
    [0, ...one.slice(0, 40)],
    [0, ...two.slice(0, 40)],
    [0, ...three.slice(0, 40)],
    [0, ...one.slice(40, 80)],
    [0, ...three.slice(40, 80)],
  ]);
  assert.equal(successive.texts, 3);
  const spread = await take(texts, 5, 41);
  assert.deepEqual(spread.slice(0, 3), successive.samples.slice(0, 3));
  assert.deepEqual(spread.slice(3), [one, three].map((ids) => [0, ...ids.slice(-40)]));
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
  const { samples } = await sampleTokens({ texts: texts(), tokenizer, samples: 3, tokensPerSample: 41 });
  assert.deepEqual(samples, [0, 2, 3].map((i) => [0, ...whole(`${i} `.repeat(100)).slice(0, 40)]));
  assert.deepEqual(asked, [0, 1, 2, 3]);
});

Deno.test("sampleTokens() says what was passed over where texts are too few", async () => {
  await assert.rejects(
    take(["a"], 1, 41, { about: () => "passed over: 3 texts" }),
    /enough for 0 \(passed over: 3 texts\); give a longer/,
  );
});
