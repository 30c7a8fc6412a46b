import { deepEqual, match, throws } from "node:assert/strict";
import fc from "fast-check";
import { integers } from "../../lib/flags/ranges.ts";
import { InputError } from "../../lib/util/errors.ts";

const read = (text: string, min = 1) => integers(min)("sizes", text);
const refuses = (text: string, message: RegExp, min = 1) =>
  throws(() => read(text, min), (error: Error) => {
    match(error.message, message);
    return error instanceof InputError;
  });

Deno.test("integers() reads numbers, ranges, steps and factors", () => {
  deepEqual(read("0-3", 0), [0, 1, 2, 3]);
  deepEqual(read("7"), [7]);
  deepEqual(read("5-5"), [5]);
  deepEqual(read("128-1024*2"), [128, 256, 512, 1024]);
  deepEqual(read("128-1000*2"), [128, 256, 512]);
  deepEqual(read("128-512+128"), [128, 256, 384, 512]);
  deepEqual(read("1-10+4,100, 200 - 202"), [1, 5, 9, 100, 200, 201, 202]);
  deepEqual(read("0-4+2", 0), [0, 2, 4]);
});

Deno.test("integers() refuses ranges that are empty, endless or too long, and values that come twice", () => {
  refuses("3-1", /^Cannot read --sizes: found "3-1", the range is empty: 3 is over 1; give the smaller one first$/);
  refuses("0-3", /found "0", give an integer of at least 1$/);
  refuses("1-8*1", /integer factor of at least 2, such as 128-1024\*2$/);
  refuses("1-8*0", /integer factor of at least 2/);
  refuses("1-8*1.5", /integer factor of at least 2/);
  refuses("0-8*2", /from at least 1 by an integer factor/, 0);
  refuses("1-8+0", /integer step of at least 1, such as 128-512\+128$/);
  refuses("1-8+", /integer step/);
  refuses("1-8*", /integer factor/);
  refuses("1-2147483647", /the range has more than 10000 values; give a larger step$/);
  refuses("1-10001", /more than 10000/);
  refuses("1-9000,10000-19000", /the list has 18001 values; give at most 10000$/);
  refuses("1-99999999999", /at most 2147483647/);
  refuses("1-4,3", /3 is given twice/);
  refuses("1-", /found "1-", give an integer/);
  refuses("-3", /found "-3", give an integer/);
  refuses("1-2-3", /found "1-2-3", give an integer/);
  refuses("1,,2", /an item is empty/);
  deepEqual(read("1-10000").length, 10_000);
});

Deno.test("integers() reads every range as a loop would count it", () => {
  const bounds = fc.tuple(fc.nat(3000), fc.nat(3000)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(bounds, fc.integer({ min: 1, max: 700 }), ([from, to], step) => {
      const counted: number[] = [];
      for (let i = from; i <= to; i++) if ((i - from) % step === 0) counted.push(i);
      deepEqual(read(`${from}-${to}+${step}`, 0), counted);
      if (step === 1) deepEqual(read(`${from}-${to}`, 0), counted);
      if (from === 0 || step === 1) return;
      const powers = Array.from({ length: 32 }, (_, i) => from * step ** i).filter((value) => value <= to);
      deepEqual(read(`${from}-${to}*${step}`), powers);
    }),
  );
});
