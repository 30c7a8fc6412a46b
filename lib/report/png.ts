import { promisify } from "node:util";
import { crc32, deflate } from "node:zlib";
import type { Surface } from "./canvas.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const METRES_PER_INCH = 0.0254;
/** Rows that are taken from the canvas at a time: few enough to stay in the CPU's cache. */
const BAND = 32;
/** Filters of a row: its bytes, or what they are more than those of the row above. */
const NONE = 0, UP = 2;

/**
 * A picture as a PNG file that states its resolution (in its pHYs chunk), so that it is printed and laid out at its size
 * in inches. The canvas libraries know pixels only, and take four times as long: of a chart's rows, most are like the one
 * above, and that they are is quickly seen.
 *
 * @param surface The picture. It has to be opaque: a pixel's red, green and blue are kept.
 * @param dpi Pixels per inch, for both directions.
 *
 * @see {@link https://www.w3.org/TR/png-3/}
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { encodePng } from "./png.ts";
 *
 * const { createCanvas } = await loadCanvas();
 * const png = await encodePng(createCanvas(300, 150), 300);
 * console.log(new TextDecoder("latin1").decode(png.subarray(37, 41))); // "pHYs"
 * ```
 */
export async function encodePng(surface: Surface, dpi: number): Promise<Uint8Array> {
  const { width, height } = surface;
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, 2], 8); // bits of a sample; red, green and blue
  const resolution = new Uint8Array(9);
  const perMetre = Math.round(dpi / METRES_PER_INCH);
  new DataView(resolution.buffer).setUint32(0, perMetre);
  new DataView(resolution.buffer).setUint32(4, perMetre);
  resolution[8] = 1; // the unit: metre
  const pixels = await promisify(deflate)(filteredRows(surface));
  return new Uint8Array(Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("pHYs", resolution),
    chunk("IDAT", pixels),
    chunk("IEND", new Uint8Array()),
  ]));
}

/** The rows as PNG has them, each behind the byte that says how it is filtered. */
function filteredRows(surface: Surface): Uint8Array {
  const { width, height } = surface;
  const context = surface.getContext("2d");
  const rows = new Uint8Array(height * (1 + 3 * width));
  let above: Uint8Array | undefined;
  for (let top = 0; top < height; top += BAND) {
    const count = Math.min(BAND, height - top);
    const { buffer, byteOffset } = context.getImageData(0, top, width, count).data;
    for (let y = 0; y < count; y++) {
      const row = new Uint8Array(buffer, byteOffset + 4 * width * y, 4 * width);
      let to = (top + y) * (1 + 3 * width);
      const same = above !== undefined && Buffer.compare(row, above) === 0;
      rows[to++] = same ? UP : NONE;
      for (let from = 0; !same && from < row.length; from += 4) {
        rows[to++] = row[from]!;
        rows[to++] = row[from + 1]!;
        rows[to++] = row[from + 2]!;
      }
      above = row;
    }
  }
  return rows;
}

/** Length of the data, type, data, CRC of the latter two. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}
