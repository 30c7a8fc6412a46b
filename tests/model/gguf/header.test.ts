/** Headers of GGUF files: good ones, and whatever damage makes of them. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { join } from "@std/path";
import fc from "fast-check";
import { planConversion } from "../../../lib/model/gguf/convert.ts";
import { readGgufHeader } from "../../../lib/model/gguf/header.ts";
import { InputError } from "../../../lib/util/errors.ts";
import { temporaryFolder } from "../_models.ts";
import { gguf, type Tensor, tinyGguf, type Value } from "./_gguf.ts";

const zeros = (bytes: number): Tensor => ({ type: 0, shape: [bytes / 4], data: new Uint8Array(bytes) });

/** Reads bytes as a file. */
function read<T>(bytes: Uint8Array, how: (file: string) => T): T {
  using folder = temporaryFolder();
  const file = join(folder.path, "model.gguf");
  Deno.writeFileSync(file, bytes);
  return how(file);
}

/** Whether bytes are refused with a message that says something. */
const refuses = (bytes: Uint8Array, message: RegExp) =>
  throws(
    () => read(bytes, readGgufHeader),
    (error: Error) =>
      error instanceof InputError && message.test(error.message) && error.message.startsWith("Cannot read "),
  );

Deno.test("metadata and tensors are read as they were written", () => {
  const metadata: Record<string, Value> = {
    "a.count": { u32: 4_000_000_000 },
    "a.share": { f32: 0.5 },
    "a.flag": { bool: true },
    "a.text": { string: "Ġé" },
    "a.texts": { strings: ["", "x"] },
    "a.numbers": { f32s: [-1, 2] },
  };
  const block: Tensor = { type: 8, shape: [3, 64], data: new Uint8Array(3 * 2 * 34) };
  const header = read(gguf(metadata, { one: zeros(12), two: block }), readGgufHeader);
  deepEqual(
    [...header.metadata.values()].map((value) => value instanceof Float64Array ? [...value] : value),
    [4_000_000_000, 0.5, true, "Ġé", ["", "x"], [-1, 2]],
  );
  const { one, two } = Object.fromEntries(header.tensors);
  deepEqual([one!.shape, one!.bytes, one!.type.name], [[3], 12, "F32"]);
  deepEqual([two!.shape, two!.bytes, two!.type.name], [[3, 64], 204, "Q8_0"]);
  equal(two!.offset - one!.offset, 32);
});

Deno.test("a damaged header is an error that says what is wrong", () => {
  const good = gguf({ "a.text": { string: "x" } }, { one: zeros(64), two: zeros(64) });
  /** The same with a number of 32 or 64 bits at a byte. */
  const put = (at: number, value: bigint, bits: 32 | 64 = 64) => {
    const bytes = good.slice();
    const view = new DataView(bytes.buffer);
    if (bits === 64) view.setBigUint64(at, value, true);
    else view.setUint32(at, Number(value), true);
    return bytes;
  };
  const find = (text: string) => new TextDecoder("latin1").decode(good).indexOf(text);
  const one = find("one"), two = find("two");
  refuses(new Uint8Array(), /truncated/);
  refuses(put(0, 7n, 32), /no GGUF file/);
  refuses(put(4, 0x03000000n, 32), /big-endian/);
  refuses(put(4, 1n, 32), /version 1/);
  refuses(put(8, 2n ** 62n), /claims .* tensors/);
  refuses(put(16, 2n ** 40n), /claims .* metadata entries/);
  refuses(put(24, 2n ** 50n), /bytes of a key/);
  refuses(put(find("a.text") + 6, 99n, 32), /type 99/);
  refuses(put(one + 3, 9n, 32), /9 dimensions/);
  refuses(put(one + 7, 2n ** 60n), /shape/);
  refuses(put(one + 7, 2n ** 40n), /truncated/);
  refuses(put(one + 15, 23n, 32), /IQ4_XS/);
  refuses(put(one + 15, 77n, 32), /type 77/);
  refuses(put(one + 15, 12n, 32), /multiple of Q4_K's 256/);
  refuses(put(two + 19, 32n), /inside the one before it/);
  refuses(put(two + 19, 2n ** 63n), /truncated/);
  refuses(put(two, BigInt(0x656e6f), 32), /twice|damaged|dimensions/);
  refuses(good.subarray(0, good.length - 8), /truncated/);
  refuses(gguf({ "general.alignment": { u32: 24 } }, {}), /power of two/);
  throws(() => readGgufHeader("/nowhere/model.gguf"), InputError);
  throws(() => readGgufHeader(Deno.cwd()), InputError);
});

Deno.test("no damage makes anything but an InputError, or a file that still makes sense", () => {
  const good = tinyGguf("llama-gqa", "llama");
  const header = Math.min(...[...read(good, readGgufHeader).tensors.values()].map(({ offset }) => offset));
  equal(typeof read(good, planConversion).bytes, "number");
  using folder = temporaryFolder();
  const file = join(folder.path, "model.gguf");
  const byte = fc.record({ at: fc.nat(header), value: fc.nat(255) });
  let refused = 0;
  fc.assert(
    fc.property(fc.array(byte, { minLength: 1, maxLength: 6 }), fc.option(fc.nat(good.length)), (bytes, cut) => {
      const damaged = good.slice(0, cut ?? good.length);
      for (const { at, value } of bytes) if (at < damaged.length) damaged[at] = value;
      Deno.writeFileSync(file, damaged);
      try {
        ok(planConversion(file).bytes < 2 ** 30);
      } catch (error) {
        ok(error instanceof InputError, String((error as Error).stack));
        refused++;
      }
    }),
    { numRuns: 400 },
  );
  ok(refused > 50, `only ${refused} refused`);
});
