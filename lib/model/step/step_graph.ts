import type { RowKernels, StepKernels } from "../../kernels/kernels.ts";
import type { LinearProduct, LinearSegment } from "../../kernels/structs.ts";
import { Graph, type Tensor } from "../../onnx/graph.ts";
import type { Argument, CustomOps } from "../../ort/custom_ops.ts";
import { OneToken, type PassForm, SeveralTokens } from "./pass_form.ts";
import { roundTo } from "./round.ts";
import { type Projected, StepAttention } from "./step_attention.ts";
import type { StepOptions } from "./step_options.ts";
import { type Affine, type Block, type ModelSpec, type Norm } from "../spec.ts";

type Pointer = Deno.PointerValue;

/**
 * Writes one decode step with the project's kernels: what {@linkcode buildDecoder} writes with ONNX Runtime's, for one
 * new token. A layer is a product for queries, keys and values (with the MLP's first one if both read the same input),
 * attention, and the products that follow. Norms, biases, activations, gates and residuals are computed with the
 * products.
 *
 * Inputs: `input_ids`, `position_ids`, `target` as in that graph; `past.g` int64 `[1]`, the entries before the token,
 * for each group; `past_key.l`, `past_value.l` `[1, kvHeads, capacity, headDim]`, which are written to in place; if
 * keys are rotated when read, `ranks.l` float32 `[kvHeads, capacity]`. Outputs: `nll`, `argmax`, and `logits` if
 * requested.
 *
 * @param weights Where each tensor of the checkpoint lies on the GPU, in the type computed in.
 * @returns The graph.
 */
export function buildStep(
  spec: ModelSpec,
  kernels: StepKernels,
  ops: CustomOps,
  weights: (name: string) => Pointer,
  options: StepOptions,
): Graph {
  return new StepWriter(spec, new OneToken(kernels, spec), ops, weights, options).write();
}

/**
 * Writes a pass of several consecutive tokens with the project's kernels, each of which gets the bits of a step: what
 * {@linkcode buildStep} writes, for as many tokens as are bound. It evicts nothing.
 *
 * Inputs as a step's, without `target`: `input_ids` int64 `[tokens]`; `position_ids` and `past.g` of the first token.
 * Outputs: `argmax` int64 `[tokens]`, and `logits` float32 `[tokens, vocab]` if requested.
 *
 * @param weights Where each tensor of the checkpoint lies on the GPU, in the type computed in.
 * @returns The graph.
 */
export function buildRows(
  spec: ModelSpec,
  kernels: RowKernels,
  ops: CustomOps,
  weights: (name: string) => Pointer,
  options: Omit<StepOptions, "observed" | "then">,
): Graph {
  return new StepWriter(spec, new SeveralTokens(kernels, spec), ops, weights, { ...options, observed: [] }).write();
}

class StepWriter {
  readonly #g: Graph;
  readonly #attention: StepAttention;

  constructor(
    readonly spec: ModelSpec,
    readonly form: PassForm,
    readonly ops: CustomOps,
    readonly weights: (name: string) => Pointer,
    readonly options: StepOptions,
  ) {
    this.#g = new Graph(form.name, 24);
    this.#attention = new StepAttention(this.#g, spec, form, ops, weights, options);
  }

  write(): Graph {
    const { spec, options } = this;
    const g = this.#g;
    let x = this.#embedding(g.input("input_ids", "int64", [this.form.tokens]));
    for (let layer = 0; layer < spec.layers; layer++) x = this.#block(layer, spec.block(layer), x);
    const after = this.#head(x);
    options.then?.(g, after);
    return g;
  }

