import type { Graph, Tensor } from "../onnx/graph.ts";
import type { DecoderOptions } from "./decoder.ts";
import type { Affine, Block, ModelSpec } from "./spec.ts";
import type { WeightSource } from "./weights.ts";

const MICROSOFT = "com.microsoft";

/** Queries, keys and values of the new tokens, each `[tokens, heads (or kvHeads) * headDim]`. */
export interface Heads {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** The parts blocks are made of. Activations are `[tokens, width]`. */
export class Parts {
  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec,
    readonly weights: WeightSource,
    readonly options: Pick<DecoderOptions, "dtype" | "device">,
  ) {}

  /** x W^T + b with W as checkpoints store it, `shape` = [out, in]. */
  linear(x: Tensor, { weight, bias }: Affine, shape: readonly [number, number]): Tensor {
    const w = this.weights.get(weight, shape);
    const b = bias === undefined ? undefined : this.weights.get(bias, [shape[0]]);
    // On CPU one Gemm does both. On CUDA that would be a copy of the bias and a product that adds to it.
    if (this.options.device === "cpu") return this.g.op("Gemm", b ? [x, w, b] : [x, w], { transB: 1 });
    const product = this.g.op("FusedMatMul", [x, w], { transB: 1 }, MICROSOFT);
    return b ? this.g.op("Add", [product, b]) : product;
  }

  /** Layer normalization. Ba et al. 2016, arXiv:1607.06450. */
  norm(x: Tensor, { weight, bias }: Affine): Tensor {
    const { hidden, norm } = this.spec;
    const scale = this.weights.get(weight, [hidden]);
    const shift = bias === undefined ? [] : [this.weights.get(bias, [hidden])];
    return this.g.op("LayerNormalization", [x, scale, ...shift], { axis: -1, epsilon: { float: norm.eps } });
  }

  /** down(activation(up(x))). */
  mlp(x: Tensor, { up, down }: Block["mlp"]): Tensor {
    const { hidden, intermediate } = this.spec;
    const wide = this.linear(x, up, [intermediate, hidden]);
    return this.linear(this.#activation(wide), down, [hidden, intermediate]);
  }

  #activation(x: Tensor): Tensor {
    switch (this.spec.activation) {
      case "gelu":
        return this.g.op("Gelu", [x], { approximate: "none" });
      case "gelu_tanh":
        return this.g.op("Gelu", [x], { approximate: "tanh" });
      case "relu":
        return this.g.op("Relu", [x]);
    }
  }

  /** Takes apart what GPT-NeoX packs head by head: `[tokens, heads * 3 * headDim]`. */
  splitHeads(qkv: Tensor): Heads {
    const { g, spec: { heads, headDim } } = this;
    const byHead = g.reshape(qkv, -1, heads, 3 * headDim);
    const [query, key, value] = g.ops("Split", [byHead, g.ints(headDim, headDim, headDim)], 3, { axis: 2 })
      .map((part) => g.reshape(part, -1, heads * headDim)) as [Tensor, Tensor, Tensor];
    return { query, key, value };
  }
}
