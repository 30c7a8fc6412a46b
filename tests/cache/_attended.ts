/** The real cache and real attention, with any number of query heads per KV head, fed with projections' outputs. */
import type { EvictionOptions } from "../../lib/cache/eviction.ts";
import type { PassGroup } from "../../lib/cache/schedule.ts";
import { AttentionOps } from "../../lib/model/graph/attention/attention.ts";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import type { PassTensors } from "../../lib/model/graph/decoder_options.ts";
import type { ModelSpec } from "../../lib/model/spec.ts";
import type { Graph, Tensor } from "../../lib/onnx/graph.ts";
import type { DeviceMemory } from "../../lib/ort/device.ts";
import { type Bound, FedCache, type Given, type NewEntries, runtime } from "./_device.ts";
import type { Numbering } from "../reference/decoder.ts";

/** Sizes of a model that attention needs. */
export type AttentionShape = Pick<ModelSpec, "layers" | "heads" | "kvHeads" | "headDim" | "rope" | "window">;

/** `[tokens, heads (or kvHeads) * headDim]` of each layer. */
export interface Projected extends NewEntries {
  readonly queries: readonly ArrayLike<number>[];
}

/** A cache that real attention appends to and reads. */
export class AttendedCache extends FedCache<Projected> {
  /** `[tokens, heads * headDim]` of each layer in the last pass. */
  attended: Float32Array[] = [];
  readonly #groups: readonly number[];
  readonly #counts: "index" | "rank" | undefined;

  constructor(
    readonly spec: AttentionShape,
    readonly form: { readonly attention: AttentionForm; readonly numbering: Numbering; readonly maxPositions: number },
    options: EvictionOptions,
    sequence: readonly PassGroup[],
    seed: number,
  ) {
    const window = spec.window && (form.numbering === "absolute" ? "index" : "rank");
    super(spec, { ...options, rankedPositions: form.numbering === "cache", window }, sequence, seed);
    this.#counts = window;
    this.#groups = this.eviction.keeper.groups();
  }

  protected override emit(g: Graph): PassTensors {
    const { spec: { layers, heads, kvHeads, headDim }, eviction: { kept, acting }, form } = this;
    const part = new AttentionOps(g, this.spec as ModelSpec, {
      dtype: "float32",
      attention: form.attention,
      rotate: form.numbering === "cache" ? "read" : "write",
      maxPositions: form.maxPositions,
      groups: this.#groups,
      observe: kept.attention && { use: kept.attention, layers: acting },
      window: this.#counts && { by: this.#counts, evicted: acting },
    }, form.numbering === "cache" ? undefined : g.input("position_ids", "int64", [1, "tokens"]));
    let after: Tensor = g.scalar(0);
    for (let layer = 0; layer < layers; layer++) {
      const take = (name: string, heads: number) => g.input(`${name}.${layer}`, "float32", ["tokens", heads * headDim]);
      const attended = part.emit(layer, {
        query: take("query", heads),
        key: take("key", kvHeads),
        value: take("value", kvHeads),
      });
      g.output(`attended.${layer}`, attended, "float32", ["tokens", heads * headDim]);
      after = g.op("Add", [after, g.op("ReduceMax", [attended], { keepdims: 0 })]);
    }
    return { after, observed: part.observed };
  }

  protected override bind(tokens: number, { queries, keys, values }: Projected, given: Given): Bound {
    const { cache, spec, eviction: { acting }, form } = this;
    const { layers, heads, kvHeads, headDim } = spec;
    const bound: Bound = { inputs: {}, outputs: {} };
    const { inputs } = bound;
    const iota = (count: number) => Array.from({ length: count }, (_, i) => i);
    if (form.numbering !== "cache") {
      const first = form.numbering === "seed" ? cache.held[0]! : this.textIndex;
      inputs.position_ids = given.numbers("int64", [1, tokens], iota(tokens).map((i) => first + i));
    }
    if (form.attention === "explicit") inputs.rows = given.numbers("int64", [tokens, 1], iota(tokens));
    [...new Set(this.#groups)].forEach((group) => {
      const layer = this.#groups.indexOf(group);
      const [past, capacity] = [cache.held[layer]!, cache.capacity(layer, tokens)];
      if (form.attention === "fused") {
        inputs[`last_slot.${group}`] = given.numbers("int32", [1], [past + tokens - 1]);
        inputs[`total.${group}`] = given.numbers("int32", [1], [past + tokens]);
      } else {
        inputs[`past.${group}`] = given.numbers("int64", [1], [past]);
        inputs[`slots.${group}`] = given.numbers("int64", [1, capacity], iota(capacity));
      }
    });
    const out: DeviceMemory[] = [];
    for (let layer = 0; layer < layers; layer++) {
      inputs[`query.${layer}`] = given.numbers("float32", [tokens, heads * headDim], queries[layer]!);
      inputs[`key.${layer}`] = given.numbers("float32", [tokens, kvHeads * headDim], keys[layer]!);
      inputs[`value.${layer}`] = given.numbers("float32", [tokens, kvHeads * headDim], values[layer]!);
      if (form.numbering === "cache") {
        const capacity = cache.capacity(layer, tokens);
        inputs[`ranks.${layer}`] = acting.includes(layer)
          ? cache.perSlot("rank", layer, tokens)
          : given.numbers("float32", [kvHeads, capacity], iota(kvHeads * capacity).map((i) => i % capacity));
      }
      if (form.numbering !== "cache" && spec.window?.(layer) && acting.includes(layer)) {
        const [input, feature] = this.#counts === "index"
          ? ["text_positions", "text_position"] as const
          : ["ranks", "rank"] as const;
        inputs[`${input}.${layer}`] = cache.perSlot(feature, layer, tokens);
      }
      const { value, memory } = given.room("float32", [tokens, heads * headDim]);
      bound.outputs[`attended.${layer}`] = value;
      out.push(memory);
    }
    this.#out = out;
    return bound;
  }
  #out: readonly DeviceMemory[] = [];

  protected override ran(): void {
    this.attended = this.#out.map((memory) => {
      const numbers = new Float32Array(memory.bytes / 4);
      runtime().device.read(memory, 0, numbers);
      return numbers;
    });
  }
}
