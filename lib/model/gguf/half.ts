/** Every float16 as a number, by its bits. */
export const HALVES: Float32Array = Float32Array.from(
  new Float16Array(Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits).buffer),
);

/**
 * Returns the float16 at a byte, of either alignment.
 *
 * @example
 * ```ts
 * import { halfAt } from "./half.ts";
 *
 * console.log(halfAt(Uint8Array.of(0, 0, 0x3c), 1)); // 1
 * ```
 */
export function halfAt(bytes: Uint8Array, at: number): number {
  return HALVES[bytes[at]! | bytes[at + 1]! << 8]!;
}
