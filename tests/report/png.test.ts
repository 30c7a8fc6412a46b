import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { loadImage } from "@napi-rs/canvas";
import fc from "fast-check";
import { loadCanvas } from "../../lib/report/canvas.ts";
import { encodePng } from "../../lib/report/png.ts";

const { createCanvas } = await loadCanvas();

/** Type and data of a file's chunks; their CRCs have to be right. */
function chunksOf(png: Uint8Array): [type: string, data: Uint8Array][] {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  assert.deepEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks: [string, Uint8Array][] = [];
  for (let at = 8; at < png.length;) {
    const end = at + 8 + view.getUint32(at);
    assert.equal(view.getUint32(end), crc32(png.subarray(at + 4, end)));
    chunks.push([new TextDecoder().decode(png.subarray(at + 4, at + 8)), png.subarray(at + 8, end)]);
    at = end + 4;
  }
  return chunks;
}

Deno.test("encodePng() states the resolution before the pixels", async () => {
  const chunks = chunksOf(await encodePng(createCanvas(70_000, 1), 300));
  assert.deepEqual(chunks.map(([type]) => type), ["IHDR", "pHYs", "IDAT", "IEND"]);
  // 70000 x 1, 8 bits, red, green and blue; 11811 pixels per metre, both ways
  assert.deepEqual([...chunks[0]![1]], [0, 1, 0x11, 0x70, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  assert.deepEqual([...chunks[1]![1]], [0, 0, 0x2e, 0x23, 0, 0, 0x2e, 0x23, 1]);
});

Deno.test("encodePng() writes what was drawn, as another decoder reads it", async () => {
  const size = fc.integer({ min: 1, max: 700 });
  const part = fc.tuple(...Array.from({ length: 4 }, () => fc.double({ min: 0, max: 1, noNaN: true })));
  const colour = fc.integer({ min: 0, max: 0xffffff });
  const rectangles = fc.array(fc.tuple(part, colour), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(size, size, rectangles, async (width, height, drawn) => {
      const surface = createCanvas(width, height);
      const context = surface.getContext("2d");
      context.fillStyle = "#fff";
      context.fillRect(0, 0, width, height);
      for (const [[x, y, w, h], colour] of drawn) {
        context.fillStyle = `#${colour.toString(16).padStart(6, "0")}`;
        context.fillRect(x! * width, y! * height, w! * width, h! * height);
      }
      const image = await loadImage(await encodePng(surface, 300));
      const read = createCanvas(width, height).getContext("2d");
      read.drawImage(image as never, 0, 0);
      assert.deepEqual([image.width, image.height], [width, height]);
      const bytes = (of: typeof context) => Buffer.from(of.getImageData(0, 0, width, height).data.buffer);
      assert.ok(bytes(read).equals(bytes(context)));
    }),
    { numRuns: 25 },
  );
});
