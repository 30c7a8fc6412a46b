import type { FloatType } from "../dtype.ts";
import type { Graph, Tensor } from "../onnx/graph.ts";
import { type Rope, rotations } from "./rope.ts";
import type { ModelSpec } from "./spec.ts";

/** Rotates queries and keys by position: a table of cosines and sines, and com.microsoft.RotaryEmbedding. */
export class Rotary {
  readonly #cos: Tensor;
  readonly #sin: Tensor;

  /** `maxPositions`: positions the table covers, tokens. */
  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec & { readonly rope: Rope },
    dtype: FloatType,
    maxPositions: number,
  ) {
    const { cos, sin } = rotations(spec.rope, maxPositions);
    const shape = [maxPositions, spec.rope.dim / 2];
    this.#cos = g.cast(g.constant("float32", shape, cos), "float32", dtype);
    this.#sin = g.cast(g.constant("float32", shape, sin), "float32", dtype);
  }

  /** `[1, tokens, heads * headDim]` at positions int64 `[1, tokens]`, in the same shape. */
  tokens(x: Tensor, heads: number, positions: Tensor): Tensor {
    return this.#rotate(x, positions, heads);
  }

  /** A layer's cache, `[1, kvHeads, capacity, headDim]` at positions int64 `[kvHeads, capacity]`, in the same shape. */
  cache(keys: Tensor, positions: Tensor): Tensor {
    const { kvHeads, headDim } = this.spec;
    // Each head has positions of its own: to the kernel they are sequences of a batch, with one head each.
    const rotated = this.#rotate(this.g.reshape(keys, kvHeads, -1, headDim), positions, 1);
    return this.g.reshape(rotated, 1, kvHeads, -1, headDim);
  }

  #rotate(x: Tensor, positions: Tensor, heads: number): Tensor {
    const { rope, headDim } = this.spec;
    return this.g.op("RotaryEmbedding", [x, positions, this.#cos, this.#sin], {
      num_heads: heads,
      // 0 stands for all of them: the kernel refuses the number itself.
      rotary_embedding_dim: rope.dim === headDim ? 0 : rope.dim,
    }, "com.microsoft");
  }
}
