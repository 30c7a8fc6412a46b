import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import { allocateBlock, blockBytes, entryBytes, freeBlock, type KvBlock } from "./kv_block.ts";
import type { Staging } from "./staging.ts";
import { Compactor } from "./compactor.ts";
import { decide, type Decision } from "./decision.ts";
import type { Eviction } from "./eviction.ts";
import { makeLayout } from "./layout.ts";
import { firstDraw } from "./random_graph.ts";
import { slotsFor } from "./slot_counts.ts";
import type { PassGroup } from "./schedule.ts";
import { StepState } from "./step_state.ts";

/** What a pass that goes ahead keeps. */
const KEEP_ALL = { keep: () => "all" as const, acts: () => true };

/**
 * The KV cache of one sequence of passes. It stays on the device throughout. The host knows only how many entries each
 * layer holds, which follows from the policy alone.
 *
 * Use: `beginPass(tokens)`, run the decoder with {@linkcode tensors} and {@linkcode dropRanges}, which carries out
 * single-slot eviction, then `endPass()`, which carries out the rest. All memory is allocated beforehand: cudaMalloc
 * takes time.
 */
export class KvCache implements Disposable {
  /** Entries held, by layer. */
  readonly held: number[];
  /** Entries copied by eviction so far; an entry is the key and the value of one head. */
  copied = 0;
  readonly #main: KvBlock;
  #staging: Staging | undefined;
  /** State of single-slot eviction, in addition to the slots; undefined if the policy never acts. */
  readonly #state: StepState | undefined;
  readonly #compactor: Compactor | undefined;
  #pass: Decision | undefined;
  /** The last decision, and the entries held when it was made. */
  #last: { readonly held: readonly number[]; readonly decision?: Decision } = { held: [] };
  #draws: number;
  /** Layer → whether the policy ever acts on it. */
  readonly #acts: readonly boolean[];
  /** Entries that each layer held after it last evicted: what stood before cannot be taken back. */
  readonly #fixed: number[];
  /** Entries of all layers, including the current pass's, and the maximum of that count. */
  #entries = 0;
  #most = 0;

  /**
   * Allocates the memory that the sequence needs: see {@linkcode slotsFor}.
   *
   * @param seed Seed of random scores.
   */
  constructor(readonly eviction: Eviction, sequence: readonly PassGroup[], seed: number) {
    const { model } = eviction;
    this.held = new Array(model.layers).fill(0);
    this.#fixed = new Array(model.layers).fill(0);
    this.#acts = this.held.map((_, layer) => eviction.acting.includes(layer));
    const { capacities, tight } = slotsFor(eviction, sequence);
    // A draft's cache is small once the prompt is cut down: the prompt's memory is its own, and is freed.
    const isDraft = sequence.some(({ ahead = 0 }) => ahead > 0);
    const overlaid = !isDraft && tight.length > 0 && tight.length === eviction.acting.length;
    const prompt = tight.length === 0 ? undefined : makeLayout({
      ...model,
      capacities: tight.map(({ prefill }) => prefill),
      acting: tight.map((_, i) => i),
    });
    const others = overlaid ? prompt!.slots : 0;
    this.#main = allocateBlock(eviction, makeLayout({ ...model, capacities, acting: eviction.acting, others }));
    if (prompt) {
      const block = overlaid ? { ...this.#main, layout: prompt } : allocateBlock(eviction, prompt);
      this.#staging = {
        block,
        layers: new Map(tight.map(({ layer }, i) => [layer, i])),
        state: eviction.uniform ? new StepState(eviction, block) : undefined,
        own: !overlaid,
      };
    }
    this.#draws = firstDraw(seed, "drop");
    if (eviction.acting.length > 0) {
      this.#state = new StepState(eviction, this.#main);
      this.#compactor = new Compactor(eviction, this.#main, this.#state, seed);
      this.#prepare(sequence);
    }
    eviction.runtime.device.synchronize();
  }

