import type { Graph, Tensor } from "../../../onnx/graph.ts";
import type { AttentionKernel, CacheTensors } from "./attention_form.ts";
import { ExplicitAttention } from "./explicit.ts";
import { FusedAttention } from "./fused.ts";
import type { DecoderOptions } from "../decoder_options.ts";
import type { Heads } from "../layer_ops.ts";
import { ViewAttention } from "./view.ts";
import { Rotary, type Rotation } from "../rope/rotary.ts";
import type { ModelSpec } from "../../spec.ts";

/** What attention shares across layers: the rotary table, the lengths, the form. */
export class AttentionOps {
  readonly #kernel: AttentionKernel;
  /** Rotation when keys are written, created on first use: heads may already be rotated. */
  #rotation: Rotation | undefined;
  /** Attention paid to each slot, of the observed layers in order: see {@linkcode ExplicitAttention}. */
  readonly observed: readonly Tensor[];

  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec,
    readonly options: Pick<
      DecoderOptions,
      "dtype" | "attention" | "rotate" | "maxPositions" | "groups" | "observe" | "window" | "rows" | "view"
    >,
    /** Positions of the new tokens, int64 `[1, tokens]`; if keys are rotated when read, each group has its own. */
    readonly positions: Tensor | undefined,
  ) {
    const { dtype, attention, rotate, groups, observe, window, rows, view } = options;
    const rotary = rotate === "read" ? this.#rotary() : undefined;
    if (view) {
      if (attention === "fused" || rotate === "read" || observe || window) {
        throw new TypeError("Cannot see a part of the cache but in the explicit form, of keys rotated when written");
      }
      this.#kernel = new ViewAttention(g, spec, { dtype, groups, view });
      this.observed = [];
    } else if (attention === "fused") {
      if (rotate === "read" || observe || window) {
        throw new TypeError("Cannot use fused attention: it gives neither keys nor weights, and masks nothing");
      }
      this.#kernel = new FusedAttention(g, spec, groups, rows);
      this.observed = [];
    } else {
      const kernel = new ExplicitAttention(g, spec, {
        dtype,
        groups,
        positions,
        window,
        rows,
        ...(rotary ? { rotary } : {}),
        ...(observe ? { observe } : {}),
      });
      this.#kernel = kernel;
      this.observed = kernel.observed;
    }
  }

  /** Rotates, appends to the cache and attends: `[tokens, heads * headDim]` in and out. */
  emit(layer: number, { query, key, value, rotated: done = false }: Heads): Tensor {
    const { g, spec: { heads, kvHeads, headDim }, options: { dtype } } = this;
    const shape = [1, kvHeads, `capacity.${this.options.groups[layer]}`, headDim];
    const cache: CacheTensors = {
      pastKey: g.input(`past_key.${layer}`, dtype, shape),
      pastValue: g.input(`past_value.${layer}`, dtype, shape),
      present: (k, v, row) => {
        const after = row === undefined ? `${layer}` : `${layer}.${row}`;
        g.output(`present_key.${after}`, k, dtype, shape);
        g.output(`present_value.${after}`, v, dtype, shape);
      },
    };
    const batched = (x: Tensor, heads: number) => g.reshape(x, 1, -1, heads * headDim);
    if (!done && this.positions) this.#rotation ??= this.#rotary()?.byPosition(this.positions);
    const rotated = (x: Tensor, heads: number) =>
      done ? batched(x, heads) : this.#rotation?.tokens(batched(x, heads), heads) ?? batched(x, heads);
    return this.#kernel.emit(layer, {
      query: rotated(query, heads),
      key: rotated(key, kvHeads),
      value: batched(value, kvHeads),
    }, cache);
  }

  #rotary(): Rotary | undefined {
    const { g, spec, options: { dtype, maxPositions } } = this;
    return spec.rope && new Rotary(g, { ...spec, rope: spec.rope }, dtype, maxPositions);
  }
}
