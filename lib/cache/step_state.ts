import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import type { Eviction } from "./eviction.ts";
import type { Block } from "./kv_cache.ts";
import { rowStarts } from "./layout.ts";

/** What one layer drops from: see {@linkcode emitDrop}. */
export interface Middle {
  /** Slot of the newest entry. */
  readonly last: number;
  /** First rank of the middle. */
  readonly sink: number;
  /** One past the middle's last rank. */
  readonly end: number;
}

/** What the step case keeps beside the slots, on the device: the rank and the features of the entry in each. */
export class StepState implements Disposable {
  /** Layers whose slots are out of text order; a compaction restores it. */
  readonly scrambled = new Set<number>();
  /** Rank of the entry in each slot, float32 `[rows, width]`. */
  readonly rank: DeviceMemory;
  /** Norm of the key in each slot, float32 `[rows, width]`, if the score reads it. */
  readonly norms: DeviceMemory | undefined;
  readonly #starts: DeviceMemory;
  readonly #slots: DeviceMemory;

  constructor(readonly eviction: Eviction, readonly block: Block) {
    const { device } = eviction.runtime;
    const { rows, width } = block.layout;
    this.rank = device.allocate(4 * rows * width);
    this.norms = eviction.readsNorm ? device.allocate(4 * rows * width) : undefined;
    this.#starts = device.allocate(8 * rows);
    this.#slots = device.allocate(4 * width);
    device.write(this.#starts, 0, BigInt64Array.from(rowStarts(block.layout), BigInt));
    device.write(this.#slots, 0, Float32Array.from({ length: width }, (_, i) => i));
    this.resetRanks(0, rows);
  }

  /** What {@linkcode emitDrop} asks for, but for what changes from pass to pass. */
  tensors(): { inputs: Record<string, Value>; outputs: Record<string, Value> } {
    const { eviction: { runtime: { ort, device }, dtype }, block: { layout, keys, values } } = this;
    const { rows, width, slots, headDim } = layout;
    const perSlot = (memory: DeviceMemory) => Value.of(ort, device, memory, "float32", [rows, width]);
    const state = {
      keys: Value.of(ort, device, keys, dtype, [slots, headDim]),
      values: Value.of(ort, device, values, dtype, [slots, headDim]),
      rank: perSlot(this.rank),
      ...(this.norms ? { key_norm: perSlot(this.norms) } : {}),
    };
    return {
      inputs: {
        ...state,
        starts: Value.of(ort, device, this.#starts, "int64", [rows, 1]),
        slot: Value.of(ort, device, this.#slots, "float32", [1, width]),
      },
      outputs: Object.fromEntries(Object.entries(state).map(([name, value]) => [`${name}'`, value])),
    };
  }

  /** Says that slots of rows `from` … `to` - 1 are in text order. */
  resetRanks(from: number, to: number): void {
    const { width } = this.block.layout;
    const ranks = new Float32Array((to - from) * width);
    for (let i = 0; i < ranks.length; i++) ranks[i] = i % width;
    this.eviction.runtime.device.write(this.rank, 4 * from * width, ranks);
  }

  [Symbol.dispose](): void {
    for (const memory of [this.rank, this.norms, this.#starts, this.#slots]) memory?.[Symbol.dispose]();
  }
}
