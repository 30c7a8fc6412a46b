import type { Graph, Tensor } from "../../onnx/graph.ts";
import type { CustomOps } from "../../ort/custom_ops.ts";
import { headRows } from "../graph/head_rows.ts";
import { rotations } from "../graph/rope/rope.ts";
import type { PassForm } from "./pass_form.ts";
import { type Block, type ModelSpec, type Projections, scoreScale } from "../spec.ts";
import type { StepOptions } from "./step_options.ts";

type Pointer = Deno.PointerValue;

/** Queries, keys and values of the tokens: one tensor for all, or three. */
export interface Projected {
  readonly tensors: readonly Tensor[];
  readonly qkv: Projections;
}

/** Attention of a step with the project's kernels: what the layers share, and one layer's. */
export class StepAttention {
  /** The first token's position, int64 `[1, 1]`; undefined if positions are places in the cache. */
  readonly position: Tensor | undefined;
  readonly #past: readonly Tensor[];
  readonly #cosine: Tensor | undefined;
  readonly #sine: Tensor | undefined;

  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec,
    readonly form: PassForm,
    readonly ops: CustomOps,
    readonly weights: (name: string) => Pointer,
    readonly options: StepOptions,
  ) {
    if (options.rotate === "write") this.position = g.input("position_ids", "int64", [1, 1]);
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

  /** Rotates, appends to the cache and attends: returns `heads * headDim` numbers for each token. */
  emit(layer: number, { attention: { headNorms } }: Block, { tensors, qkv }: Projected): Tensor {
    const { spec, options: { dtype, rotate, groups, observed } } = this;
    const { g } = this;
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
      this.position ?? past,
      g.input(`past_key.${layer}`, dtype, shape),
      g.input(`past_value.${layer}`, dtype, shape),
      ...tensors,
      ...names.map((name) => optional[name]!),
    ];
    return this.ops.call(
      g,
      inputs,
      [{ dtype, shape: this.form.shape(heads * headDim, inputs.indexOf(tensors[0]!)) }],
      ([past, position, keys, values, ...rest], [out]) => {
        const more = Object.fromEntries(names.map((name, i) => [name, rest[tensors.length + i]!.pointer]));
        const capacity = keys!.shape[2]!;
        this.form.attend(rest[0]!, {
          ...headRows(spec, qkv, dtype, rest.slice(0, tensors.length).map(({ pointer }) => pointer)),
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
            this.form.observed(observed.length * kvHeads, capacity),
            4 * index * kvHeads * capacity,
          ),
          out: out!,
          heads,
          kvHeads,
          headDim,
          capacity,
          scale: scoreScale(spec, layer),
        }, qkv);
      },
    )[0]!;
  }
}
