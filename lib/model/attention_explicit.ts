import type { FloatType } from "../dtype.ts";
import type { Graph, Tensor } from "../onnx/graph.ts";
import type { AttentionKernel, CacheTensors } from "./attention.ts";
import type { Heads } from "./parts.ts";
import type { ModelSpec } from "./spec.ts";

/**
 * Attention written out: scatter the new entries into the cache, MatMul, mask, Softmax, MatMul. For what the fused
 * kernel does not give: probabilities, float32 on CUDA, odd head sizes.
 *
 * Adds the inputs `rows` int64 `[tokens, 1]` = 0, 1 … and, for each group g, `past.g` int64 `[1]`, the entries before
 * this pass, and `slots.g` int64 `[1, capacity]` = 0, 1 ….
 */
export class ExplicitAttention implements AttentionKernel {
  readonly #groups: { past: Tensor; mask: Tensor }[];
  readonly #scale: Tensor;
  readonly #masked: Tensor;

  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec,
    readonly dtype: FloatType,
    readonly groups: readonly number[],
  ) {
    const rows = g.input("rows", "int64", ["tokens", 1]);
    this.#groups = Array.from({ length: Math.max(...groups) + 1 }, (_, group) => {
      const past = g.input(`past.${group}`, "int64", [1]);
      const slots = g.input(`slots.${group}`, "int64", [1, `capacity.${group}`]);
      // Token i may see slot j where j <= past + i: [tokens, capacity]
      return { past, mask: g.op("LessOrEqual", [slots, g.op("Add", [past, rows])]) };
    });
    this.#scale = g.cast(g.scalar(1 / Math.sqrt(spec.headDim)), "float32", dtype);
    this.#masked = g.cast(g.scalar(-Infinity), "float32", dtype);
  }

  emit(layer: number, heads: Heads, cache: CacheTensors): Tensor {
    const { g, spec: { kvHeads, headDim } } = this;
    const perKv = this.spec.heads / kvHeads;
    const { past, mask } = this.#groups[this.groups[layer]!]!;
    const append = (buffer: Tensor, entries: Tensor) => {
      const byHead = g.op("Transpose", [g.reshape(entries, 1, -1, kvHeads, headDim)], { perm: [0, 2, 1, 3] });
      return g.op("TensorScatter", [buffer, byHead, past], { axis: -2, mode: "linear" });
    };
    const keys = append(cache.pastKey, heads.key); // [1, kvHeads, capacity, headDim]
    const values = append(cache.pastValue, heads.value);
    cache.present(keys, values);
    // The query heads of a KV head lie side by side: [1, kvHeads, perKv * tokens, headDim]
    const scaled = g.op("Mul", [heads.query, this.#scale]);
    const query = g.reshape(
      g.op("Transpose", [g.reshape(scaled, 1, -1, kvHeads, perKv, headDim)], { perm: [0, 2, 3, 1, 4] }),
      1,
      kvHeads,
      -1,
      headDim,
    );
    const scores = g.op("FusedMatMul", [query, keys], { transB: 1 }, "com.microsoft");
    // 0 takes over the capacity, which stands in the same place before and after.
    const byQuery = g.reshape(scores, kvHeads, perKv, -1, 0); // [kvHeads, perKv, tokens, capacity]
    const probabilities = g.op("Softmax", [g.op("Where", [mask, byQuery, this.#masked])], { axis: -1 });
    const flat = g.reshape(probabilities, 1, kvHeads, -1, 0);
    const attended = g.reshape(g.op("MatMul", [flat, values]), kvHeads, perKv, -1, headDim);
    return g.reshape(
      g.op("Transpose", [attended], { perm: [2, 0, 1, 3] }),
      -1,
      this.spec.heads * headDim,
    );
  }
}
