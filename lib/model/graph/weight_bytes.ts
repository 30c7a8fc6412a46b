import { DTYPES, type FloatType } from "../../util/dtype.ts";
import type { ModelSpec } from "../spec.ts";
import { visitWeights } from "./visit_weights.ts";

/**
 * Counts the bytes of a decoder's weights in a type, whatever type is stored. A weight used twice counts once.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../folder/model_folder.ts";
 * import { weightBytes } from "./weight_bytes.ts";
 *
 * const { spec } = openModelFolder("lib/assets/novel-neox-8m");
 * console.log(weightBytes(spec, "float32"), weightBytes(spec, "bfloat16")); // 33662976 16831488
 * ```
 *
 * @param spec The decoder.
 * @param dtype The type computed in.
 * @returns Bytes.
 */
export function weightBytes(spec: ModelSpec, dtype: FloatType): number {
  const bytes = new Map<string, number>();
  visitWeights(spec, (name, shape) => bytes.set(name, shape.reduce((a, b) => a * b, DTYPES[dtype].bytes)));
  return [...bytes.values()].reduce((a, b) => a + b, 0);
}
