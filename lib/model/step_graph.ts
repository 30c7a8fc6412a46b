import { type FloatType } from "../dtype.ts";
import type { StepKernels } from "../kernels/step_kernels.ts";
import type { HeadRows, LinearSegment } from "../kernels/structs.ts";
import { Graph, type Tensor } from "../onnx/graph.ts";
import type { Argument, CustomOps } from "../ort/custom_ops.ts";
import { roundTo } from "./round.ts";
import { rotations } from "./rope.ts";
import { type Affine, type Block, type ModelSpec, type Norm, type Projections, scoreScale } from "./spec.ts";

/** What a step is written for. */
export interface StepOptions {
  readonly dtype: FloatType;
  /** Positions the rotary table covers, tokens. */
  readonly maxPositions: number;
  /** When keys are rotated: see DecoderOptions. */
  readonly rotate: "write" | "read";
  /** Layer → its length group. */
  readonly groups: readonly number[];
  /** Layers whose attention is to be kept for eviction, in order. */
  readonly observed: readonly number[];
  /** Also give the logits, float32 `[1, vocab]`. */
  readonly logits: boolean;
  /** Writes what follows the step into the same graph; `after` is there only once the step is done. */
  readonly then?: (g: Graph, after: Tensor) => void;
}

type Pointer = Deno.PointerValue;

/**
 * Writes one decode step with kernels of our own: what {@linkcode buildDecoder} writes with ONNX Runtime's, for one new
 * token. A layer is a product for queries, keys and values (with the MLP's first one where both read the same), attention,
 * and the products that follow; norms, biases, activations, gates and residuals ride along with the products.
 *
 * Inputs: `input_ids`, `position_ids`, `target` as there; `past.g` int64 `[1]`, the entries before the token, for each
 * group; `past_key.l`, `past_value.l` `[1, kvHeads, capacity, headDim]`, which are written to in place; with rotation at
 * reading `ranks.l` float32 `[kvHeads, capacity]`. Outputs: `nll`, `argmax`, and `logits` where asked for.
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
  return new StepWriter(spec, kernels, ops, weights, options).write();
}

/** Queries, keys and values as one tensor holds them, or three. */
interface Projected {
  readonly tensors: readonly Tensor[];
  readonly heads: (inputs: readonly Argument[]) => { query: HeadRows; key: HeadRows; value: HeadRows };
}

class StepWriter {
  readonly #g = new Graph("step", 24);
  readonly #position: Tensor | undefined;
  readonly #past: readonly Tensor[];
  readonly #cosine: Tensor | undefined;
  readonly #sine: Tensor | undefined;

