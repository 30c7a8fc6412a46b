import { DTYPES, type FloatType } from "../../util/dtype.ts";
import type { HeadRows } from "../../kernels/structs.ts";
import type { ModelSpec, Projections } from "../spec.ts";

/**
 * Returns where a token's queries, keys and values lie in the projections' results: one row for all of them, or three.
 * Biases have the same layout.
 *
 * @param rows The first token's, one pointer for packed projections, otherwise three.
 */
export function headRows(
  { heads, kvHeads, headDim }: Pick<ModelSpec, "heads" | "kvHeads" | "headDim">,
  qkv: Projections,
  dtype: FloatType,
  rows: readonly Deno.PointerValue[],
): Record<"query" | "key" | "value", HeadRows> {
  const at = (index: number, offset: number, stride: number): HeadRows => ({
    pointer: rows[index] ? Deno.UnsafePointer.offset(rows[index], offset * DTYPES[dtype].bytes) : null,
    stride,
  });
  if (!("packed" in qkv)) return { query: at(0, 0, headDim), key: at(1, 0, headDim), value: at(2, 0, headDim) };
  if (qkv.order === "heads") {
    return { query: at(0, 0, 3 * headDim), key: at(0, headDim, 3 * headDim), value: at(0, 2 * headDim, 3 * headDim) };
  }
  return {
    query: at(0, 0, headDim),
    key: at(0, heads * headDim, headDim),
    value: at(0, (heads + kvHeads) * headDim, headDim),
  };
}
