/** Every float16 as a number, by its bits. */
export const HALVES: Float32Array = Float32Array.from(
  new Float16Array(Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits).buffer),
);

/** Returns the float16 at a byte, of either alignment. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return HALVES[bytes[at]! | bytes[at + 1]! << 8]!;
}
