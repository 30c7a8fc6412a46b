import type { AttentionUse } from "../../../policies/policy.ts";
import type { Tensor } from "../../../onnx/graph.ts";
import type { Heads } from "../layer_ops.ts";

/** "fused": one GroupQueryAttention node; "explicit": MatMul, Softmax, MatMul over the same buffers. */
export type AttentionForm = "fused" | "explicit";

/** How attention reads and writes the cache, in either form. */
export interface AttentionKernel {
  /**
   * Attention of one layer: takes queries, keys and values, each `[1, tokens, heads * headDim]`, returns
   * `[tokens, heads * headDim]`.
   */
  emit(layer: number, heads: Heads, cache: CacheTensors): Tensor;
}

/** A layer's cache in the graph. */
export interface CacheTensors {
  readonly pastKey: Tensor;
  readonly pastValue: Tensor;
  /**
   * Declares the content of the layer's buffers after the pass, in place; or after one row of it, in a pass that
   * verifies drafts.
   */
  readonly present: (key: Tensor, value: Tensor, row?: number) => void;
}

/** Attention that a policy observes, and of which layers. */
export interface Observation {
  readonly use: AttentionUse;
  readonly layers: readonly number[];
}
