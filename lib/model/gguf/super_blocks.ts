/**
 * Blocks of 256 numbers in parts of 16 or 32. The parts' scales are small whole numbers times the block's.
 *
 * @module
 */
import type { Block } from "./blocks.ts";
import { halfAt } from "./half.ts";

const { fround } = Math;

/** 16 bytes of scales and leasts, 64 of two bits each, scale, scale of the leasts. */
export const q2K: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from + 80), least = halfAt(bytes, from + 82);
  for (let part = 0; part < 16; part++) {
    const both = bytes[from + part]!;
    const step = fround(scale * (both & 15)), low = fround(least * (both >> 4));
    // Each 32 bytes hold four layers of 32 numbers, two bits a layer.
    const at = from + 16 + 32 * (part >> 3) + 16 * (part & 1), shift = part & 6;
    for (let i = 0; i < 16; i++) numbers[to + 16 * part + i] = fround(step * (bytes[at + i]! >> shift & 3)) - low;
  }
};

/** 32 bytes of third bits, 64 of two bits each, 12 of six-bit scales, scale. */
export const q3K: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from + 108);
  for (let part = 0; part < 16; part++) {
    const low = bytes[from + 96 + (part & 7)]! >> (part < 8 ? 0 : 4) & 15;
    const high = bytes[from + 104 + (part & 3)]! >> 2 * (part >> 2) & 3;
    const step = fround(scale * ((low | high << 4) - 32));
    const at = from + 32 + 32 * (part >> 3) + 16 * (part & 1), shift = part & 6;
    const third = from + 16 * (part & 1), bit = part >> 1;
    for (let i = 0; i < 16; i++) {
      // Where the third bit is set, nothing is taken off.
      const offset = (bytes[third + i]! >> bit & 1) === 1 ? 0 : 4;
      numbers[to + 16 * part + i] = step * ((bytes[at + i]! >> shift & 3) - offset);
    }
  }
};

/** Scale, scale of the leasts, 12 bytes of six-bit scales and leasts, 128 of four bits each. */
export const q4K: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from), least = halfAt(bytes, from + 2);
  for (let part = 0; part < 8; part++) {
    const step = fround(scale * sixBits(bytes, from + 4, part)),
      low = fround(least * sixBitsLeast(bytes, from + 4, part));
    const at = from + 16 + 32 * (part >> 1), shift = 4 * (part & 1);
    for (let i = 0; i < 32; i++) numbers[to + 32 * part + i] = fround(step * (bytes[at + i]! >> shift & 15)) - low;
  }
};

/** As {@linkcode q4K}, with 32 bytes of fifth bits before the others. */
export const q5K: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from), least = halfAt(bytes, from + 2);
  for (let part = 0; part < 8; part++) {
    const step = fround(scale * sixBits(bytes, from + 4, part)),
      low = fround(least * sixBitsLeast(bytes, from + 4, part));
    const at = from + 48 + 32 * (part >> 1), shift = 4 * (part & 1);
    for (let i = 0; i < 32; i++) {
      const value = bytes[at + i]! >> shift & 15 | (bytes[from + 16 + i]! >> part & 1) << 4;
      numbers[to + 32 * part + i] = fround(step * value) - low;
    }
  }
};

/** 128 bytes of four bits each, 64 of two further bits, 16 signed scales, scale. */
export const q6K: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from + 208);
  for (let part = 0; part < 16; part++) {
    const step = fround(scale * (bytes[from + 192 + part]! << 24 >> 24));
    // Each half of the block: 64 bytes whose lower halves are its first 64 numbers.
    const half = part >> 3, within = part & 7;
    const low = from + 64 * half + 16 * (within & 3), lowShift = within < 4 ? 0 : 4;
    const high = from + 128 + 32 * half + 16 * (within & 1), highShift = within & 6;
    for (let i = 0; i < 16; i++) {
      const value = bytes[low + i]! >> lowShift & 15 | (bytes[high + i]! >> highShift & 3) << 4;
      numbers[to + 16 * part + i] = step * (value - 32);
    }
  }
};

/** The scale of one of eight parts. */
function sixBits(bytes: Uint8Array, from: number, part: number): number {
  if (part < 4) return bytes[from + part]! & 63;
  return bytes[from + 4 + part]! & 15 | bytes[from + part - 4]! >> 2 & 48;
}

/** The least of one of eight parts. */
function sixBitsLeast(bytes: Uint8Array, from: number, part: number): number {
  if (part < 4) return bytes[from + 4 + part]! & 63;
  return bytes[from + 4 + part]! >> 4 | bytes[from + part]! >> 2 & 48;
}
