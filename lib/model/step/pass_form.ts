import type { AttendCall, RowKernels, StepKernels } from "../../kernels/kernels.ts";
import type { EmbedArguments, LinearSegment } from "../../kernels/structs.ts";
import type { Dim, Graph, Tensor } from "../../onnx/graph.ts";
import type { Argument, CustomOps, OutputSpec } from "../../ort/custom_ops.ts";
import { type ModelSpec, type Projections } from "../spec.ts";

/** How a graph of the project's own kernels computes its tokens: one, or several. */
export interface PassForm {
  /** The graph's name. */
  readonly name: string;
  /** Tokens, as a dimension of the graph's inputs and outputs. */
  readonly tokens: Dim;
  /** Shape of a result: `width` numbers for each token. `from`: which of the node's inputs has a row per token. */
  shape(width: number, from?: number): OutputSpec["shape"];
  /** Computes products. `x`: an input with a row per token. */
  linear(x: Argument, segments: readonly LinearSegment[]): void;
  embed(ids: Argument, a: EmbedArguments): void;
  /** Attends. `x` is the projections' first result; `qkv` says how a token's queries, keys and values lie. */
  attend(x: Argument, a: AttendCall, qkv: Projections): void;
  /** Where the attention to every slot is kept for eviction: see {@linkcode StepKernels.observed}. */
  observed(rows: number, width: number): Deno.PointerObject;
  /** Writes the results' computation from the logits. Returns what exists only after it. */
  finish(g: Graph, ops: CustomOps, logits: Tensor): Tensor;
}

/** One token, by a step's kernels. Outputs `nll` and `argmax`, by the input `target`. */
export class OneToken implements PassForm {
  readonly name = "step";
  readonly tokens = 1;

  constructor(readonly kernels: StepKernels, readonly spec: ModelSpec) {}

  shape(width: number): readonly number[] {
    return [width];
  }

  linear(_: Argument, segments: readonly LinearSegment[]): void {
    this.kernels.linear(segments);
  }

  embed(_: Argument, a: EmbedArguments): void {
    this.kernels.embed(a);
  }

  attend(_: Argument, a: AttendCall): void {
    this.kernels.attend(a);
  }

  observed(rows: number, width: number): Deno.PointerObject {
    return this.kernels.observed(rows, width);
  }

  finish(g: Graph, ops: CustomOps, logits: Tensor): Tensor {
    const { kernels, spec: { vocab } } = this;
    const [nll, argmax] = ops.call(
      g,
      [logits, g.input("target", "int64", [1])],
      [{ dtype: "float32", shape: [1] }, { dtype: "int64", shape: [1] }],
      ([logits, target], [nll, argmax]) =>
        kernels.choose({ logits: logits!.pointer, target: target!.pointer, nll: nll!, argmax: argmax!, vocab }),
    ) as [Tensor, Tensor];
    g.output("nll", nll, "float32", [1]);
    g.output("argmax", argmax, "int64", [1]);
    return nll;
  }
}

/** Several tokens, each with the bits of a step. Outputs `argmax`, int64 `[tokens]`. */
export class SeveralTokens implements PassForm {
  readonly name = "rows";
  readonly tokens = "tokens";

  constructor(readonly kernels: RowKernels, readonly spec: ModelSpec) {}

  shape(width: number, from = 0): (inputs: readonly Argument[]) => readonly number[] {
    return (inputs) => [inputs[from]!.shape[0]!, width];
  }

  linear(x: Argument, segments: readonly LinearSegment[]): void {
    this.kernels.linear(x.shape[0]!, segments);
  }

  embed(ids: Argument, a: EmbedArguments): void {
    this.kernels.embed(ids.shape[0]!, a);
  }

  attend(x: Argument, a: AttendCall, qkv: Projections): void {
    const { heads, kvHeads, headDim } = this.spec;
    const all = (heads + 2 * kvHeads) * headDim, kv = kvHeads * headDim;
    const tokenStrides = "packed" in qkv
      ? { query: all, key: all, value: all }
      : { query: heads * headDim, key: kv, value: kv };
    this.kernels.attend(x.shape[0]!, { ...a, tokenStrides });
  }

  /** @throws {TypeError} Always: several tokens evict nothing. */
  observed(): never {
    throw new TypeError("Cannot keep the attention of several tokens");
  }

  finish(g: Graph, ops: CustomOps, logits: Tensor): Tensor {
    const { kernels, spec: { vocab } } = this;
    const [argmax] = ops.call(
      g,
      [logits],
      [{ dtype: "int64", shape: (inputs) => [inputs[0]!.shape[0]!] }],
      ([logits], [argmax]) => kernels.argmax(logits!.shape[0]!, { logits: logits!.pointer, argmax: argmax!, vocab }),
    ) as [Tensor];
    g.output("argmax", argmax, "int64", ["tokens"]);
    return argmax;
  }
}
