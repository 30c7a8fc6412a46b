/**
 * Element types: ONNX's numbers (onnx.proto3 `TensorProto.DataType`, the same as ORT's `ONNXTensorElementDataType`)
 * and bytes per element.
 *
 * @module
 */

/** An element type by its ONNX name in lower case. */
export type DType =
  | "float32"
  | "uint8"
  | "int8"
  | "int32"
  | "int64"
  | "bool"
  | "float16"
  | "float64"
  | "bfloat16";

/** Name → ONNX's number and bytes per element. */
export const DTYPES = {
  float32: { onnx: 1, bytes: 4 },
  uint8: { onnx: 2, bytes: 1 },
  int8: { onnx: 3, bytes: 1 },
  int32: { onnx: 6, bytes: 4 },
  int64: { onnx: 7, bytes: 8 },
  bool: { onnx: 9, bytes: 1 },
  float16: { onnx: 10, bytes: 2 },
  float64: { onnx: 11, bytes: 8 },
  bfloat16: { onnx: 16, bytes: 2 },
} as const satisfies Record<DType, { readonly onnx: number; readonly bytes: number }>;

/** A floating-point type a decoder can compute in. */
export type FloatType = "float32" | "float16" | "bfloat16";

/** All of them, the widest first. */
export const FLOAT_TYPES: readonly FloatType[] = ["float32", "float16", "bfloat16"];
