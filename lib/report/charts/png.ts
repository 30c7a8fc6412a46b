import { crc32 } from "node:zlib";

/** Bytes of a PNG file before its first chunk. */
const SIGNATURE_BYTES = 8;
const METRES_PER_INCH = 0.0254;

/**
 * Writes the resolution into a PNG file (its pHYs chunk), so that it is printed and laid out at its size in inches: a
 * canvas knows only pixels.
 *
 * @param png A PNG file. An existing resolution is replaced.
 * @param dpi Pixels per inch, for both directions.
 * @returns A copy with the resolution.
 * @throws {TypeError} If it is not a PNG file.
 *
 * @see {@link https://www.w3.org/TR/png-3/#11pHYs}
 *
 * @example
 * ```ts
 * import { loadCanvas } from "./canvas.ts";
 * import { withResolution } from "./png.ts";
 *
 * const library = await loadCanvas();
 * const png = withResolution(await library.encodePng(library.createCanvas(300, 150)), 300);
 * console.log(new TextDecoder("latin1").decode(png.subarray(37, 41))); // "pHYs"
 * ```
 */
export function withResolution(png: Uint8Array, dpi: number): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  if (png.length < SIGNATURE_BYTES || view.getUint32(0) !== 0x89504e47) {
    throw new TypeError("Cannot set the resolution: this is not a PNG file");
  }
  const parts = [png.subarray(0, SIGNATURE_BYTES)];
  for (let at = SIGNATURE_BYTES; at < png.length;) {
    // Length of the data, type, data, CRC.
    const end = at + 12 + view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (type !== "pHYs") parts.push(png.subarray(at, end));
    // The chunk must come before the pixels; right after the header, IHDR, is always before them.
    if (type === "IHDR") parts.push(physChunk(Math.round(dpi / METRES_PER_INCH)));
    at = end;
  }
  return new Uint8Array(Buffer.concat(parts));
}

function physChunk(pixelsPerMetre: number): Uint8Array {
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, 9);
  chunk.set([..."pHYs"].map((letter) => letter.charCodeAt(0)), 4);
  view.setUint32(8, pixelsPerMetre);
  view.setUint32(12, pixelsPerMetre);
  chunk[16] = 1; // the unit: metre
  view.setUint32(17, crc32(chunk.subarray(4, 17)));
  return chunk;
}