  constructor(
    readonly spec: ModelSpec,
    readonly kernels: StepKernels,
    readonly ops: CustomOps,
    readonly weights: (name: string) => Pointer,
    readonly options: StepOptions,
  ) {
    const g = this.#g;
    if (options.rotate === "write") this.#position = g.input("position_ids", "int64", [1, 1]);
    this.#past = Array.from(
      { length: Math.max(...options.groups) + 1 },
      (_, group) => g.input(`past.${group}`, "int64", [1]),
    );
    if (!spec.rope) return;
    const { cos, sin } = rotations(spec.rope, options.maxPositions);
    const shape = [options.maxPositions, spec.rope.dim / 2];
    this.#cosine = g.constant("float32", shape, cos);
    this.#sine = g.constant("float32", shape, sin);
  }

  write(): Graph {
    const { spec, options } = this;
    const g = this.#g;
    let x = this.#embedding(g.input("input_ids", "int64", [1]));
    for (let layer = 0; layer < spec.layers; layer++) x = this.#block(layer, spec.block(layer), x);
    const after = this.#head(x, g.input("target", "int64", [1]));
    options.then?.(g, after);
    return g;
  }

  #embedding(ids: Tensor): Tensor {
    const { spec, options: { dtype } } = this;
    const { learned } = spec;
    const position = learned ? this.#position! : undefined;
    return this.#call([ids, ...(position ? [position] : [])], [spec.hidden], ([id, at], [out]) =>
      this.kernels.embed({
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
      const attended = this.#attention(layer, block, projected);
      return this.#linear([attended, active!, x], hidden, ([a, b, from]) => ({
        products: [this.#product(attention.out, a!, width), this.#product(mlp.down, b!, intermediate)],
        combine: "sum",
        residual: from!.pointer,
      }));
    }
    const { projected } = this.#projections(block, x, []);
    const attended = this.#attention(layer, block, projected);
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

  /** Queries, keys and values, and what MLPs make of the same input. */
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
    const sizes = [...parts.map(({ rows }) => [rows]), ...mlps.map(() => [intermediate])];
    const outputs = this.ops.call(
      this.#g,
      [x],
      sizes.map((shape) => ({ dtype: this.options.dtype, shape })),
      ([input], outs) =>
        this.kernels.linear([
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
      projected: { tensors: outputs.slice(0, parts.length), heads: (inputs) => this.#rows(qkv, inputs) },
      more: outputs.slice(parts.length),
    };
  }

  /** Where heads lie in what the projections gave. */
  #rows(qkv: Projections, inputs: readonly Argument[]) {
    const { spec: { heads, kvHeads, headDim }, options: { dtype } } = this;
    const at = (index: number, offset: number, stride: number): HeadRows => ({
      pointer: Deno.UnsafePointer.offset(inputs[index]!.pointer!, offset * (dtype === "float32" ? 4 : 2)),
      stride,
    });
    if (!("packed" in qkv)) return { query: at(0, 0, headDim), key: at(1, 0, headDim), value: at(2, 0, headDim) };
    if (qkv.order === "heads") {
      return { query: at(0, 0, 3 * headDim), key: at(0, headDim, 3 * headDim), value: at(0, 2 * headDim, 3 * headDim) };
    }
    return {
      query: at(0, 0, headDim),
      key: at(0, heads * headDim, headDim),
      value: at(0, (heads + kvHeads) * headDim, headDim),
    };
  }

  #attention(layer: number, { attention: { headNorms } }: Block, projected: Projected): Tensor {
    const { spec, options: { dtype, rotate, groups, observed } } = this;
    const g = this.#g;
    const { heads, kvHeads, headDim, rope } = spec;
    const shape = [1, kvHeads, `capacity.${groups[layer]}`, headDim];
    const past = this.#past[groups[layer]!]!;
    const index = observed.indexOf(layer);
    const optional = {
      ranks: rotate === "read" && rope ? g.input(`ranks.${layer}`, "float32", [kvHeads, shape[2]!]) : undefined,
      cosine: this.#cosine,
      sine: this.#sine,
    };
    const names = (Object.keys(optional) as (keyof typeof optional)[]).filter((name) => optional[name]);
    const inputs = [
      past,
      this.#position ?? past,
      g.input(`past_key.${layer}`, dtype, shape),
      g.input(`past_value.${layer}`, dtype, shape),
      ...projected.tensors,
      ...names.map((name) => optional[name]!),
    ];
    return this.#call(inputs, [heads * headDim], ([past, position, keys, values, ...rest], [out]) => {
      const more = Object.fromEntries(names.map((name, i) => [name, rest[projected.tensors.length + i]!.pointer]));
      const capacity = keys!.shape[2]!;
      this.kernels.attend({
        ...projected.heads(rest),
        ...more,
        queryScale: headNorms && this.weights(headNorms.query.weight),
        keyScale: headNorms && this.weights(headNorms.key.weight),
        plusOne: spec.norm.plusOne ?? false,
        eps: spec.norm.eps,
        keys: keys!.pointer,
        values: values!.pointer,
        rotaryDim: rope?.dim ?? 0,
        position: position!.pointer,
        past: past!.pointer,
        observed: index < 0 ? null : Deno.UnsafePointer.offset(
          this.kernels.observed(observed.length * kvHeads, capacity),
          4 * index * kvHeads * capacity,
        ),
        out: out!,
        heads,
        kvHeads,
        headDim,
        capacity,
        scale: scoreScale(spec, layer),
      });
    });
  }

  #head(x: Tensor, target: Tensor): Tensor {
    const { spec: { vocab, hidden, head, finalNorm }, options } = this;
    const g = this.#g;
    const [logits] = this.ops.call(
      g,
      [x],
      [{ dtype: "float32", shape: [1, vocab] }],
      ([input], [out]) =>
        this.kernels.linear([{
          rows: vocab,
          products: [this.#product(head, input!, hidden)],
          norm: this.#norm(finalNorm),
          float32: true,
          out: out!,
        }]),
    ) as [Tensor];
    const [nll, argmax] = this.ops.call(
      g,
      [logits, target],
      [{ dtype: "float32", shape: [1] }, { dtype: "int64", shape: [1] }],
      ([logits, target], [nll, argmax]) =>
        this.kernels.choose({ logits: logits!.pointer, target: target!.pointer, nll: nll!, argmax: argmax!, vocab }),
    ) as [Tensor, Tensor];
    g.output("nll", nll, "float32", [1]);
    g.output("argmax", argmax, "int64", [1]);
    if (options.logits) g.output("logits", logits, "float32", [1, vocab]);
    return nll;
  }

  /** What goes into an MLP's last product: activation(up x), or activation(gate x) times up x. */
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

  #product({ weight, bias }: Affine, { pointer }: Argument, width: number) {
    return {
      weight: this.weights(weight),
      input: pointer,
      bias: bias === undefined ? null : this.weights(bias),
      width,
    };
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
      [rows],
      (inputs, [out]) => this.kernels.linear([{ ...segment(inputs), rows, out: out! }]),
    );
  }

  #call(
    inputs: readonly Tensor[],
    shape: readonly number[],
    compute: (inputs: readonly Argument[], outputs: readonly Deno.PointerObject[]) => void,
  ): Tensor {
    return this.ops.call(this.#g, inputs, [{ dtype: this.options.dtype, shape }], compute)[0]!;
  }
}
