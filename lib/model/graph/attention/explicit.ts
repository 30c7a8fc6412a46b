import type { FloatType } from "../../../util/dtype.ts";
import type { Graph, Tensor } from "../../../onnx/graph.ts";
import type { AttentionKernel, CacheTensors, Observation } from "./attention_form.ts";
import type { Heads } from "../layer_ops.ts";
import type { Rotary, Rotation } from "../rope/rotary.ts";
import { type ModelSpec, scoreScale } from "../../spec.ts";
import { AttentionMask, type WindowUse } from "./attention_mask.ts";

/** Layers whose probabilities may be held at a time. A smaller number costs more small kernels. */
const TIED = 4;

/** What explicit attention is built for. */
export interface ExplicitOptions {
  readonly dtype: FloatType;
  /** Layer → its length group. */
  readonly groups: readonly number[];
  /** Rotate when reading: the cache holds unrotated keys, and positions are places in it. */
  readonly rotary?: Rotary;
  /** Attention to observe. */
  readonly observe?: Observation;
  /** How sliding windows count, if texts are longer. */
  readonly window?: WindowUse | undefined;
  /** Tokens of a pass that verifies drafts. */
  readonly rows?: number | undefined;
  /** Positions of the new tokens, int64 `[1, tokens]`, if keys are rotated when they are written. */
  readonly positions: Tensor | undefined;
}

/**
 * Attention written out: scatter the new entries into the cache, MatMul, mask, Softmax, MatMul. For what the fused
 * kernel does not support: probabilities, positions inside the cache, sliding windows, float32 on CUDA, odd head sizes.
 *
 * Adds the inputs of {@linkcode AttentionMask} and, if keys are rotated when read, for each layer l `ranks.l` float32
 * `[kvHeads, capacity]`, the rank of each slot's entry in text order.
 */
export class ExplicitAttention implements AttentionKernel {
  /**
   * Attention of this pass, mean over the query heads of a KV head, float32, one per observed layer. From all queries:
   * their sum, `[kvHeads, capacity]`. From the last `window`: one line per query, as many as the pass has,
   * `[kvHeads, min(window, tokens), capacity]`; if the layer shares one choice, each holds the mean over all heads.
   */
  readonly observed: Tensor[] = [];
  readonly #visible: AttentionMask;
  /** Rotation of keys when read, by group. */
  readonly #rotations = new Map<number, Rotation>();
  /** Minus infinity, for what a token may not see. */
  #masked: Tensor;

  constructor(readonly g: Graph, readonly spec: ModelSpec, readonly options: ExplicitOptions) {
    this.#visible = new AttentionMask(g, spec, options);
    this.#masked = g.cast(g.scalar(-Infinity), "float32", options.dtype);
  }

