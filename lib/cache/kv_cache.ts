import { DTYPES } from "../dtype.ts";
import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import type { Sizes } from "../policies/policy.ts";
import { type Compaction, Compactor } from "./compactor.ts";
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

/** A prompt's own memory, for layers that do not keep all of it. */
export interface Staging {
  readonly block: Block;
  /** Layer → its index in the block. */
  readonly layers: ReadonlyMap<number, number>;
}

/**
 * The KV cache of one course of passes. It lives on the device from first to last; the host knows only how many
 * entries each layer holds, which follows from the policy alone.
 *
 * Use: run the decoder on {@linkcode tensors}, then `endPass(tokens)`, which applies the policy. All memory is
 * allocated beforehand: cudaMalloc can take longer than a step.
 */
export class KvCache implements Disposable {
  /** Entries held, by layer. */
  readonly held: number[];
  /** Entries copied by eviction so far: one is the key and the value of one head. */
  copied = 0;
  readonly #main: Block;
  #staging: Staging | undefined;
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
    const capacities = layers.map(({ layer, capacity, prefill }) =>
      Math.max(1, keeper.acts(layer) ? capacity : Math.max(capacity, prefill))
    );
    const acting = layers.filter(({ layer }) => keeper.acts(layer)).map(({ layer }) => layer);
    this.#main = this.#allocate(makeLayout({ ...model, capacities, acting }));
    // A prompt that is then cut down has memory of its own for as long as it is whole.
    const tight = layers.filter(({ layer, prefill }) => prefill > capacities[layer]!);
    if (tight.length > 0) {
      const layout = makeLayout({
        ...model,
        capacities: tight.map(({ prefill }) => prefill),
        acting: tight.map((_, i) => i),
      });
      this.#staging = { block: this.#allocate(layout), layers: new Map(tight.map(({ layer }, i) => [layer, i])) };
    }
    this.#compactor = new Compactor(eviction, this.#main, seed);
    if (this.#main.layout.rows > 0) this.#dropper = new Dropper(eviction, this.#main, seed);
    const first = course[0];
    if (first && first.tokens > 1) {
      this.#compactor.prepare(this.#decide(first.tokens).compactions, this.#staging, this.#dropper);
    }
    eviction.runtime.device.synchronize();
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

  /** Whether a pass of so many tokens goes into the prompt's own memory in a layer that has such. */
  #isStaged(layer: number, tokens: number): number | undefined {
    return tokens > 1 ? this.#staging?.layers.get(layer) : undefined;
  }

  /** Slots per head that a layer has in a pass of `tokens`. */
  capacity(layer: number, tokens: number): number {
    const staged = this.#isStaged(layer, tokens);
    return (staged === undefined ? this.#main : this.#staging!.block).layout.capacities[staged ?? layer]!;
  }

  /** A layer's keys and values as `[1, kvHeads, capacity, headDim]`, for a pass of `tokens`. */
  tensors(layer: number, tokens: number): { keys: Value; values: Value } {
    const staged = this.#isStaged(layer, tokens);
    const { layout, keys, values } = staged === undefined ? this.#main : this.#staging!.block;
    const { ort, device } = this.eviction.runtime;
    const { kvHeads, headDim } = this.eviction.model;
    const index = staged ?? layer;
    const shape = [1, kvHeads, layout.capacities[index]!, headDim];
    const offset = layout.starts[index]! * this.#entryBytes;
    const view = (memory: DeviceMemory) => Value.of(ort, device, memory, this.eviction.dtype, shape, offset);
    return { keys: view(keys), values: view(values) };
  }

  /** Counts the `tokens` of a pass as held and applies the policy. On CUDA this only queues work. */
  endPass(tokens: number): void {
    const { held, drops, compactions } = this.#decide(tokens);
    held.forEach((entries, layer) => this.held[layer] = entries);
    if (drops.size > 0) {
      this.copied += this.#dropper!.run((layer) => {
        const sizes = drops.get(layer);
        const entries = held[layer]! + (sizes ? 1 : 0);
        if (!sizes) return { last: entries - 1, sink: entries - 1, end: entries };
        return { last: entries - 1, sink: sizes.sink, end: entries - sizes.recent };
      });
    } else {
      this.#dropper?.passed();
    }
    if (compactions.length > 0) this.copied += this.#compactor.run(compactions, this.#staging, this.#dropper);
    if (tokens > 1 && this.#staging) {
      this.#compactor.forgetStaging();
      free(this.#staging.block);
      this.#staging = undefined;
    }
  }

  /** What the policy does to each layer after a pass of `tokens`. */
  #decide(tokens: number): { held: number[]; drops: Map<number, Sizes>; compactions: Compaction[] } {
    const drops = new Map<number, Sizes>();
    const compactions: Compaction[] = [];
    const held = this.held.map((before, layer) => {
      const entries = before + tokens;
      const sizes = this.eviction.keeper.keep(layer, entries);
      if (sizes === "all") return entries;
      const kept = sizes.sink + sizes.heavy + sizes.recent;
      if (entries - kept === 1 && tokens === 1) drops.set(layer, sizes);
      else compactions.push({ layer, entries, ...sizes });
      return kept;
    });
    return { held, drops, compactions };
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

