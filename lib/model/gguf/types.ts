import { type Block, q4_0, q4_1, q5_0, q5_1, q8_0 } from "./blocks.ts";
import { q2K, q3K, q4K, q5K, q6K } from "./super_blocks.ts";

/** How a type stores numbers. */
export interface GgufType {
  /** llama.cpp's name. */
  readonly name: string;
  /** Numbers in a block. */
  readonly count: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Reads a block; undefined for float types, which are taken as they are. */
  readonly block?: Block;
}

/** Number in the file → type, those that are read. */
export const GGUF_TYPES: ReadonlyMap<number, GgufType> = new Map<number, GgufType>([
  [0, { name: "F32", count: 1, bytes: 4 }],
  [1, { name: "F16", count: 1, bytes: 2 }],
  [2, { name: "Q4_0", count: 32, bytes: 18, block: q4_0 }],
  [3, { name: "Q4_1", count: 32, bytes: 20, block: q4_1 }],
  [6, { name: "Q5_0", count: 32, bytes: 22, block: q5_0 }],
  [7, { name: "Q5_1", count: 32, bytes: 24, block: q5_1 }],
  [8, { name: "Q8_0", count: 32, bytes: 34, block: q8_0 }],
  [10, { name: "Q2_K", count: 256, bytes: 84, block: q2K }],
  [11, { name: "Q3_K", count: 256, bytes: 110, block: q3K }],
  [12, { name: "Q4_K", count: 256, bytes: 144, block: q4K }],
  [13, { name: "Q5_K", count: 256, bytes: 176, block: q5K }],
  [14, { name: "Q6_K", count: 256, bytes: 210, block: q6K }],
  [30, { name: "BF16", count: 1, bytes: 2 }],
]);

/** Names of types that are not read, for messages. */
const OTHERS: ReadonlyMap<number, string> = new Map([
  [9, "Q8_1"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
  [40, "NVFP4"],
]);

/**
 * Returns the name of a type that is not read, from its number, after "is".
 *
 * @example
 * ```ts
 * import { typeName } from "./types.ts";
 *
 * console.log(typeName(23), typeName(99)); // IQ4_XS of type 99
 * ```
 */
export function typeName(type: number): string {
  return OTHERS.get(type) ?? `of type ${type}`;
}

/**
 * Turns stored blocks into numbers.
 *
 * @example
 * ```ts
 * import { dequantize, GGUF_TYPES } from "./types.ts";
 *
 * const block = new Uint8Array(34).fill(1, 2); // a Q8_0 block of ones
 * new DataView(block.buffer).setFloat16(0, 0.5, true);
 * console.log(dequantize(GGUF_TYPES.get(8)!, block)[31]); // 0.5
 * ```
 *
 * @param type A type that has blocks.
 * @param bytes Whole blocks.
 * @returns Their numbers, in order.
 */
export function dequantize({ block, count, bytes: size }: GgufType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const blocks = bytes.length / size;
  const numbers = new Float32Array(blocks * count);
  for (let i = 0; i < blocks; i++) block!(bytes, i * size, numbers, i * count);
  return numbers;
}
