import type { Graph, Tensor } from "../onnx/graph.ts";
import { ExplicitAttention } from "./attention_explicit.ts";
import { FusedAttention } from "./attention_fused.ts";
import type { DecoderOptions } from "./decoder.ts";
import type { Heads } from "./parts.ts";
import { rotations } from "./rope.ts";
import type { ModelSpec } from "./spec.ts";

/** "fused": one GroupQueryAttention node; "explicit": MatMul, Softmax, MatMul over the same buffers. */
export type AttentionForm = "fused" | "explicit";

/** How attention reads and writes the cache, in either form. */
export interface AttentionKernel {
  /**
   * Attention of one layer: takes rotated queries and keys and values, each `[1, tokens, heads * headDim]`, gives
   * `[tokens, heads * headDim]`.
   */
  emit(layer: number, heads: Heads, cache: CacheTensors): Tensor;
}

/** A layer's cache in the graph. */
export interface CacheTensors {
  readonly pastKey: Tensor;
  readonly pastValue: Tensor;
  /** Declares what the layer's buffers hold afterwards, in place. */
  readonly present: (key: Tensor, value: Tensor) => void;
}

/** What the attention of all layers shares: the rotary table, the lengths, the form. */
export class AttentionPart {
  readonly #kernel: AttentionKernel;
  readonly #cos: Tensor;
  readonly #sin: Tensor;
  readonly #positions: Tensor;

  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec,
    readonly options: Pick<DecoderOptions, "dtype" | "attention" | "positions" | "groups">,
  ) {
    this.#positions = g.input("position_ids", "int64", [1, "tokens"]);
    const { cos, sin } = rotations(spec.rope, options.positions);
    const shape = [options.positions, spec.rope.dim / 2];
    this.#cos = g.cast(g.constant("float32", shape, cos), "float32", options.dtype);
    this.#sin = g.cast(g.constant("float32", shape, sin), "float32", options.dtype);
    this.#kernel = options.attention === "fused"
      ? new FusedAttention(g, spec, options.groups)
      : new ExplicitAttention(g, spec, options.dtype, options.groups);
  }

  /** Rotates, appends to the cache and attends: `[tokens, heads * headDim]` in and out. */
  emit(layer: number, { query, key, value }: Heads): Tensor {
    const { g, spec: { heads, kvHeads, headDim }, options: { dtype } } = this;
    const shape = [1, kvHeads, `capacity.${this.options.groups[layer]}`, headDim];
    const cache: CacheTensors = {
      pastKey: g.input(`past_key.${layer}`, dtype, shape),
      pastValue: g.input(`past_value.${layer}`, dtype, shape),
      present: (k, v) => {
        g.output(`present_key.${layer}`, k, dtype, shape);
        g.output(`present_value.${layer}`, v, dtype, shape);
      },
    };
    return this.#kernel.emit(layer, {
      query: this.#rotate(query, heads),
      key: this.#rotate(key, kvHeads),
      value: g.reshape(value, 1, -1, kvHeads * headDim),
    }, cache);
  }

  /** `[tokens, heads * headDim]` → the same as `[1, tokens, heads * headDim]`, each head's first dimensions rotated. */
  #rotate(x: Tensor, heads: number): Tensor {
    const { g, spec: { rope, headDim } } = this;
    const batched = g.reshape(x, 1, -1, heads * headDim);
    return g.op("RotaryEmbedding", [batched, this.#positions, this.#cos, this.#sin], {
      num_heads: heads,
      // 0 stands for all of them.
      rotary_embedding_dim: rope.dim === headDim ? 0 : rope.dim,
    }, "com.microsoft");
  }
}
