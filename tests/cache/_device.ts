/**
 * The real cache on the device, with all of a decoder's outputs supplied by hand: new keys and values, and the
 * attention of a pass.
 */
import { emitDrop } from "../../lib/cache/drop_graph.ts";
import { Eviction, type EvictionOptions } from "../../lib/cache/eviction.ts";
import { KvCache } from "../../lib/cache/kv_cache.ts";
import type { PassGroup } from "../../lib/cache/schedule.ts";
import type { StepState } from "../../lib/cache/step_state.ts";
import { type DType, DTYPES } from "../../lib/util/dtype.ts";
import type { PassTensors } from "../../lib/model/graph/decoder_options.ts";
import { Graph, type Tensor } from "../../lib/onnx/graph.ts";
import { Binding } from "../../lib/ort/binding.ts";
import type { DeviceMemory } from "../../lib/ort/device.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import { Session } from "../../lib/ort/session.ts";
import { Value } from "../../lib/ort/value.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";

let opened: Runtime | undefined;
/** One runtime for all tests of a file. */
export const runtime = () => opened ??= openRuntime("cpu");

/** Sizes of the cache. */
export interface Shape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Input of a pass, in addition to its number of tokens. */
export interface NewEntries {
  /** `[layers]` of `[kvHeads, tokens, headDim]`. */
  readonly keys: readonly ArrayLike<number>[];
  readonly values: readonly ArrayLike<number>[];
  /** Attention that explicit attention outputs for each acting layer, by slot: see ExplicitAttention. */
  readonly observed?: readonly ArrayLike<number>[];
}

/** State of one KV head of an acting layer, by slot. */
export interface RowState {
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** Ranks of all slots, including empty ones. */
  readonly rank: Float32Array;
  readonly key_norm: Float32Array | undefined;
  readonly text_position: Float32Array | undefined;
  /** One line, or one for each of the last queries. */
  readonly attention: Float32Array[] | undefined;
}

/** Tensors made for one pass. */
export class Given implements Disposable {
  readonly #made = new DisposableStack();

  /** A tensor with numbers of any type. */
  numbers(type: DType, shape: readonly number[], numbers: ArrayLike<number>): Value {
    const data = type === "int64"
      ? BigInt64Array.from(Array.from(numbers), BigInt)
      : type === "int32"
      ? Int32Array.from(numbers)
      : type === "float16"
      ? new Float16Array(numbers) as unknown as Uint16Array<ArrayBuffer>
      : Float32Array.from(numbers);
    return this.room(type, shape, data).value;
  }

  /** A tensor, and the memory it is in. */
  room(type: DType, shape: readonly number[], data?: ArrayBufferView<ArrayBuffer>) {
    const { ort, device } = runtime();
    const memory = this.#made.use(device.allocate(shape.reduce((a, b) => a * b, DTYPES[type].bytes)));
    if (data) device.write(memory, 0, data);
    return { value: Value.of(ort, device, memory, type, shape), memory };
  }

  [Symbol.dispose](): void {
    this.#made[Symbol.dispose]();
  }
}

/** Tensors that a pass is bound to, by name. */
export interface Bound {
  readonly inputs: Record<string, Value>;
  readonly outputs: Record<string, Value>;
}

/** A cache whose passes are fed by hand. */
export class FedCache<E extends NewEntries = NewEntries> implements Disposable {
  readonly eviction: Eviction;
  readonly cache: KvCache;
  #session: Session | undefined;
  /** Tokens of the text so far. */
  protected textIndex = 0;

  constructor(readonly shape: Shape, options: EvictionOptions, sequence: readonly PassGroup[], seed: number) {
    this.eviction = new Eviction(runtime(), shape, options);
    try {
      this.cache = new KvCache(this.eviction, sequence, seed);
    } catch (error) {
      this.eviction[Symbol.dispose]();
      throw error;
    }
  }