  /** Bytes allocated for keys and values, without the staging block. */
  get bytes(): number {
    return blockBytes(this.#main);
  }

  /** Bytes allocated for keys and values now, including the staging block while it exists. */
  get bytesNow(): number {
    return this.bytes + (this.#staging?.own ? blockBytes(this.#staging.block) : 0);
  }

  /** Bytes of the keys and values held, including the current pass's: the theoretical figure. */
  get heldBytes(): number {
    return this.#entries * this.#bytesPerEntry;
  }

  /** Maximum of {@linkcode heldBytes} since the cache was made or this was last called. */
  takeMostBytes(): number {
    const most = this.#most * this.#bytesPerEntry;
    this.#most = this.#entries;
    return most;
  }

  /** Bytes of one entry's key and value, over all heads of a layer. */
  get #bytesPerEntry(): number {
    return 2 * this.eviction.model.kvHeads * entryBytes(this.eviction);
  }

  /** Index of the layer in the staging block, or undefined if a pass of `tokens` is not staged. */
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
    const offset = layout.starts[index]! * entryBytes(this.eviction);
    const view = (memory: DeviceMemory) => Value.of(ort, device, memory, this.eviction.stored, shape, offset);
    return { keys: view(keys), values: view(values) };
  }

  /** Entry state that a pass of `tokens` adds to; undefined if the policy never acts. */
  state(tokens: number): StepState | undefined {
    return tokens > 1 ? this.#staging?.state ?? this.#state : this.#state;
  }

  /** State of an acting layer's slots in a pass of `tokens`, float32 `[kvHeads, capacity]`; needs equal capacities. */
  perSlot(name: "rank" | "text_position", layer: number, tokens: number): Value {
    const { acting, model: { kvHeads } } = this.eviction;
    return this.state(tokens)!.rows(name, acting.indexOf(layer) * kvHeads, kvHeads);
  }

  /**
   * Reads from the device which text indices each head holds, `[layer][head][entries]`, ascending. Layers that the
   * policy never acts on hold the whole text; their lists are empty.
   *
   * @throws {TypeError} If the eviction was made without `trace`.
   */
  heldPositions(): Int32Array[][] {
    const { acting, kept, runtime: { device }, model: { kvHeads, layers } } = this.eviction;
    if (!kept.textPositions) throw new TypeError("Cannot say what is held: the eviction was made without trace");
    const { width } = this.#main.layout;
    const textPositions = new Float32Array(acting.length * kvHeads * width);
    if (this.#state) device.read(this.#state.memory.text_position!, 0, textPositions);
    return Array.from({ length: layers }, (_, layer) => {
      const first = acting.indexOf(layer) * kvHeads;
      if (first < 0) return [];
      return Array.from({ length: kvHeads }, (_, head) => {
        const start = (first + head) * width;
        return Int32Array.from(textPositions.subarray(start, start + this.held[layer]!)).sort();
      });
    });
  }

  /**
   * Begins a pass of `tokens` new tokens.
   *
   * @param ahead Whether to evict nothing yet, whatever the policy says: the tokens are tried, and may be taken back.
   * {@linkcode settle} evicts what is left. The sequence must have room: see {@linkcode PassGroup.ahead}.
   */
  beginPass(tokens: number, ahead = false): void {
    if (ahead) this.#pass = this.#decide(tokens, this.held, KEEP_ALL);
    else this.#choose(tokens);
    this.#entries += tokens * this.held.length;
    this.#most = Math.max(this.#most, this.#entries);
  }

  #choose(tokens: number): void {
    const { held, decision } = this.#last;
    // In the steady state every step repeats the last decision, however much the other layers hold.
    if (decision?.tokens === tokens && this.eviction.acting.every((layer) => held[layer] === this.held[layer])) {
      this.#pass = decision;
    } else {
      this.#pass = this.#decide(tokens);
      this.#last = { held: [...this.held], decision: this.#pass };
    }
  }

  /**
   * Drop range of each acting layer in this pass, float32 `[4, actingLayers]`: see emitDrop. Returns the same array as
   * before if nothing has changed.
   */
  dropRanges(): Float32Array {
    return this.#pass!.dropRanges;
  }

