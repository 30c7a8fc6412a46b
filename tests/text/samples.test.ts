import assert from "node:assert/strict";
import { InputError } from "../../lib/errors.ts";
import { loadText } from "../../lib/text/datasets.ts";
import { sampleTokens } from "../../lib/text/samples.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import reference from "../fixtures/moby_801.json" with { type: "json" };

const tokenizer = await loadTokenizer("lib/assets/novel-neox-8m");
const moby = await loadText("moby_dick");
const whole = (text: string) => tokenizer.encode(text);

Deno.test("sampleTokens() gives the reference's ids of Moby Dick", () => {
  assert.deepEqual(sampleTokens({ texts: moby.texts, tokenizer, samples: 1, tokensPerSample: 801 }), [reference]);
});

Deno.test("sampleTokens() gives successive stretches of one text", () => {
  const ids = whole(moby.texts[0]!.slice(0, 60_000));
  const found = sampleTokens({ texts: moby.texts, tokenizer, samples: 7, tokensPerSample: 1001 });
  assert.equal(found.length, 7);
  found.forEach((sample, i) => assert.deepEqual(sample, [0, ...ids.slice(i * 1000, (i + 1) * 1000)]));
});

Deno.test("sampleTokens() starts at the beginning of every text before it goes on in one", () => {
  const texts = ["one ".repeat(100), "short", "two ".repeat(50), "three ".repeat(100)];
  const [one, , two, three] = texts.map(whole) as [number[], number[], number[], number[]];
  const samples = sampleTokens({ texts, tokenizer, samples: 5, tokensPerSample: 41 });
  assert.deepEqual(samples, [
    [0, ...one.slice(0, 40)],
    [0, ...two.slice(0, 40)],
    [0, ...three.slice(0, 40)],
    [0, ...one.slice(40, 80)],
    [0, ...three.slice(40, 80)],
  ]);
});

Deno.test("sampleTokens() takes a text to its last token", () => {
  const text = "Call me Ishmael. Some years ago";
  const ids = [0, ...whole(text)];
  assert.deepEqual(sampleTokens({ texts: [text], tokenizer, samples: 1, tokensPerSample: ids.length }), [ids]);
});

Deno.test("sampleTokens() says how many tokens a short text has", () => {
  const refuses = (texts: string[], samples: number, tokensPerSample: number, pattern: RegExp) =>
    assert.throws(() => sampleTokens({ texts, tokenizer, samples, tokensPerSample }), (error: Error) => {
      assert(error instanceof InputError);
      assert.match(error.message, pattern);
      return true;
    });
  const text = "one ".repeat(100);
  const count = whole(text).length;
  refuses(
    [text],
    1,
    2001,
    new RegExp(`^Cannot take 1 sample of 2000 tokens: the text has ${count} tokens, enough for 0`),
  );
  refuses(
    [text],
    3,
    41,
    new RegExp(`3 samples of 40 tokens: the text has ${count} tokens, enough for 2; give a longer`),
  );
  refuses([text, "a"], 9, 41, new RegExp(`the longest of the 2 texts has ${count} tokens, enough for 2`));
  refuses([text], 1, 1, /^Cannot take samples of 1 tokens: the tokenizer puts 1 before the text/);
});
