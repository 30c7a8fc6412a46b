import type { Graph, Tensor } from "../../onnx/graph.ts";
import type { FloatType } from "../../util/dtype.ts";
import type { Affine, Block, ModelSpec, Norm, Projections } from "../spec.ts";
import type { WeightSource } from "./weights.ts";

const MICROSOFT = "com.microsoft";

/** Queries, keys and values of the new tokens, each `[tokens, heads (or kvHeads) * headDim]`. */
export interface Heads {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  /** Whether they are already rotated by position, if the model rotates them. */
  readonly rotated?: boolean;
}

/** Makes heads from the projections' results. */
export interface HeadsOp {
  /** `products`: one for packed projections, otherwise of queries, keys and values. */
  emit(products: readonly Product[], qkv: Projections): Heads;
}

/** A matrix product, and the bias still to be added to it. */
export interface Product {
  readonly product: Tensor;
  readonly bias?: Tensor;
}

/** The residual stream, `[tokens, hidden]`: a tensor, and what is still to be added to it. */
export interface Residual {
  readonly base: Tensor;
  readonly added?: Tensor;
  readonly bias?: Tensor | undefined;
}

/** The parts that blocks are made of. Activations are `[tokens, width]`. */
export class LayerOps {
  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec,
    readonly weights: WeightSource,
    readonly options: {
      readonly dtype: FloatType;
      readonly device: "cpu" | "cuda";
      readonly rows?: number | undefined;
    },
    /** Makes heads in place of ONNX Runtime's operators, if heads are not normalized. */
    readonly headsOp?: HeadsOp,
  ) {}

  /** x W^T + b with W as checkpoints store it, `shape` = [out, in]. */
  linear(x: Tensor, affine: Affine, shape: readonly [number, number]): Tensor {
    const { product, bias } = this.product(x, affine, shape);
    return bias ? this.g.op("Add", [product, bias]) : product;
  }

  /**
   * The same, but leaves the bias to the next operator if that can add it at no cost. On the CPU one Gemm does both; on
   * CUDA that would be a copy of the bias and a product that adds to it.
   */
  product(x: Tensor, { weight, bias, transposed }: Affine, [out, inner]: readonly [number, number]): Product {
    const { g } = this;
    const w = this.weights.get(weight, transposed ? [inner, out] : [out, inner]);
    const b = bias === undefined ? undefined : this.weights.get(bias, [out]);
    const transB = transposed ? 0 : 1;
    if (this.options.device === "cpu") {
      const gemm = (x: Tensor) => g.op("Gemm", b ? [x, w, b] : [x, w], { transB });
      return { product: transposed ? this.#byRow(x, gemm) : gemm(x) };
    }
    const product = transposed ? g.op("MatMul", [x, w]) : g.op("FusedMatMul", [x, w], { transB }, MICROSOFT);
    return { product, ...(b ? { bias: b } : {}) };
  }

  /** In a pass that verifies drafts: multiplies row by row, where a single row has a kernel of its own. */
  #byRow(x: Tensor, product: (x: Tensor) => Tensor): Tensor {
    const { g, options: { rows = 1 } } = this;
    if (rows === 1) return product(x);
    return g.op("Concat", g.ops("Split", [x], rows, { axis: 0, num_outputs: rows }).map(product), { axis: 0 });
  }

  /** Returns the sum of the biases of products that are added up. */
  sumOfBiases(...products: readonly Product[]): Tensor | undefined {
    const biases = products.flatMap(({ bias }) => bias ?? []);
    // Constants: ORT adds them once, when it loads the graph.
    return biases.length === 0 ? undefined : biases.reduce((a, b) => this.g.op("Add", [a, b]));
  }

  /** Returns a residual stream as one tensor. */
  sum({ base, added, bias }: Residual): Tensor {
    return [added, bias].reduce((sum: Tensor, x) => x === undefined ? sum : this.g.op("Add", [sum, x]), base);
  }

  /** Normalizes a residual stream, and returns it as one tensor. */
  normed(x: Residual, norm: Norm): { readonly normed: Tensor; readonly sum: Tensor } {
    const { base, added, bias } = x;
    const { g, spec: { hidden, norm: { kind, eps } }, options: { device } } = this;
    if (added === undefined || device === "cpu") {
      const sum = this.sum(x);
      return { normed: this.norm(sum, norm), sum };
    }
    // One kernel adds product, residual and bias, and normalizes.
    const scale = this.#scale(norm, hidden);
    const shift: Tensor | "" = this.#shift(norm, hidden) ?? "";
    const inputs: (Tensor | "")[] = [added, base, scale, ...(kind === "layer" ? [shift] : []), ...(bias ? [bias] : [])];
    const type = kind === "layer" ? "SkipLayerNormalization" : "SkipSimplifiedLayerNormalization";
    const [normed, sum] = g.pair(type, inputs, 3, { epsilon: { float: eps } }, MICROSOFT);
    return { normed, sum };
  }

  /** Normalizes the last dimension, `[width]`: that of the residual stream by default. */
  norm(x: Tensor, norm: Norm, width = this.spec.hidden): Tensor {
    const { g, spec: { norm: { kind, eps } } } = this;
    const scale = this.#scale(norm, width);
    const attributes = { axis: -1, epsilon: { float: eps } };
    // ORT's name for root mean square normalization, in ONNX's own domain.
    if (kind === "rms") return g.op("SimplifiedLayerNormalization", [x, scale], attributes);
    const shift = this.#shift(norm, width);
    return g.op("LayerNormalization", [x, scale, ...(shift === undefined ? [] : [shift])], attributes);
  }

  #shift(norm: Norm, width: number): Tensor | undefined {
    return norm === "plain" || norm.bias === undefined ? undefined : this.weights.get(norm.bias, [width]);
  }

  /** Returns a normalization's weight; ORT computes the sum once, when it loads the graph. */
  #scale(norm: Norm, width: number): Tensor {
    const { g, spec, options: { dtype } } = this;
    if (norm === "plain") {
      return g.cast(g.constant("float32", [width], new Float32Array(width).fill(1)), "float32", dtype);
    }
    const stored = this.weights.get(norm.weight, [width]);
    return spec.norm.plusOne ? g.op("Add", [stored, g.cast(g.scalar(1), "float32", dtype)]) : stored;
  }

  /** down(activation(up(x))), or down(activation(gate(x)) * up(x)). */
  mlp(x: Tensor, { gate, up, down }: Block["mlp"]): Product {
    const { hidden, intermediate } = this.spec;
    const wide = this.product(x, gate ?? up, [intermediate, hidden]);
    let active = this.#activation(wide);
    if (gate) active = this.g.op("Mul", [active, this.linear(x, up, [intermediate, hidden])]);
    return this.product(active, down, [hidden, intermediate]);
  }

  #activation({ product, bias }: Product): Tensor {
    if (bias && this.spec.activation === "gelu") return this.g.op("BiasGelu", [product, bias], {}, MICROSOFT);
    if (bias && this.spec.activation === "gelu_tanh") return this.g.op("FastGelu", [product, bias], {}, MICROSOFT);
    const x = bias ? this.g.op("Add", [product, bias]) : product;
    switch (this.spec.activation) {
      case "gelu":
        return this.g.op("Gelu", [x], { approximate: "none" });
      case "gelu_tanh":
        return this.g.op("Gelu", [x], { approximate: "tanh" });
      case "relu":
        return this.g.op("Relu", [x]);
      case "silu": // x sigmoid(x)
        return this.g.op("QuickGelu", [x], { alpha: { float: 1 } }, MICROSOFT);
    }
  }

  /** Returns queries, keys and values of normalized activations, not rotated yet unless `rotated` is true. */
  heads(x: Tensor, { qkv, headNorms }: Block["attention"]): Heads {
    const { heads, kvHeads, headDim, hidden } = this.spec;
    if (this.headsOp && !headNorms) {
      const product = (affine: Affine, heads: number) => this.product(x, affine, [heads * headDim, hidden]);
      const products = "packed" in qkv
        ? [product(qkv.packed, heads + 2 * kvHeads)]
        : [product(qkv.query, heads), product(qkv.key, kvHeads), product(qkv.value, kvHeads)];
      return this.headsOp.emit(products, qkv);
    }
    const project = (affine: Affine, heads: number) => this.linear(x, affine, [heads * headDim, hidden]);
    const { query, key, value } = "packed" in qkv
      ? this.#unpack(project(qkv.packed, heads + 2 * kvHeads), qkv.order)
      : { query: project(qkv.query, heads), key: project(qkv.key, kvHeads), value: project(qkv.value, kvHeads) };
    if (!headNorms) return { query, key, value };
    const normed = (x: Tensor, affine: Affine, heads: number) =>
      this.g.reshape(this.norm(this.g.reshape(x, -1, heads, headDim), affine, headDim), -1, heads * headDim);
    return { query: normed(query, headNorms.query, heads), key: normed(key, headNorms.key, kvHeads), value };
  }

  /** Splits the result of one matrix; "heads" is for models with as many key and value heads as query heads. */
  #unpack(qkv: Tensor, order: "heads" | "parts"): Heads {
    const { g, spec: { heads, kvHeads, headDim } } = this;
    const split = (x: Tensor, axis: number, ...widths: number[]) =>
      g.ops("Split", [x, g.ints(...widths)], 3, { axis }) as [Tensor, Tensor, Tensor];
    if (order === "parts") {
      const [query, key, value] = split(qkv, 1, heads * headDim, kvHeads * headDim, kvHeads * headDim);
      return { query, key, value };
    }
    const byHead = split(g.reshape(qkv, -1, heads, 3 * headDim), 2, headDim, headDim, headDim);
    const [query, key, value] = byHead.map((part) => g.reshape(part, -1, heads * headDim)) as [Tensor, Tensor, Tensor];
    return { query, key, value };
  }
}
