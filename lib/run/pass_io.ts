import type { KvCache } from "../cache/kv_cache.ts";
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
  /** int64 `ids[tokens]`, `positions[tokens]`, `target`, `past[groups]`; then int32 `last_slot[groups]`. */
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

  constructor(readonly engine: Engine, cache: KvCache, readonly tokens: number) {
    const { runtime: { ort, device, host }, model: { spec }, groups, options } = engine;
    this.#member = Array.from({ length: Math.max(...groups) + 1 }, (_, group) => groups.indexOf(group));
    const count = this.#member.length;
    const allocate = (bytes: number, where = device) => {
      const memory = where.allocate(bytes);
      this.#memory.push(memory);
      return memory;
    };
    const lengths = 8 * (2 * tokens + 1);
    this.#staged = new ArrayBuffer(lengths + 12 * count);
    this.#input = allocate(this.#staged.byteLength);
    this.#totals = allocate(4 * count, host);
    this.#output = allocate(16);
    const view = (dtype: "int64" | "int32", shape: number[], offset: number) =>
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

  /** Queues one pass; `held` are the entries of each layer before it. */
  run(ids: readonly number[], position: number, target: number, held: readonly number[]): void {
    const { tokens } = this;
    const { device, host } = this.engine.runtime;
    const groups = this.#member.length;
    const longs = new BigInt64Array(this.#staged, 0, 2 * tokens + 1 + groups);
    for (let i = 0; i < tokens; i++) {
      longs[i] = BigInt(ids[i]!);
      longs[tokens + i] = BigInt(position + i);
    }
    longs[2 * tokens] = BigInt(target);
    const total = new Int32Array(groups);
    const lastSlots = new Int32Array(this.#staged, longs.byteLength, groups);
    this.#member.forEach((layer, group) => {
      longs[2 * tokens + 1 + group] = BigInt(held[layer]!);
      total[group] = held[layer]! + tokens;
      lastSlots[group] = total[group]! - 1;
    });
    device.write(this.#input, 0, new Uint8Array(this.#staged));
    host.write(this.#totals, 0, this.#captured ? this.#capacities : total);
    this.#binding.run();
  }

  /** Records the CUDA graph. A pass writes the same to the same slots however often it runs, so no state is spoilt. */
  #capture(): void {
    this.run([0], 0, 0, this.engine.groups.map(() => 0));
    this.engine.runtime.device.synchronize();
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
