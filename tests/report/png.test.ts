import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { withResolution } from "../../lib/report/charts/png.ts";

/** A chunk of a PNG file. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const HEADER = chunk("IHDR", new Uint8Array(13));
const END = chunk("IEND", new Uint8Array());
/** 11811 pixels per metre, both ways. */
const PHYS_300 = chunk("pHYs", Uint8Array.of(0, 0, 0x2e, 0x23, 0, 0, 0x2e, 0x23, 1));
const join = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

Deno.test("withResolution() puts pHYs right after the header, with its CRC", () => {
  assert.deepEqual(withResolution(join(SIGNATURE, HEADER, END), 300), join(SIGNATURE, HEADER, PHYS_300, END));
});

Deno.test("withResolution() replaces a resolution, and leaves the other chunks as they are", () => {
  const pixels = chunk("IDAT", Uint8Array.of(1, 2, 3));
  const old = chunk("pHYs", Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0));
  assert.deepEqual(
    withResolution(join(SIGNATURE, HEADER, old, pixels, END), 300),
    join(SIGNATURE, HEADER, PHYS_300, pixels, END),
  );
});

Deno.test("withResolution() refuses a file that is not PNG", () => {
  assert.throws(() => withResolution(new TextEncoder().encode("GIF89a, and more"), 300), TypeError);
  assert.throws(() => withResolution(new Uint8Array(), 300), TypeError);
});