  #graph(): Uint8Array<ArrayBuffer> {
    const { shape: { kvHeads, headDim }, eviction: { stored: dtype, score, kept, acting } } = this;
    const g = new Graph("fed", 24);
    const pass = this.emit(g);
    if (acting.length > 0) emitDrop(g, { actingLayers: acting.length, kvHeads, headDim, dtype, score, kept, ...pass });
    return g.encode();
  }

  /** In place of a decoder: appends what is fed. */
  protected emit(g: Graph): PassTensors {
    const { shape: { layers, kvHeads, headDim }, eviction: { stored: dtype, kept, acting } } = this;
    let after: Tensor = g.scalar(0);
    for (let layer = 0; layer < layers; layer++) {
      const cached = [1, kvHeads, `capacity.${layer}`, headDim];
      const past = g.input(`past.${layer}`, "int64", [1]);
      for (const part of ["key", "value"] as const) {
        const buffer = g.input(`past_${part}.${layer}`, dtype, cached);
        const entries = g.input(`new_${part}.${layer}`, dtype, [1, kvHeads, "tokens", headDim]);
        const present = g.op("TensorScatter", [buffer, entries, past], { axis: -2, mode: "linear" });
        g.output(`present_${part}.${layer}`, present, dtype, cached);
        // A maximum exists only after the layer has written. Multiplied by zero at once, so that the sum cannot
        // overflow.
        const some = g.op("ReduceMax", [g.cast(present, dtype, "float32")], { keepdims: 0 });
        after = g.op("Add", [after, g.op("Mul", [some, g.scalar(0)])]);
      }
    }
    const lines = kept.attention?.from === "last" ? ["lines_now"] : [];
    const observed = kept.attention
      ? acting.map((layer) => g.input(`observed.${layer}`, "float32", [kvHeads, ...lines, "width"]))
      : [];
    return { after, observed };
  }

  /** Inputs and outputs of what {@linkcode emit} writes, without the caches. */
  protected bind(tokens: number, entries: E, given: Given): Bound {
    const { cache, shape: { layers, kvHeads, headDim }, eviction: { stored: dtype, kept, acting } } = this;
    const inputs: Record<string, Value> = {};
    for (let layer = 0; layer < layers; layer++) {
      const shape = [1, kvHeads, tokens, headDim];
      inputs[`new_key.${layer}`] = given.numbers(dtype, shape, entries.keys[layer]!);
      inputs[`new_value.${layer}`] = given.numbers(dtype, shape, entries.values[layer]!);
      inputs[`past.${layer}`] = given.numbers("int64", [1], [cache.held[layer]!]);
    }
    if (kept.attention) {
      const ringIndices = this.ringIndicesOf(tokens);
      acting.forEach((layer, i) => {
        const shape = [kvHeads, ...(ringIndices ? [ringIndices.length] : []), cache.capacity(layer, tokens)];
        inputs[`observed.${layer}`] = given.numbers("float32", shape, entries.observed![i]!);
      });
    }
    return { inputs, outputs: {} };
  }

  /** Runs one pass and the policy's work after it. */
  pass(tokens: number, entries: E): void {
    const { cache, shape: { layers }, eviction: { kept, acting, isRandom } } = this;
    using given = new Given();
    cache.beginPass(tokens);
    const draw = cache.nextDraw();
    const { inputs, outputs } = this.bind(tokens, entries, given);
    for (let layer = 0; layer < layers; layer++) {
      const { keys, values } = cache.tensors(layer, tokens);
      inputs[`past_key.${layer}`] = outputs[`present_key.${layer}`] = keys;
      inputs[`past_value.${layer}`] = outputs[`present_value.${layer}`] = values;
    }
    if (acting.length > 0) {
      const state = cache.state(tokens)!.tensors();
      Object.assign(inputs, state.inputs);
      Object.assign(outputs, state.outputs);
      inputs.drop_ranges = given.numbers("float32", [4, acting.length], cache.dropRanges());
      if (isRandom) inputs.draw = given.numbers("int64", [1], [draw]);
      if (kept.textPositions) inputs.text_index = given.numbers("float32", [1], [this.textIndex]);
      const ringIndices = this.ringIndicesOf(tokens);
      if (ringIndices) inputs.ring_indices = given.numbers("int64", [ringIndices.length], ringIndices);
    }
    const { ort, device } = runtime();
    this.#session ??= new Session(ort, device, this.#graph(), { threads: 1 });
    using binding = new Binding(this.#session, inputs, outputs);
    binding.run();
    this.ran();
    this.textIndex += tokens;
    cache.endPass();
  }

  /** Called after a pass has run, while its tensors still exist. */
  protected ran(): void {}

  /** Ring index of each of a pass's last queries; undefined if attention is summed. */
  ringIndicesOf(tokens: number): number[] | undefined {
    const use = this.eviction.kept.attention;
    if (use?.from !== "last") return undefined;
    const count = Math.min(use.window, tokens);
    return Array.from({ length: count }, (_, i) => (this.textIndex + tokens - count + i) % use.window);
  }

  /** Ranks of the slots that a pass of `tokens` will find, for a row of an acting layer. */
  ranksBefore(tokens: number, row: number): Float32Array {
    const state = this.cache.state(tokens)!;
    return this.#read(state, state.memory.rank!, row, 1)[0]!;
  }

  /** State of a KV head. */
  row(layer: number, kvHead: number): RowState {
    const { eviction: { acting, stored: dtype, kept } } = this;
    const { device } = runtime();
    const state = this.cache.state(1)!;
    const { layout, keys, values } = state.block;
    const { headDim, kvHeads } = layout;
    const capacity = layout.capacities[layer]!;
    const start = layout.starts[layer]! + kvHead * capacity;
    const entries = (memory: DeviceMemory) => {
      const bytes = new Uint8Array(capacity * headDim * DTYPES[dtype].bytes);
      device.read(memory, start * headDim * DTYPES[dtype].bytes, bytes);
      return dtype === "float16" ? Float32Array.from(new Float16Array(bytes.buffer)) : new Float32Array(bytes.buffer);
    };
    const row = acting.indexOf(layer) * kvHeads + kvHead;
    const { rank, key_norm, text_position, attention } = state.memory;
    const feature = (memory: DeviceMemory | undefined, lines = 1) =>
      memory && row >= 0 ? this.#read(state, memory, row, lines) : undefined;
    return {
      keys: entries(keys),
      values: entries(values),
      rank: feature(rank)?.[0] ?? Float32Array.from({ length: capacity }, (_, i) => i),
      key_norm: feature(key_norm)?.[0],
      text_position: feature(text_position)?.[0],
      attention: feature(attention, kept.attention?.from === "last" ? kept.attention.window : 1),
    };
  }

  #read(state: StepState, memory: DeviceMemory, row: number, lines: number): Float32Array[] {
    const { width } = state.block.layout;
    const numbers = new Float32Array(lines * width);
    runtime().device.read(memory, 4 * row * lines * width, numbers);
    return Array.from({ length: lines }, (_, line) => numbers.slice(line * width, (line + 1) * width));
  }

  [Symbol.dispose](): void {
    this.#session?.[Symbol.dispose]();
    this.cache[Symbol.dispose]();
    this.eviction[Symbol.dispose]();
  }
}
