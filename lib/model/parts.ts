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

/** A matrix product, and the bias that is yet to be added to it. */
export interface Product {
  readonly product: Tensor;
  readonly bias?: Tensor;
}

/** The residual stream, `[tokens, hidden]`: a tensor, and what is yet to be added to it. */
export interface Residual {
  readonly base: Tensor;
  readonly added?: Tensor;
  readonly bias?: Tensor | undefined;
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
  linear(x: Tensor, affine: Affine, shape: readonly [number, number]): Tensor {
    const { product, bias } = this.product(x, affine, shape);
    return bias ? this.g.op("Add", [product, bias]) : product;
  }

  /**
   * The same with the bias yet to be added, where whatever follows can do that in passing: on the CPU one Gemm does both,
   * on CUDA that would be a copy of the bias and a product that adds to it.
   */
  product(x: Tensor, { weight, bias }: Affine, shape: readonly [number, number]): Product {
    const w = this.weights.get(weight, shape);
    const b = bias === undefined ? undefined : this.weights.get(bias, [shape[0]]);
    if (this.options.device === "cpu") return { product: this.g.op("Gemm", b ? [x, w, b] : [x, w], { transB: 1 }) };
    return { product: this.g.op("FusedMatMul", [x, w], { transB: 1 }, MICROSOFT), ...(b ? { bias: b } : {}) };
  }

  /** The sum of the biases of products that are added up. */
  sumOfBiases(...products: readonly Product[]): Tensor | undefined {
    const biases = products.flatMap(({ bias }) => bias ?? []);
    // Constants: ORT adds them once, when it loads the graph.
    return biases.length === 0 ? undefined : biases.reduce((a, b) => this.g.op("Add", [a, b]));
  }

  /** Normalizes a residual stream, and gives it as one tensor. */
  normed({ base, added, bias }: Residual, affine: Affine): { readonly normed: Tensor; readonly sum: Tensor } {
    const { g, spec: { hidden, norm }, options: { device } } = this;
    if (added === undefined) return { normed: this.norm(base, affine), sum: base };
    if (device === "cpu") {
      const sum = g.op("Add", [base, added]);
      return { normed: this.norm(sum, affine), sum };
    }
    // One kernel adds product, residual and bias, and normalizes.
    const scale = this.weights.get(affine.weight, [hidden]);
    const shift = affine.bias === undefined ? "" : this.weights.get(affine.bias, [hidden]);
    const inputs = [added, base, scale, shift, ...(bias ? [bias] : [])] as const;
    const [normed, sum] = g.pair("SkipLayerNormalization", inputs, 3, { epsilon: { float: norm.eps } }, MICROSOFT);
    return { normed, sum };
  }

  /** Layer normalization. Ba et al. 2016, arXiv:1607.06450. */
  norm(x: Tensor, { weight, bias }: Affine): Tensor {
    const { hidden, norm } = this.spec;
    const scale = this.weights.get(weight, [hidden]);
    const shift = bias === undefined ? [] : [this.weights.get(bias, [hidden])];
    return this.g.op("LayerNormalization", [x, scale, ...shift], { axis: -1, epsilon: { float: norm.eps } });
  }

  /** down(activation(up(x))). */
  mlp(x: Tensor, { up, down }: Block["mlp"]): Product {
    const { hidden, intermediate } = this.spec;
    const wide = this.product(x, up, [intermediate, hidden]);
    return this.product(this.#activation(wide), down, [hidden, intermediate]);
  }

  #activation({ product, bias }: Product): Tensor {
    if (bias && this.spec.activation === "gelu") return this.g.op("BiasGelu", [product, bias], {}, MICROSOFT);
    const x = bias ? this.g.op("Add", [product, bias]) : product;
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
