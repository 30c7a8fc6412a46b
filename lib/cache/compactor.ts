import { Binding } from "../ort/binding.ts";
import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import type { KvBlock } from "./kv_block.ts";
import type { Staging } from "./staging.ts";
import { firstDraw } from "./random_graph.ts";
import type { Eviction } from "./eviction.ts";
import { headStarts } from "./layout.ts";
import type { StepState } from "./step_state.ts";

/** One layer's many-entry eviction. */
export interface Compaction {
  readonly layer: number;
  /** Entries held before the eviction. */
  readonly entries: number;
  readonly sink: number;
  readonly heavy: number;
  readonly recent: number;
}

/** Most memory that gathered keys may take at once, bytes: layers are grouped up to this limit. */
const GATHER_LIMIT = 64 * 2 ** 20;

/** A group of layers' compaction, bound to memory. */
interface Bound {
  readonly binding: Binding;
  readonly draw: DeviceMemory;
  readonly memory: readonly DeviceMemory[];
  readonly staged: boolean;
}

/** Carries out many-entry eviction, in place or out of the staging block. */
export class Compactor implements Disposable {
  readonly #known = new Map<string, Bound>();
  #draws: number;

  constructor(readonly eviction: Eviction, readonly main: KvBlock, readonly state: StepState, seed: number) {
    this.#draws = firstDraw(seed, "compact");
  }