  /** The number of this pass's random draw. */
  nextDraw(): number {
    return this.#draws++;
  }

  /** Counts the pass's tokens as held and carries out many-entry eviction. On CUDA this only queues work. */
  endPass(): void {
    const { held, drops, compactions, tokens } = this.#pass!;
    this.#entries = 0;
    for (let layer = 0; layer < held.length; layer++) {
      const all = this.held[layer]! + tokens;
      const kept = this.#acts[layer] ? held[layer]! : all;
      if (kept < all) this.#fixed[layer] = kept;
      this.#entries += this.held[layer] = kept;
    }
    if (this.#state && tokens === 1) {
      this.copied += drops.size * this.eviction.model.kvHeads;
      for (const layer of drops.keys()) this.#state.scrambled.add(layer);
    }
    if (compactions.length > 0) this.copied += this.#compactor!.run(compactions, this.#staging);
    if (tokens > 1 && this.#staging) {
      this.#compactor!.forgetStaging();
      this.#freeStaging();
    }
  }

  /**
   * Takes the last tokens' entries back: the next pass writes over them. For tokens that were tried and not accepted.
   *
   * @param tokens Number of tokens.
   * @throws {RangeError} If a layer has evicted since, or holds fewer.
   */
  rewind(tokens: number): void {
    const layer = this.held.findIndex((held, layer) => held - tokens < this.#fixed[layer]!);
    if (layer >= 0) {
      throw new RangeError(
        `Cannot take ${tokens} tokens back: layer ${layer} can give back ${this.held[layer]! - this.#fixed[layer]!}`,
      );
    }
    for (let layer = 0; layer < this.held.length; layer++) this.held[layer]! -= tokens;
    this.#entries -= tokens * this.held.length;
  }

  /** Evicts what passes that went ahead have left to evict. On CUDA this only queues work. */
  settle(): void {
    const compactions = this.eviction.acting.flatMap((layer) => {
      const sizes = this.eviction.keeper.keep(layer, this.held[layer]!);
      return sizes === "all" ? [] : [{ layer, entries: this.held[layer]!, ...sizes }];
    });
    if (compactions.length === 0) return;
    for (const { layer, entries, sink, heavy, recent } of compactions) {
      this.#fixed[layer] = this.held[layer] = sink + heavy + recent;
      this.#entries -= entries - this.held[layer]!;
    }
    this.copied += this.#compactor!.run(compactions, this.#staging);
  }

  /** Binds the many-entry evictions of the sequence's first passes of several tokens: binding takes time. */
  #prepare(sequence: readonly PassGroup[]): void {
    const held = [...this.held];
    for (const { tokens, times } of sequence) {
      if (tokens === 1) break;
      for (let i = 0; i < times; i++) {
        const before = held.join();
        const { compactions, held: after } = this.#decide(tokens, held);
        this.#compactor!.prepare(compactions, this.#staging);
        held.splice(0, held.length, ...after);
        if (held.join() === before) break; // all later passes are the same
      }
    }
  }

  #freeStaging(): void {
    this.#staging?.state?.[Symbol.dispose]();
    if (this.#staging?.own) freeBlock(this.#staging.block);
    this.#staging = undefined;
  }

  #decide(
    tokens: number,
    before: readonly number[] = this.held,
    keeper: Parameters<typeof decide>[0]["keeper"] = this.eviction.keeper,
  ): Decision {
    const { kept, acting } = this.eviction;
    return decide({ kept, acting, keeper }, tokens, before, (layer) => {
      const isFree = this.#isStaged(layer, tokens) !== undefined && !this.#staging!.state;
      return isFree ? this.#main.layout.capacities[layer]! : undefined;
    });
  }

  [Symbol.dispose](): void {
    this.#compactor?.[Symbol.dispose]();
    this.#state?.[Symbol.dispose]();
    this.#freeStaging();
    freeBlock(this.#main);
  }
}
