import type proto from "onnx-proto";
import { type DType, DTYPES } from "../util/dtype.ts";

/**
 * A dimension: a number, a name for one that is known at run time, or null for one without a name. From names ORT sees
 * which tensors have the same size, plans which of them share memory, and holds that memory from the first of them to
 * the last. If sizes are unknown, memory is released as soon as a tensor is no longer needed.
 */
export type Dim = number | string | null;

/** Returns the declaration of a graph's input or output. */
export function valueInfo(name: string, dtype: DType, shape: readonly Dim[]): proto.onnx.IValueInfoProto {
  const dim = shape.map((d) => d === null ? {} : typeof d === "number" ? { dimValue: d } : { dimParam: d });
  return { name, type: { tensorType: { elemType: DTYPES[dtype].onnx, shape: { dim } } } };
}
