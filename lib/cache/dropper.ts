import { Binding } from "../ort/binding.ts";
import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import type { Eviction } from "./eviction.ts";
import type { Block } from "./kv_cache.ts";
import { firstDraw } from "./random_graph.ts";

/** What one layer's rows drop from: see {@linkcode buildDropGraph}. */
export interface Middle {
  /** Slot of the newest entry. */
  readonly last: number;
  /** First rank of the middle. */
  readonly sink: number;
  /** One past the middle's last rank. */
  readonly end: number;
}

/** Carries out the step case for all rows at once, and keeps the rank and the features of what each slot holds. */
export class Dropper implements Disposable {
  /** Rank of the entry in each slot, float32 `[rows, width]`. */
  readonly rank: DeviceMemory;
  /** Whether slots are out of text order, by row's layer; a compaction restores it. */
  readonly scrambled = new Set<number>();
  readonly #norms: DeviceMemory | undefined;
  readonly #columns: DeviceMemory; // last, sink, end: float32 [3, rows]
  readonly #draw: DeviceMemory;
  readonly #binding: Binding;
  #uploaded = "";
  #draws: number;
  /** Whether the norms beside the slots are those of the entries in them. */
  #normsFresh = false;

  constructor(readonly eviction: Eviction, readonly block: Block, seed: number) {
    const { ort, device } = eviction.runtime;
    const { layout } = block;
    const { rows, width, slots, headDim } = layout;
    this.#draws = firstDraw(seed, "drop");
    this.rank = device.allocate(4 * rows * width);
    this.#columns = device.allocate(4 * 3 * rows);
    this.#draw = device.allocate(8);
    this.#norms = eviction.readsNorm ? device.allocate(4 * rows * width) : undefined;
    this.resetRanks(0, rows);
    const view = (memory: DeviceMemory, dtype: "float32" | "int64", shape: number[], offset = 0) =>
      Value.of(ort, device, memory, dtype, shape, offset);
    const cache = (memory: DeviceMemory) => Value.of(ort, device, memory, eviction.dtype, [slots, headDim]);
    const state = {
      keys: cache(block.keys),
      values: cache(block.values),
      rank: view(this.rank, "float32", [rows, width]),
      ...(this.#norms ? { key_norm: view(this.#norms, "float32", [rows, width]) } : {}),
    };
    const column = (i: number) => view(this.#columns, "float32", [rows, 1], 4 * rows * i);
    this.#binding = new Binding(eviction.drop(layout), {
      ...state,
      last: column(0),
      sink: column(1),
      end: column(2),
      ...(eviction.isRandom ? { draw: view(this.#draw, "int64", [1]) } : {}),
    }, Object.fromEntries(Object.entries(state).map(([name, value]) => [`${name}'`, value])), true);
    // Recording a CUDA graph runs it three times: with rows that drop nothing, that changes nothing.
    if (this.#binding.session.capturable) this.#run(() => ({ last: 0, sink: 0, end: 1 }));
  }

  /** Drops one entry in the rows of each layer whose middle says so; gives the number of entries copied. */
  run(middleOf: (layer: number) => Middle): number {
    if (this.#norms && !this.#normsFresh) this.#refreshNorms();
    this.#run(middleOf);
    for (const layer of this.block.layout.acting) this.scrambled.add(layer);
    return this.block.layout.rows;
  }

  #run(middleOf: (layer: number) => Middle): void {
    const { device } = this.eviction.runtime;
    const { layout } = this.block;
    const middles = layout.acting.map(middleOf);
    // In the steady state these never change: nothing is sent to the device then.
    const key = middles.map(({ last, sink, end }) => `${last},${sink},${end}`).join();
    if (key !== this.#uploaded) {
      const columns = new Float32Array(3 * layout.rows);
      middles.forEach(({ last, sink, end }, i) => {
        const [a, b] = [i * layout.kvHeads, (i + 1) * layout.kvHeads];
        columns.fill(last, a, b).fill(sink, layout.rows + a, layout.rows + b);
        columns.fill(end, 2 * layout.rows + a, 2 * layout.rows + b);
      });
      device.write(this.#columns, 0, columns);
      this.#uploaded = key;
    }
    if (this.eviction.isRandom) device.write(this.#draw, 0, BigInt64Array.of(BigInt(this.#draws++)));
    this.#binding.run();
  }

  /** Says that entries were appended or moved without {@linkcode run}. */
  passed(): void {
    this.#normsFresh = false;
  }

  /** Says that slots of rows `from` … `to` - 1 are in text order again. */
  resetRanks(from: number, to: number): void {
    const { width } = this.block.layout;
    const ranks = new Float32Array((to - from) * width);
    for (let i = 0; i < ranks.length; i++) ranks[i] = i % width;
    this.eviction.runtime.device.write(this.rank, 4 * from * width, ranks);
    this.passed();
  }

  /** Computes the norms of all keys anew, a layer at a time to keep what it needs for it small. */
  #refreshNorms(): void {
    const { ort, device, host } = this.eviction.runtime;
    const { dtype } = this.eviction;
    const { layout } = this.block;
    const { kvHeads, headDim, width } = layout;
    const bytes = this.block.keys.bytes / layout.slots;
    layout.acting.forEach((layer, i) => {
      const capacity = layout.capacities[layer]!;
      using pads = host.allocate(32);
      host.write(pads, 0, BigInt64Array.of(0n, 0n, 0n, BigInt(width - capacity)));
      using binding = new Binding(this.eviction.norms(), {
        keys: Value.of(ort, device, this.block.keys, dtype, [kvHeads, capacity, headDim], layout.starts[layer]! * bytes),
        pads: Value.of(ort, host, pads, "int64", [4]),
      }, { key_norm: Value.of(ort, device, this.#norms!, "float32", [kvHeads, width], 4 * i * kvHeads * width) });
      binding.run();
      device.synchronize();
    });
    this.#normsFresh = true;
  }

  [Symbol.dispose](): void {
    this.#binding[Symbol.dispose]();
    for (const memory of [this.rank, this.#columns, this.#draw, this.#norms]) memory?.[Symbol.dispose]();
  }
}
