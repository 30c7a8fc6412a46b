import type { Graph, Tensor } from "../onnx/graph.ts";
import type { AttentionKernel, CacheTensors } from "./attention.ts";
import type { Heads } from "./parts.ts";
import type { ModelSpec } from "./spec.ts";

/**
 * com.microsoft.GroupQueryAttention over buffers that are both past and present: it writes the new entries behind the
 * valid ones and attends to all of them, causally.
 *
 * Adds for each group g the inputs `last_slot.g` int32 `[1]`, the last valid slot once the new tokens are in, and
 * `total.g` int32 `[1]` on the host: valid entries after this pass, or in a captured CUDA graph, which keeps the number
 * it was captured with, the capacity.
 */
export class FusedAttention implements AttentionKernel {
  readonly #lengths: { last: Tensor; total: Tensor }[];

  constructor(readonly g: Graph, readonly spec: ModelSpec, readonly groups: readonly number[]) {
    this.#lengths = Array.from({ length: Math.max(...groups) + 1 }, (_, group) => ({
      last: g.input(`last_slot.${group}`, "int32", [1]),
      total: g.input(`total.${group}`, "int32", [1]),
    }));
  }

  emit(layer: number, { query, key, value }: Heads, cache: CacheTensors): Tensor {
    const { g, spec } = this;
    const { last, total } = this.#lengths[this.groups[layer]!]!;
    const [output, presentKey, presentValue] = g.ops(
      "GroupQueryAttention",
      [query, key, value, cache.pastKey, cache.pastValue, last, total],
      3,
      { num_heads: spec.heads, kv_num_heads: spec.kvHeads, scale: { float: 1 / Math.sqrt(spec.headDim) } },
      "com.microsoft",
    ) as [Tensor, Tensor, Tensor];
    cache.present(presentKey, presentValue);
    return g.reshape(output, -1, spec.heads * spec.headDim);
  }
}
