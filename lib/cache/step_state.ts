import { compileScore } from "../kernels/drop_program.ts";
import { sumsOf } from "../kernels/structs.ts";
import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import type { Eviction } from "./eviction.ts";
import { attentionShape } from "./entry_state.ts";
import type { KvBlock } from "./kv_block.ts";
import { rowStarts } from "./layout.ts";

/** State kept on the device for each slot of a block: the rank and the features of its entry. */
export class StepState implements Disposable {
  /** Layers whose slots are out of text order; a compaction restores it. */
  readonly scrambled = new Set<number>();
  /**
   * Feature name → its memory. The rank is always kept. All are float32 `[rows, width]`; a ring of attention also has
   * lines. `sums` holds the running sums of a row's means for the project's own kernel.
   */
  readonly memory: Readonly<
    Partial<Record<"rank" | "key_norm" | "text_position" | "attention" | "sums", DeviceMemory>>
  >;
  /** Length of a row's `sums`. */
  readonly #sums: number;
  readonly #starts: DeviceMemory;
  readonly #slots: DeviceMemory;

  constructor(readonly eviction: Eviction, readonly block: KvBlock) {
    const { runtime: { device }, kept, score } = eviction;
    const { rows, width, headDim } = block.layout;
    const program = compileScore(score);
    this.#sums = program ? sumsOf(program, headDim) : 0;
    const lines = kept.attention?.from === "last" ? kept.attention.window : 1;
    this.memory = {
      rank: device.allocate(4 * rows * width),
      ...(kept.norms ? { key_norm: device.allocate(4 * rows * width) } : {}),
      ...(kept.textPositions ? { text_position: device.allocate(4 * rows * width) } : {}),
      ...(kept.attention ? { attention: device.allocate(4 * rows * lines * width) } : {}),
      ...(this.#sums > 0 ? { sums: device.allocate(4 * rows * this.#sums) } : {}),
    };
    this.#starts = device.allocate(8 * rows);
    this.#slots = device.allocate(4 * width);
    device.write(this.#starts, 0, BigInt64Array.from(rowStarts(block.layout), BigInt));
    device.write(this.#slots, 0, Float32Array.from({ length: width }, (_, i) => i));
    this.resetRanks(0, rows);
  }

  /**
   * Inputs and outputs of {@linkcode emitDrop} that stay the same from pass to pass.
   *
   * @param own Whether to return those of {@linkcode emitDropKernel} instead.
   */
  tensors(own = false): { inputs: Record<string, Value>; outputs: Record<string, Value> } {
    const { eviction: { runtime: { ort, device }, stored, kept }, block: { layout, keys, values } } = this;
    const { rows, width, slots, headDim } = layout;
    const state: Record<string, Value> = {
      keys: Value.of(ort, device, keys, stored, [slots, headDim]),
      values: Value.of(ort, device, values, stored, [slots, headDim]),
    };
    for (const name of Object.keys(this.memory) as (keyof StepState["memory"])[]) {
      if (name === "sums" && !own) continue;
      state[name] = this.rows(name, 0, rows);
    }
    const outputs = Object.fromEntries(Object.entries(state).map(([name, value]) => [`${name}'`, value]));
    // A step writes a ring twice, both times in place.
    if (kept.attention?.from === "last") outputs["attention''"] = state.attention!;
    return {
      inputs: {
        ...state,
        starts: Value.of(ort, device, this.#starts, "int64", [rows, 1]),
        slot: Value.of(ort, device, this.#slots, "float32", [1, width]),
      },
      outputs,
    };
  }

  /** A feature of rows `from` … `from + count - 1`. */
  rows(name: keyof StepState["memory"], from: number, count: number): Value {
    const { eviction: { runtime: { ort, device }, kept }, block: { layout: { width } } } = this;
    const shape = name === "attention"
      ? attentionShape(kept.attention!, count, width)
      : [count, name === "sums" ? this.#sums : width];
    const bytesPerRow = 4 * shape.slice(1).reduce((a, b) => a * b, 1);
    return Value.of(ort, device, this.memory[name]!, "float32", shape, from * bytesPerRow);
  }

  /** Marks the slots of rows `from` … `to` - 1 as being in text order. */
  resetRanks(from: number, to: number): void {
    const { width } = this.block.layout;
    const ranks = new Float32Array((to - from) * width);
    for (let i = 0; i < ranks.length; i++) ranks[i] = i % width;
    this.eviction.runtime.device.write(this.memory.rank!, 4 * from * width, ranks);
  }

  /** Discards the sums: entries have changed since they were computed. */
  forgetSums(): void {
    if (this.memory.sums) this.eviction.runtime.device.zero(this.memory.sums);
  }

  [Symbol.dispose](): void {
    for (const memory of [...Object.values(this.memory), this.#starts, this.#slots]) memory[Symbol.dispose]();
  }
}