  /** Binds ahead of time what {@linkcode run} will run. */
  prepare(compactions: readonly Compaction[], staging: Staging | undefined): void {
    for (const group of this.#group(compactions, staging)) this.#bound(group, staging);
  }

  /** Evicts in each of the layers. Returns the number of entries copied. */
  run(compactions: readonly Compaction[], staging: Staging | undefined): number {
    const { device } = this.eviction.runtime;
    const { acting, kvHeads } = this.main.layout;
    let copied = 0;
    this.state.forgetSums();
    for (const group of this.#group(compactions, staging)) {
      const [{ sink, heavy, recent }] = group as [Compaction];
      const { binding, draw } = this.#bound(group, staging);
      if (this.eviction.isRandom) device.write(draw, 0, BigInt64Array.of(BigInt(this.#draws++)));
      binding.run();
      copied += group.length * kvHeads * (sink + heavy + recent);
      for (const { layer } of group) {
        const row = acting.indexOf(layer) * kvHeads;
        if (this.state.scrambled.delete(layer)) this.state.resetRanks(row, row + kvHeads);
      }
    }
    return copied;
  }

  /** Releases the bindings to the staging block. */
  forgetStaging(): void {
    for (const [key, bound] of this.#known) {
      if (!bound.staged) continue;
      release(bound);
      this.#known.delete(key);
    }
  }

  /** Groups adjacent layers that keep the same of the same number of entries, as far as memory allows. */
  #group(
    compactions: readonly Compaction[],
    staging: Staging | undefined,
  ): Compaction[][] {
    const { kvHeads, headDim, acting } = this.main.layout;
    const groups: { key: string; members: Compaction[] }[] = [];
    for (const compaction of compactions) {
      const { layer, entries, sink, heavy, recent } = compaction;
      const key = [entries, sink, heavy, recent, this.state.scrambled.has(layer), staging?.layers.has(layer)].join();
      const open = groups.at(-1);
      const previous = open?.members.at(-1);
      const follows = previous !== undefined && acting.indexOf(layer) === acting.indexOf(previous.layer) + 1;
      const most = Math.max(1, Math.floor(GATHER_LIMIT / (4 * kvHeads * headDim * entries)));
      if (open?.key === key && follows && open.members.length < most) open.members.push(compaction);
      else groups.push({ key, members: [compaction] });
    }
    return groups.map(({ members }) => members);
  }

  #bound(group: readonly Compaction[], staging: Staging | undefined): Bound {
    const { eviction: { runtime: { ort, device, host }, stored, isRandom }, main, state } = this;
    const [{ layer: first, entries, sink, heavy, recent }] = group as [Compaction];
    const scrambled = state.scrambled.has(first);
    const staged = staging?.layers.has(first) ?? false;
    const key = `${group.map(({ layer }) => layer)} ${entries} ${sink} ${heavy} ${recent} ${scrambled} ${staged}`;
    const known = this.#known.get(key);
    if (known) return known;

    const memory: DeviceMemory[] = [];
    const ints = (numbers: readonly number[], where = device) => {
      const block = where.allocate(8 * numbers.length);
      memory.push(block);
      where.write(block, 0, BigInt64Array.from(numbers, BigInt));
      return block;
    };
    const column = (numbers: readonly number[]) => Value.of(ort, device, ints(numbers), "int64", [numbers.length, 1]);
    const onHost = (numbers: readonly number[]) => Value.of(ort, host, ints(numbers, host), "int64", [numbers.length]);
    const source = staged ? staging!.block : main;
    const starts = (block: KvBlock, index: (layer: number) => number) =>
      group.flatMap(({ layer }) => headStarts(block.layout, index(layer)));
    const cache = (block: KvBlock, part: DeviceMemory) =>
      Value.of(ort, device, part, stored, [block.layout.slots, block.layout.headDim]);
    const { kvHeads, width, acting } = main.layout;
    const firstRow = acting.indexOf(first) * kvHeads;
    const rows = group.length * kvHeads;
    const draw = ints([0]);
    const kept = { kept_keys: cache(main, main.keys), kept_values: cache(main, main.values) };
    const left = width - sink - heavy - recent; // entry state is padded with zeros
    const features = this.eviction.kept;
    // Source of the entry state: a staging block has its own.
    const from = staged && staging!.state ? staging!.state : state;
    const binding = new Binding(this.eviction.compact(scrambled, heavy > 0), {
      keys: cache(source, source.keys),
      values: cache(source, source.values),
      ...kept,
      from: column(starts(source, (layer) => staged ? staging!.layers.get(layer)! : layer)),
      to: column(starts(main, (layer) => layer)),
      entries: onHost([entries]),
      sink: onHost([sink]),
      end: onHost([entries - recent]),
      ...(heavy > 0 ? { heavy: onHost([heavy]) } : {}),
      ...(scrambled ? { rank: state.rows("rank", firstRow, rows) } : {}),
      ...(heavy > 0 && isRandom
        ? {
          draw: Value.of(ort, device, draw, "int64", [1]),
          row: column(Array.from({ length: rows }, (_, i) => firstRow + i)),
        }
        : {}),
      ...(features.textPositions ? { text_position: from.rows("text_position", firstRow, rows) } : {}),
      ...(features.attention ? { attention: from.rows("attention", firstRow, rows) } : {}),
      ...(features.norms || features.textPositions || features.attention?.from === "all"
        ? { pads: onHost([0, 0, 0, left]) }
        : {}),
      ...(features.attention?.from === "last" ? { ring_pads: onHost([0, 0, 0, 0, 0, left]) } : {}),
    }, {
      "kept_keys'": kept.kept_keys,
      "kept_values'": kept.kept_values,
      ...(features.norms ? { "key_norm'": state.rows("key_norm", firstRow, rows) } : {}),
      ...(features.textPositions ? { "text_position'": state.rows("text_position", firstRow, rows) } : {}),
      ...(features.attention ? { "attention'": state.rows("attention", firstRow, rows) } : {}),
    });
    const bound = { binding, draw, memory, staged };
    this.#known.set(key, bound);
    return bound;
  }

  [Symbol.dispose](): void {
    for (const bound of this.#known.values()) release(bound);
    this.#known.clear();
  }
}

function release({ binding, memory }: Bound): void {
  binding[Symbol.dispose]();
  for (const block of memory) block[Symbol.dispose]();
}