  #embedding(ids: Tensor): Tensor {
    const { spec, options: { dtype } } = this;
    const { learned } = spec;
    const position = learned ? this.#attention.position! : undefined;
    return this.#call([ids, ...(position ? [position] : [])], spec.hidden, ([id, at], [out]) =>
      this.form.embed(id!, {
        id: id!.pointer,
        position: at?.pointer,
        table: this.weights(spec.embedding),
        learned: learned && this.weights(learned.weight),
        out: out!,
        hidden: spec.hidden,
        offset: learned?.offset ?? 0,
        scale: roundTo(dtype, spec.embeddingScale ?? 1),
      }));
  }

  #block(layer: number, block: Block, x: Tensor): Tensor {
    const { spec: { heads, headDim, hidden, intermediate, residual } } = this;
    const { attention, mlp } = block;
    const width = heads * headDim;
    if (residual === "parallel") {
      const { projected, more: [active] } = this.#projections(block, x, [mlp]);
      const attended = this.#attention.emit(layer, block, projected);
      return this.#linear([attended, active!, x], hidden, ([a, b, from]) => ({
        products: [this.#product(attention.out, a!, width), this.#product(mlp.down, b!, intermediate)],
        combine: "sum",
        residual: from!.pointer,
      }));
    }
    const { projected } = this.#projections(block, x, []);
    const attended = this.#attention.emit(layer, block, projected);
    const mid = this.#linear([attended, x], hidden, ([a, from]) => ({
      products: [this.#product(attention.out, a!, width)],
      residual: from!.pointer,
    }));
    const active = this.#linear([mid], intermediate, ([a]) => this.#mlpIn(mlp, mlp.norm!, a!));
    return this.#linear([active, mid], hidden, ([a, from]) => ({
      products: [this.#product(mlp.down, a!, intermediate)],
      residual: from!.pointer,
    }));
  }

  /** Queries, keys and values, and the MLP's product of the same input. */
  #projections(
    { attention: { norm, qkv } }: Block,
    x: Tensor,
    mlps: readonly Block["mlp"][],
  ): { projected: Projected; more: Tensor[] } {
    const { spec: { heads, kvHeads, headDim, hidden, intermediate } } = this;
    const parts: { affine: Affine; rows: number }[] = "packed" in qkv
      ? [{ affine: qkv.packed, rows: (heads + 2 * kvHeads) * headDim }]
      : [
        { affine: qkv.query, rows: heads * headDim },
        { affine: qkv.key, rows: kvHeads * headDim },
        { affine: qkv.value, rows: kvHeads * headDim },
      ];
    const sizes = [...parts.map(({ rows }) => rows), ...mlps.map(() => intermediate)];
    const outputs = this.ops.call(
      this.#g,
      [x],
      sizes.map((width) => ({ dtype: this.options.dtype, shape: this.form.shape(width) })),
      ([input], outs) =>
        this.form.linear(input!, [
          ...parts.map(({ affine, rows }, i): LinearSegment => ({
            rows,
            products: [this.#product(affine, input!, hidden)],
            norm: this.#norm(norm),
            out: outs[i]!,
          })),
          ...mlps.map((mlp, i): LinearSegment => ({
            rows: intermediate,
            ...this.#mlpIn(mlp, mlp.norm ?? norm, input!),
            out: outs[parts.length + i]!,
          })),
        ]),
    );
    return {
      projected: { tensors: outputs.slice(0, parts.length), qkv },
      more: outputs.slice(parts.length),
    };
  }

  #head(x: Tensor): Tensor {
    const { spec: { vocab, hidden, head, finalNorm }, options, form } = this;
    const g = this.#g;
    const [logits] = this.ops.call(
      g,
      [x],
      [{ dtype: "float32", shape: form.tokens === 1 ? [1, vocab] : form.shape(vocab) }],
      ([input], [out]) =>
        form.linear(input!, [{
          rows: vocab,
          products: [this.#product(head, input!, hidden)],
          norm: this.#norm(finalNorm),
          float32: true,
          out: out!,
        }]),
    ) as [Tensor];
    const after = form.finish(g, this.ops, logits);
    if (options.logits) g.output("logits", logits, "float32", [form.tokens, vocab]);
    return after;
  }

  /** Returns the input of an MLP's last product: activation(up x), or activation(gate x) times up x. */
  #mlpIn(
    { gate, up }: Block["mlp"],
    norm: Norm,
    x: Argument,
  ): Pick<LinearSegment, "products" | "combine" | "activation" | "norm"> {
    const { spec: { hidden, activation } } = this;
    const first = this.#product(gate ?? up, x, hidden);
    return {
      products: gate ? [first, this.#product(up, x, hidden)] : [first],
      combine: gate ? "gated" : undefined,
      activation: activation,
      norm: this.#norm(norm),
    };
  }

  #product({ weight, bias, transposed = false }: Affine, { pointer }: Argument, width: number): LinearProduct {
    const at = bias === undefined ? null : this.weights(bias);
    return { weight: this.weights(weight), input: pointer, bias: at, width, transposed };
  }

  #norm(norm: Norm | undefined): LinearSegment["norm"] {
    if (norm === undefined) return undefined;
    const { kind, eps, plusOne = false } = this.spec.norm;
    if (norm === "plain") return { kind, eps, plusOne };
    const shift = kind === "rms" || norm.bias === undefined ? null : this.weights(norm.bias);
    return { kind, scale: this.weights(norm.weight), shift, eps, plusOne };
  }

  #linear(
    inputs: readonly Tensor[],
    rows: number,
    segment: (inputs: readonly Argument[]) => Omit<LinearSegment, "rows" | "out">,
  ): Tensor {
    return this.#call(
      inputs,
      rows,
      (inputs, [out]) => this.form.linear(inputs[0]!, [{ ...segment(inputs), rows, out: out! }]),
    );
  }

  #call(
    inputs: readonly Tensor[],
    width: number,
    compute: (inputs: readonly Argument[], outputs: readonly Deno.PointerObject[]) => void,
  ): Tensor {
    return this.ops.call(this.#g, inputs, [{ dtype: this.options.dtype, shape: this.form.shape(width) }], compute)[0]!;
  }
}
