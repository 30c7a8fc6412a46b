import { halfAt } from "./half.ts";

/**
 * Writes the numbers of one block, from a byte of the file's and at a place among the numbers. Each operation is rounded
 * to float32, as in llama.cpp and the Python package `gguf`, so that the numbers are the same bit for bit.
 */
export type Block = (bytes: Uint8Array, from: number, numbers: Float32Array, to: number) => void;

const { fround } = Math;

/** 32 numbers: scale, signed bytes. */
export const q8_0: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from);
  for (let i = 0; i < 32; i++) numbers[to + i] = (bytes[from + 2 + i]! << 24 >> 24) * scale;
};

/** 32 numbers: scale, four bits each less 8. The lower halves of the bytes are the first 16. */
export const q4_0: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[from + 2 + i]!;
    numbers[to + i] = ((pair & 15) - 8) * scale;
    numbers[to + 16 + i] = ((pair >> 4) - 8) * scale;
  }
};

/** 32 numbers: scale, least, four bits each. */
export const q4_1: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from), least = halfAt(bytes, from + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[from + 4 + i]!;
    numbers[to + i] = fround((pair & 15) * scale) + least;
    numbers[to + 16 + i] = fround((pair >> 4) * scale) + least;
  }
};

/** 32 numbers: scale, 32 fifth bits, four bits each; less 16. */
export const q5_0: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from);
  for (let i = 0; i < 32; i++) numbers[to + i] = (fiveBits(bytes, from + 2, i) - 16) * scale;
};

/** 32 numbers: scale, least, 32 fifth bits, four bits each. */
export const q5_1: Block = (bytes, from, numbers, to) => {
  const scale = halfAt(bytes, from), least = halfAt(bytes, from + 2);
  for (let i = 0; i < 32; i++) numbers[to + i] = fround(fiveBits(bytes, from + 4, i) * scale) + least;
};

/** The i-th of 32 numbers of five bits: four bytes of fifth bits, 16 bytes of the others. */
function fiveBits(bytes: Uint8Array, from: number, i: number): number {
  const pair = bytes[from + 4 + i % 16]!;
  return (i < 16 ? pair & 15 : pair >> 4) | (bytes[from + (i >> 3)]! >> (i & 7) & 1) << 4;
}
