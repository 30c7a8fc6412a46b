import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../../lib/util/errors.ts";
import { ByteText } from "../../lib/text/byte_text.ts";
import { jsonArray } from "../../lib/text/json_array.ts";
import { jsonLines } from "../../lib/text/json_lines.ts";

const fault = (why: string) => new InputError(why);

/** Cuts bytes into pieces of the given lengths, repeatedly. */
async function* cut(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]!;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const text = fc.string({ unit: "binary", maxLength: 60 }).filter((text) => text.isWellFormed());

Deno.test("ByteText is the text, wherever its bytes are cut and however it is asked for", async () => {
  await fc.assert(fc.asyncProperty(text, lengths, fc.array(fc.nat(70)), async (text, lengths, asked) => {
    // A byte order mark is dropped once.
    const whole = text.replace(/^\ufeff/, "");
    const source = new ByteText(cut(new TextEncoder().encode(text), lengths), fault);
    for (const length of asked) {
      const { text: head, complete } = await source.head(length);
      assert(whole.startsWith(head) && (complete ? head === whole : head.length >= length));
    }
    assert.deepEqual(await source.head(Infinity), { text: whole, complete: true });
  }));
});

const json = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'[]{},:"\\ a\n🐋é') }),
  fc.jsonValue({ maxDepth: 3 }),
);
const indent = fc.constantFrom(undefined, 1, "\t");

Deno.test("jsonArray() finds the elements that JSON.parse finds, wherever the bytes are cut", async () => {
  await fc.assert(fc.asyncProperty(fc.array(json, { maxLength: 6 }), indent, lengths, async (rows, indent, lengths) => {
    const text = JSON.stringify(rows, null, indent);
    const found = await Array.fromAsync(jsonArray(cut(new TextEncoder().encode(text), lengths), fault));
    assert.deepEqual(found.map(({ value }) => value), JSON.parse(text));
    const { data } = JSON.parse(`{"data": ${text}}`);
    const inData = new TextEncoder().encode(` {"a": [1], "data": ${text}, "b": "]"}\n`);
    assert.deepEqual((await Array.fromAsync(jsonArray(cut(inData, lengths), fault))).map(({ value }) => value), data);
  }));
});

Deno.test("jsonLines() finds every line's value, wherever the bytes are cut", async () => {
  await fc.assert(fc.asyncProperty(fc.array(json, { maxLength: 6 }), lengths, async (rows, lengths) => {
    const lines = rows.map((row) => JSON.stringify(row));
    const found = await Array.fromAsync(jsonLines(cut(new TextEncoder().encode(lines.join("\n")), lengths), fault));
    assert.deepEqual(found, lines.map((line, i) => ({ value: JSON.parse(line), line: i + 1 })));
  }));
});

Deno.test("jsonArray() fails where JSON.parse does, and with nothing but an InputError", async () => {
  const broken = fc.string({ unit: fc.constantFrom(...'[]{},:"\\1a \n'), maxLength: 12 }).map((text) => `[${text}]`);
  await fc.assert(
    fc.asyncProperty(broken, lengths, async (text, lengths) => {
      const expected = (() => {
        try {
          return JSON.parse(text);
        } catch {
          return undefined;
        }
      })();
      try {
        const found = await Array.fromAsync(jsonArray(cut(new TextEncoder().encode(text), lengths), fault));
        assert.deepEqual(found.map(({ value }) => value), expected, text);
      } catch (error) {
        assert(error instanceof InputError && expected === undefined, `${text}: ${error}`);
      }
    }),
    { numRuns: 2000 },
  );
});
