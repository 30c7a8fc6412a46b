import type { Graph, Tensor } from "../../../onnx/graph.ts";
import type { FloatType } from "../../../util/dtype.ts";
import type { ModelSpec } from "../../spec.ts";
import { scoreScale } from "../../spec.ts";
import type { Heads } from "../layer_ops.ts";
import type { AttentionKernel, CacheTensors } from "./attention_form.ts";

/** The part of a cache that a step sees, entries. */
export interface CacheView {
  /** The first entries of the text. */
  readonly sink: number;
  /** The last ones, that of the step included; at least 1. */
  readonly recent: number;
}

/**
 * Attention of one token to a part of a full cache: its first entries and its last ones, which are gathered from where
 * they lie. Nothing is evicted, and no second cache is kept.
 *
 * Adds for each group g the input `past.g` int64 `[1]`: entries before the step.
 */
export class ViewAttention implements AttentionKernel {
  /** By group: the entries before the step, the slots seen, and whether each holds an entry. */
  readonly #groups: readonly { readonly past: Tensor; readonly slots: Tensor; readonly isThere: Tensor }[];

  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec,
    readonly options: { readonly dtype: FloatType; readonly groups: readonly number[]; readonly view: CacheView },
  ) {
    const { groups, view: { sink, recent } } = options;
    this.#groups = Array.from({ length: Math.max(...groups) + 1 }, (_, group) => {
      const past = g.input(`past.${group}`, "int64", [1]);
      const last = g.iota(recent, [recent], "int64");
      const from = g.op("Max", [g.op("Sub", [past, g.ints(recent - 1)]), g.ints(sink)]);
      const window = g.op("Add", [from, last]);
      const wanted = sink === 0 ? window : g.op("Concat", [g.iota(sink, [sink], "int64"), window], { axis: 0 });
      // A text that is shorter than the view has no entries for some of its slots.
      return { past, slots: g.op("Min", [wanted, past]), isThere: g.op("LessOrEqual", [wanted, past]) };
    });
  }

  emit(layer: number, { query, key, value }: Heads, cache: CacheTensors): Tensor {
    const { g, spec: { heads, kvHeads, headDim }, options: { dtype, groups } } = this;
    const { past, slots, isThere } = this.#groups[groups[layer]!]!;
    const append = (buffer: Tensor, entry: Tensor) =>
      g.op("TensorScatter", [buffer, g.reshape(entry, 1, kvHeads, 1, headDim), past], { axis: -2, mode: "linear" });
    const [keys, values] = [append(cache.pastKey, key), append(cache.pastValue, value)];
    cache.present(keys, values);
    const seen = (cached: Tensor) => g.op("Gather", [cached, slots], { axis: 2 });
    const scale = g.cast(g.scalar(scoreScale(this.spec, layer)), "float32", dtype);
    const rows = g.reshape(g.op("Mul", [query, scale]), 1, kvHeads, heads / kvHeads, headDim);
    const scores = g.op("FusedMatMul", [rows, seen(keys)], { transB: 1 }, "com.microsoft");
    const masked = g.op("Where", [isThere, scores, g.cast(g.scalar(-Infinity), "float32", dtype)]);
    const attended = g.op("MatMul", [g.op("Softmax", [masked], { axis: -1 }), seen(values)]);
    return g.reshape(attended, -1, heads * headDim);
  }
}
