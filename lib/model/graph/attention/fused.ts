import type { Graph, Tensor } from "../../../onnx/graph.ts";
import type { AttentionKernel, CacheTensors } from "./attention_form.ts";
import type { DecoderOptions } from "../decoder_options.ts";
import type { Heads } from "../layer_ops.ts";
import { type ModelSpec, scoreScale, shortestWindow } from "../../spec.ts";

/**
 * Returns why the fused form cannot be used, to follow "Cannot use --attention fused: "; undefined if it can.
 *
 * @example
 * ```ts
 * import { fusedObstacle } from "./fused.ts";
 *
 * const spec = { headDim: 80, layers: 32 };
 * const options = { dtype: "float32", maxPositions: 2048 } as const;
 * console.log(fusedObstacle(spec, { ...options, device: "cpu" })); // undefined
 * console.log(fusedObstacle(spec, { ...options, device: "cuda" })); // "the fused kernel on CUDA …"
 * ```
 *
 * @param spec The model.
 * @param options What the decoder is built for.
 * @returns The reason, without a full stop.
 */
export function fusedObstacle(
  spec: Pick<ModelSpec, "headDim" | "window" | "layers">,
  { dtype, device, maxPositions }: Pick<DecoderOptions, "dtype" | "device" | "maxPositions">,
): string | undefined {
  const { headDim } = spec;
  if (headDim % 8) return `the fused kernel takes head sizes that are a multiple of 8, the model's is ${headDim}`;
  if (device === "cuda" && dtype === "float32") {
    return "the fused kernel on CUDA takes float16 and bfloat16, not float32";
  }
  const window = shortestWindow(spec);
  if (maxPositions > window) {
    return `the fused kernel counts the model's sliding window of ${window} tokens by slots, which eviction reuses in any order`;
  }
  return undefined;
}

/**
 * com.microsoft.GroupQueryAttention over buffers that are both past and present: it writes the new entries after the
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
      { num_heads: spec.heads, kv_num_heads: spec.kvHeads, scale: { float: scoreScale(spec, layer) } },
      "com.microsoft",
    ) as [Tensor, Tensor, Tensor];
    cache.present(presentKey, presentValue);
    return g.reshape(output, -1, spec.heads * spec.headDim);
  }
}
