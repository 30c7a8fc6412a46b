import { type KvCache, noDrop } from "../cache/kv_cache.ts";
import { Binding } from "../ort/binding.ts";
import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import type { Engine } from "./engine.ts";

/**
 * Inputs and outputs of passes of one number of tokens, bound once. What changes from pass to pass lies in one block,
 * so that a step costs one small copy in and one out.
 */
export class PassIo implements Disposable {
  readonly #binding: Binding;
  /**
   * int64 `ids[tokens]`, `positions[tokens]`, `target`, `draw`, `past[groups]`; then int32 `last_slot[groups]`; then float32
   * `middles[3, actingLayers]`.
   */
  readonly #input: DeviceMemory;
  /** int32 `total[groups]`, on the host. */
  readonly #totals: DeviceMemory;
  /** float32 nll, 4 bytes of nothing, int64 argmax. */
  readonly #output: DeviceMemory;
  readonly #memory: DeviceMemory[] = [];
  readonly #logits: DeviceMemory | undefined;
  readonly #captured: boolean;
  readonly #capacities: Int32Array<ArrayBuffer>;
  readonly #staged: ArrayBuffer;
  readonly #read = new ArrayBuffer(16);
  /** Group → one of its layers. */
  readonly #member: number[];

  constructor(readonly engine: Engine, readonly cache: KvCache, readonly tokens: number) {
    const { runtime: { ort, device, host }, model: { spec }, groups, options } = engine;
    this.#member = Array.from({ length: Math.max(...groups) + 1 }, (_, group) => groups.indexOf(group));
    const count = this.#member.length;
    const allocate = (bytes: number, where = device) => {
      const memory = where.allocate(bytes);
      this.#memory.push(memory);
      return memory;
    };
    const acting = engine.eviction.acting.length;
    const lengths = 8 * (2 * tokens + 2);
    const middles = lengths + 12 * count;
    this.#staged = new ArrayBuffer(middles + 12 * acting);
    this.#input = allocate(this.#staged.byteLength);
    this.#totals = allocate(4 * count, host);
    this.#output = allocate(16);
    const view = (dtype: "int64" | "int32" | "float32", shape: number[], offset: number) =>
      Value.of(ort, device, this.#input, dtype, shape, offset);
    const inputs: Record<string, Value> = {
      input_ids: view("int64", [tokens], 0),
      position_ids: view("int64", [1, tokens], 8 * tokens),
      target: view("int64", [1], 16 * tokens),
    };
    if (options.attention === "fused") {
      this.#member.forEach((_, group) => {
        inputs[`last_slot.${group}`] = view("int32", [1], lengths + 8 * count + 4 * group);
        inputs[`total.${group}`] = Value.of(ort, host, this.#totals, "int32", [1], 4 * group);
      });
    } else {
      const most = Math.max(tokens, ...this.#member.map((layer) => cache.capacity(layer, tokens)));
      const iota = allocate(8 * most);
      device.write(iota, 0, BigInt64Array.from({ length: most }, (_, i) => BigInt(i)));
      inputs.rows = Value.of(ort, device, iota, "int64", [tokens, 1]);
      this.#member.forEach((layer, group) => {
        inputs[`past.${group}`] = view("int64", [1], lengths + 8 * group);
        inputs[`slots.${group}`] = Value.of(ort, device, iota, "int64", [1, cache.capacity(layer, tokens)]);
      });
    }
    const outputs: Record<string, Value> = {
      nll: Value.of(ort, device, this.#output, "float32", [1]),
      argmax: Value.of(ort, device, this.#output, "int64", [1], 8),
    };
    for (let layer = 0; layer < spec.layers; layer++) {
      const { keys, values } = cache.tensors(layer, tokens);
      inputs[`past_key.${layer}`] = outputs[`present_key.${layer}`] = keys;
      inputs[`past_value.${layer}`] = outputs[`present_value.${layer}`] = values;
    }
    if (cache.state) {
      const state = cache.state.tensors();
      Object.assign(inputs, state.inputs, { middles: view("float32", [3, acting], middles) });
      if (engine.eviction.isRandom) inputs.draw = view("int64", [1], 8 * (2 * tokens + 1));
      Object.assign(outputs, state.outputs);
    }
    if (options.logits) {
      this.#logits = allocate(4 * tokens * spec.vocab);
      outputs.logits = Value.of(ort, device, this.#logits, "float32", [tokens, spec.vocab]);
    }
    this.#captured = tokens === 1 && engine.session.capturable;
    // In a captured graph the count on the host stays what it was: the capacity is right for all of them.
    this.#capacities = Int32Array.from(this.#member, (layer) => cache.capacity(layer, tokens));
    this.#binding = new Binding(engine.session, inputs, outputs, this.#captured);
    if (this.#captured) this.#capture();
  }

  /** Queues one pass of the cache's current one. */
  run(ids: readonly number[], position: number, target: number): void {
    const { cache } = this;
    this.#run(ids, position, target, cache.nextDraw(), cache.held, cache.middles());
  }

  #run(
    ids: readonly number[],
    position: number,
    target: number,
    draw: number,
    held: readonly number[],
    middles: Float32Array<ArrayBuffer>,
  ): void {
    const { tokens } = this;
    const { device, host } = this.engine.runtime;
    const groups = this.#member.length;
    const longs = new BigInt64Array(this.#staged, 0, 2 * tokens + 2 + groups);
    for (let i = 0; i < tokens; i++) {
      longs[i] = BigInt(ids[i]!);
      longs[tokens + i] = BigInt(position + i);
    }
    longs[2 * tokens] = BigInt(target);
    longs[2 * tokens + 1] = BigInt(draw);
    const total = new Int32Array(groups);
    const lastSlots = new Int32Array(this.#staged, longs.byteLength, groups);
    this.#member.forEach((layer, group) => {
      longs[2 * tokens + 2 + group] = BigInt(held[layer]!);
      total[group] = held[layer]! + tokens;
      lastSlots[group] = total[group]! - 1;
    });
    new Float32Array(this.#staged, longs.byteLength + 4 * groups).set(middles);
    device.write(this.#input, 0, new Uint8Array(this.#staged));
    host.write(this.#totals, 0, this.#captured ? this.#capacities : total);
    this.#binding.run();
  }

  /**
   * Records the CUDA graph, which runs the pass three times: over an empty cache, with layers that drop nothing, that
   * changes nothing but the first slot, which is written again before it counts.
   */
  #capture(): void {
    const { groups, eviction: { acting }, runtime: { device } } = this.engine;
    const { last, sink, end } = noDrop(0);
    const middles = [last, sink, end].flatMap((value) => acting.map(() => value));
    device.synchronize(); // ORT frees pinned memory when a run has ended: not while a capture goes on
    this.#run([0], 0, 0, 0, groups.map(() => 0), Float32Array.from(middles));
    device.synchronize();
  }

  /** Waits for the pass. */
  read(): { nll: number; argmax: number } {
    this.engine.runtime.device.read(this.#output, 0, new Uint8Array(this.#read));
    return { nll: new Float32Array(this.#read)[0]!, argmax: Number(new BigInt64Array(this.#read)[1]) };
  }

  /** Waits for the pass; `[tokens, vocab]`. */
  logits(): Float32Array {
    if (!this.#logits) throw new TypeError("Cannot read logits: the engine was made without them");
    const logits = new Float32Array(this.#logits.bytes / 4);
    this.engine.runtime.device.read(this.#logits, 0, logits);
    return logits;
  }

  [Symbol.dispose](): void {
    this.#binding[Symbol.dispose]();
    for (const memory of this.#memory) memory[Symbol.dispose]();
  }
}
