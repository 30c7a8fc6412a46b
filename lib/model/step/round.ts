import type { FloatType } from "../../util/dtype.ts";

/**
 * Rounds a number to a type: to the nearest, ties to even.
 *
 * @example
 * ```ts
 * import { roundTo } from "./round.ts";
 *
 * console.log(roundTo("bfloat16", 1.005859375)); // 1.0078125
 * ```
 */
export function roundTo(dtype: FloatType, x: number): number {
  if (dtype === "float16") return new Float16Array([x])[0]!;
  if (dtype === "float32") return Math.fround(x);
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0] = ((bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000) >>> 0;
  return new Float32Array(bits.buffer)[0]!;
}