  emit(layer: number, heads: Heads, cache: CacheTensors): Tensor {
    const { g, spec: { kvHeads, headDim }, options: { dtype } } = this;
    const perKv = this.spec.heads / kvHeads;
    const { past } = this.#visible.group(layer);
    const mask = this.#visible.mask(layer);
    const rotation = this.#rotation(layer);
    const append = (buffer: Tensor, entries: Tensor) => {
      const byHead = g.op("Transpose", [g.reshape(entries, 1, -1, kvHeads, headDim)], { perm: [0, 2, 1, 3] });
      return g.op("TensorScatter", [buffer, byHead, past], { axis: -2, mode: "linear" });
    };
    const cached = append(cache.pastKey, heads.key); // [1, kvHeads, capacity, headDim]
    const values = append(cache.pastValue, heads.value);
    cache.present(cached, values);
    const keys = rotation ? rotation.cache(cached, g.cast(this.#visible.ranks(layer), "float32", "int64")) : cached;
    const queries = rotation ? rotation.tokens(heads.query, this.spec.heads) : heads.query;
    const scaled = g.op("Mul", [queries, g.cast(g.scalar(scoreScale(this.spec, layer)), "float32", dtype)]);
    if (this.options.rows !== undefined) return this.#byRow(scaled, keys, values, mask);
    // The query heads of a KV head are adjacent: [1, kvHeads, perKv * tokens, headDim]
    const query = g.reshape(
      g.op("Transpose", [g.reshape(scaled, 1, -1, kvHeads, perKv, headDim)], { perm: [0, 2, 3, 1, 4] }),
      1,
      kvHeads,
      -1,
      headDim,
    );
    const scores = g.op("FusedMatMul", [query, keys], { transB: 1 }, "com.microsoft");
    // 0 keeps the capacity, which is the same dimension before and after.
    const byQuery = g.reshape(scores, kvHeads, perKv, -1, 0); // [kvHeads, perKv, tokens, capacity]
    const probabilities = g.op("Softmax", [g.op("Where", [mask, byQuery, this.#masked])], { axis: -1 });
    if (this.options.observe?.layers.includes(layer)) {
      this.observed.push(this.#observe(probabilities));
      if (this.observed.length % TIED === 0) this.#tie();
    }
    const flat = g.reshape(probabilities, 1, kvHeads, -1, 0);
    const attended = g.reshape(g.op("MatMul", [flat, values]), kvHeads, perKv, -1, headDim);
    return g.reshape(
      g.op("Transpose", [attended], { perm: [2, 0, 1, 3] }),
      -1,
      this.spec.heads * headDim,
    );
  }

  /**
   * Attends each token by itself, in products of the shape that a step's have: their kernel, and so the order of their
   * sums, depends on the number of rows. Entries of later tokens are masked: they add zeros.
   */
  #byRow(scaled: Tensor, keys: Tensor, values: Tensor, mask: Tensor): Tensor {
    const { g, spec: { heads, kvHeads, headDim } } = this;
    const query = g.reshape(scaled, -1, kvHeads, heads / kvHeads, headDim); // [tokens, kvHeads, perKv, headDim]
    const scores = g.op("FusedMatMul", [query, keys], { transB: 1 }, "com.microsoft"); // [tokens, kvHeads, perKv, capacity]
    const visible = g.op("Unsqueeze", [mask, g.ints(1, 2)]);
    const probabilities = g.op("Softmax", [g.op("Where", [visible, scores, this.#masked])], { axis: -1 });
    return g.reshape(g.op("MatMul", [probabilities, values]), -1, heads * headDim);
  }

  /**
   * Makes the next layer wait until these have been observed. Otherwise ORT would run all layers first and hold the
   * probabilities of each until then: gigabytes for a long prompt.
   */
  #tie(): void {
    const { g, options: { dtype } } = this;
    const least = g.op("ReduceMin", [g.op("Concat", this.observed.slice(-TIED), { axis: 0 })], { keepdims: 0 });
    this.#masked = g.cast(g.op("Sub", [least, g.scalar(Infinity)]), "float32", dtype);
  }

  /** Returns how a layer's keys are rotated when read; undefined if they were rotated when written. */
  #rotation(layer: number): Rotation | undefined {
    const { rotary, groups } = this.options;
    const group = groups[layer]!;
    if (!rotary || this.#rotations.has(group)) return this.#rotations.get(group);
    const { places, slots } = this.#visible.group(layer);
    const rotation = rotary.byPlace(this.g.reshape(places, 1, -1), slots);
    this.#rotations.set(group, rotation);
    return rotation;
  }

  /** Reduces `[kvHeads, perKv, tokens, capacity]` to the shape of {@linkcode observed}. */
  #observe(probabilities: Tensor): Tensor {
    const { g, options: { dtype }, spec: { heads, kvHeads } } = this;
    const { use } = this.options.observe!;
    const perKv = heads / kvHeads;
    const sum = (x: Tensor, axes: readonly number[], keepdims: 0 | 1) =>
      g.op("ReduceSum", [x, g.ints(...axes)], { keepdims });
    const mean = (x: Tensor, over: number) => over === 1 ? x : g.op("Mul", [x, g.scalar(1 / over)]);
    if (use.from === "all") return mean(sum(g.cast(probabilities, dtype, "float32"), [1, 2], 0), perKv);
    const last = g.op("Slice", [probabilities, g.ints(-use.window), g.ints(Number.MAX_SAFE_INTEGER), g.ints(2)]);
    const weights = g.cast(last, dtype, "float32");
    if (use.share !== "layer") return mean(sum(weights, [1], 0), perKv);
    const shared = mean(sum(weights, [0, 1], 0), heads); // [window, capacity]
    return g.op("Add", [shared, g.constant("float32", [kvHeads, 1, 1], new Float32Array(kvHeads))]);
  }
}
