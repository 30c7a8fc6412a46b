import { DTYPES } from "../dtype.ts";
import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import { Compactor } from "./compactor.ts";
import { Dropper } from "./dropper.ts";
import type { Eviction } from "./eviction.ts";
import { type Layout, makeLayout } from "./layout.ts";
import type { Stretch } from "./schedule.ts";

/** Keys and values of some layers, laid out in two blocks of memory. */
export interface Block {
  readonly layout: Layout;
  readonly keys: DeviceMemory;
  readonly values: DeviceMemory;
}

/**
 * The KV cache of one course of passes. It lives on the device from first to last; the host knows only how many
 * entries each layer holds, which follows from the policy alone.
 *
 * Use: `beginPass(tokens)`, run the decoder on {@linkcode tensors}, `endPass()`, which applies the policy.
 */
export class KvCache implements Disposable {
  /** Entries held, by layer. */
  readonly held: number[];
  /** Entries copied by eviction so far: one is the key and the value of one head. */
  copied = 0;
  /** Times the policy was applied and acted. */
  applied = 0;
  readonly #main: Block;
  #staging: { block: Block; layers: ReadonlyMap<number, number> } | undefined;
  #passTokens = 0;
  readonly #dropper: Dropper | undefined;
  readonly #compactor: Compactor;

  /**
   * Allocates what the course needs.
   *
   * @param seed What random scores are drawn from.
   */
  constructor(readonly eviction: Eviction, course: readonly Stretch[], seed: number) {
    const { keeper, model } = eviction;
    this.held = new Array(model.layers).fill(0);
    const layers = Array.from({ length: model.layers }, (_, layer) => ({ layer, ...keeper.course(layer, course) }));
    // A prompt that is then cut down gets memory of its own for as long as it is whole.
    const capacities = layers.map(({ layer, capacity, prefill }) =>
      Math.max(1, keeper.acts(layer) ? capacity : Math.max(capacity, prefill))
    );
    const acting = layers.filter(({ layer }) => keeper.acts(layer)).map(({ layer }) => layer);
    this.#main = this.#allocate(makeLayout({ ...model, capacities, acting }));
    const { layout } = this.#main;
    this.#compactor = new Compactor(eviction, seed);
    if (layout.rows > 0) this.#dropper = new Dropper(eviction, this.#main, seed);
  }

  /** Bytes allocated for keys and values, without a prompt's own memory. */
  get bytes(): number {
    return this.#main.keys.bytes + this.#main.values.bytes;
  }

  /** Bytes of the keys and values held: theory's figure. */
  get heldBytes(): number {
    return this.held.reduce((a, b) => a + b, 0) * this.#entryBytes * 2 * this.eviction.model.kvHeads;
  }

  get #entryBytes(): number {
    return this.eviction.model.headDim * DTYPES[this.eviction.dtype].bytes;
  }

  /** Slots per head that a layer has in this pass. */
  capacity(layer: number): number {
    const staged = this.#staging?.layers.get(layer);
    return staged === undefined ? this.#main.layout.capacities[layer]! : this.#staging!.block.layout.capacities[staged]!;
  }

  /** Makes room for `tokens` new entries in every layer. */
  beginPass(tokens: number): void {
    this.#passTokens = tokens;
    const tight = this.held.flatMap((held, layer) => held + tokens > this.#main.layout.capacities[layer]! ? [layer] : []);
    if (tight.length === 0) return;
    if (tight.some((layer) => this.held[layer]! > 0)) {
      throw new RangeError(`Cannot take ${tokens} tokens: layer ${tight[0]} has no room beside its ${this.held[tight[0]!]}`);
    }
    const layout = makeLayout({ ...this.eviction.model, capacities: tight.map(() => tokens), acting: tight.map((_, i) => i) });
    this.#staging = { block: this.#allocate(layout), layers: new Map(tight.map((layer, i) => [layer, i])) };
  }

  /** A layer's keys and values as `[1, kvHeads, capacity, headDim]`; valid until `endPass`. */
  tensors(layer: number): { keys: Value; values: Value } {
    const staged = this.#staging?.layers.get(layer);
    const { layout, keys, values } = staged === undefined ? this.#main : this.#staging!.block;
    const { ort, device } = this.eviction.runtime;
    const { kvHeads, headDim } = this.eviction.model;
    const index = staged ?? layer;
    const shape = [1, kvHeads, layout.capacities[index]!, headDim];
    const offset = layout.starts[index]! * this.#entryBytes;
    const view = (memory: DeviceMemory) => Value.of(ort, device, memory, this.eviction.dtype, shape, offset);
    return { keys: view(keys), values: view(values) };
  }

  /** Counts the pass's entries as held and applies the policy. On CUDA this only queues work. */
  endPass(): void {
    const { keeper } = this.eviction;
    const tokens = this.#passTokens;
    const drops = new Set<number>();
    const compactions: { layer: number; entries: number; sink: number; heavy: number; recent: number }[] = [];
    for (let layer = 0; layer < this.held.length; layer++) {
      const entries = this.held[layer]! + tokens;
      const sizes = keeper.keep(layer, entries);
      if (sizes === "all") {
        this.held[layer] = entries;
        continue;
      }
      const kept = sizes.sink + sizes.heavy + sizes.recent;
      if (entries - kept === 1 && tokens === 1) drops.add(layer);
      else compactions.push({ layer, entries, ...sizes });
      this.held[layer] = kept;
    }
    if (drops.size > 0) {
      this.copied += this.#dropper!.run((layer) => {
        const entries = this.held[layer]! + (drops.has(layer) ? 1 : 0);
        const sizes = drops.has(layer) ? keeper.keep(layer, entries) : "all";
        if (sizes === "all") return { last: entries - 1, sink: entries - 1, end: entries };
        return { last: entries - 1, sink: sizes.sink, end: entries - sizes.recent };
      });
    } else {
      this.#dropper?.passed();
    }
    if (compactions.length > 0) {
      this.copied += this.#compactor.run(compactions, this.#main, this.#staging, this.#dropper);
    }
    if (drops.size + compactions.length > 0) this.applied++;
    if (this.#staging) {
      free(this.#staging.block);
      this.#staging = undefined;
    }
  }

  #allocate(layout: Layout): Block {
    const bytes = layout.slots * this.#entryBytes;
    const { device } = this.eviction.runtime;
    const keys = device.allocate(bytes);
    try {
      return { layout, keys, values: device.allocate(bytes) };
    } catch (error) {
      keys[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#compactor[Symbol.dispose]();
    this.#dropper?.[Symbol.dispose]();
    if (this.#staging) free(this.#staging.block);
    free(this.#main);
  }
}

function free({ keys, values }: Block): void {
  keys[Symbol.dispose]();
  values[Symbol.dispose]();
}

