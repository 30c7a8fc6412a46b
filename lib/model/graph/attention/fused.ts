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
 *
 * With `rows`, one node for each token: the kernel's sums depend on how many tokens it gets.
 */
export class FusedAttention implements AttentionKernel {
  readonly #lengths: { last: Tensor; total: Tensor }[];
  /** Group and row → the same up to that row; layers of a group share them. */
  readonly #upToRow: { last: Tensor; total: Tensor }[] = [];

  constructor(
    readonly g: Graph,
    readonly spec: ModelSpec,
    readonly groups: readonly number[],
    /** Tokens of a pass that verifies drafts. */
    readonly rows?: number,
  ) {
    this.#lengths = Array.from({ length: Math.max(...groups) + 1 }, (_, group) => ({
      last: g.input(`last_slot.${group}`, "int32", [1]),
      total: g.input(`total.${group}`, "int32", [1]),
    }));
  }

  emit(layer: number, heads: Heads, cache: CacheTensors): Tensor {
    const { g, spec, rows = 1 } = this;
    const parts = this.#split(heads);
    let [pastKey, pastValue] = [cache.pastKey, cache.pastValue];
    const attended = parts.map(({ query, key, value }, row) => {
      const { last, total } = this.#upTo(layer, row);
      const [output, presentKey, presentValue] = g.ops(
        "GroupQueryAttention",
        [query, key, value, pastKey, pastValue, last, total],
        3,
        { num_heads: spec.heads, kv_num_heads: spec.kvHeads, scale: { float: scoreScale(spec, layer) } },
        "com.microsoft",
      ) as [Tensor, Tensor, Tensor];
      cache.present(presentKey, presentValue, row === rows - 1 ? undefined : row);
      // The next row waits for this one's entry. Both are in the same memory.
      [pastKey, pastValue] = [presentKey, presentValue];
      return output;
    });
    const [first] = attended as [Tensor];
    return g.reshape(rows === 1 ? first : g.op("Concat", attended, { axis: 1 }), -1, spec.heads * spec.headDim);
  }

  /** Splits the tokens of a pass that verifies drafts, each to be attended by itself. */
  #split({ query, key, value }: Heads): Heads[] {
    const { g, rows = 1 } = this;
    if (rows === 1) return [{ query, key, value }];
    const split = (x: Tensor) => g.ops("Split", [x], rows, { axis: 1, num_outputs: rows });
    const [queries, keys, values] = [split(query), split(key), split(value)];
    return queries.map((query, row) => ({ query, key: keys[row]!, value: values[row]! }));
  }

  /** The last valid slot, and the number of valid entries, once a row is in. */
  #upTo(layer: number, row: number): { readonly last: Tensor; readonly total: Tensor } {
    const { g, rows = 1 } = this;
    const group = this.groups[layer]!;
    const all = this.#lengths[group]!;
    const later = rows - 1 - row;
    if (later === 0) return all;
    const less = (x: Tensor) => g.op("Sub", [x, g.constant("int32", [1], Int32Array.of(later))]);
    const known = this.#upToRow[group * rows + row] ??= { last: less(all.last), total: less(all.total) };
    return known;
  }
}
