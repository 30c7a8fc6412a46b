import type { Tensor } from "../onnx/graph.ts";

/** Tensors shared by the parts of single-slot eviction: per row `[rows, 1]`, per slot `[rows, width]`. */
export interface DropTensors {
  readonly rows: number;
  /** 0, 1 … float32 `[1, width]`. */
  readonly slot: Tensor;
  /** Slot of the newest entry, per row. */
  readonly last: Tensor;
  /** Number of entries before this pass, per row. */
  readonly past: Tensor;
  /** Whether a slot holds the newest entry. */
  readonly isLast: Tensor;
}
