import { Binding } from "../ort/binding.ts";
import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import { firstDraw } from "./random_graph.ts";
import type { Dropper } from "./dropper.ts";
import type { Eviction } from "./eviction.ts";
import type { Block } from "./kv_cache.ts";

/** One layer's many-entry eviction. */
export interface Compaction {
  readonly layer: number;
  /** Entries held before it. */
  readonly entries: number;
  readonly sink: number;
  readonly heavy: number;
  readonly recent: number;
}

/** What gathered keys may take in memory at once, bytes: layers go together up to this. */
const GATHER_LIMIT = 64 * 2 ** 20;

/** Carries out many-entry eviction, in place or out of a prompt's own memory. */
export class Compactor implements Disposable {
  readonly #known = new Map<string, { binding: Binding; draw: DeviceMemory; memory: DeviceMemory[] }>();
  #draws: number;

  constructor(readonly eviction: Eviction, seed: number) {
    this.#draws = firstDraw(seed, "compact");
  }

  /** Evicts in each of the layers; gives the number of entries copied. */
  run(
    compactions: readonly Compaction[],
    main: Block,
    staging: { readonly block: Block; readonly layers: ReadonlyMap<number, number> } | undefined,
    dropper: Dropper | undefined,
  ): number {
    let copied = 0;
    for (const group of this.#group(compactions, main.layout.acting, dropper, staging?.layers)) {
      const [{ layer, sink, heavy, recent }] = group as [Compaction];
      const staged = staging?.layers.has(layer) ?? false;
      this.#compact(group, main, staged ? staging : undefined, dropper);
      copied += group.length * main.layout.kvHeads * (sink + heavy + recent);
      for (const { layer } of group) {
        const row = main.layout.acting.indexOf(layer) * main.layout.kvHeads;
        if (dropper?.scrambled.delete(layer)) dropper.resetRanks(row, row + main.layout.kvHeads);
      }
      dropper?.passed();
    }
    return copied;
  }

  /** Layers whose rows follow each other and keep the same of the same go together, as far as memory allows. */
  #group(
    compactions: readonly Compaction[],
    acting: readonly number[],
    dropper: Dropper | undefined,
    staged: ReadonlyMap<number, number> | undefined,
  ): Compaction[][] {
    const { kvHeads, headDim } = this.eviction.model;
    const groups: { key: string; members: Compaction[] }[] = [];
    for (const compaction of compactions) {
      const { layer, entries, sink, heavy, recent } = compaction;
      const key = [entries, sink, heavy, recent, dropper?.scrambled.has(layer), staged?.has(layer)].join();
      const previous = groups.at(-1)?.members.at(-1);
      const follows = previous !== undefined && acting.indexOf(layer) === acting.indexOf(previous.layer) + 1;
      const open = groups.at(-1);
      const most = Math.max(1, Math.floor(GATHER_LIMIT / (4 * kvHeads * headDim * entries)));
      if (open?.key === key && follows && open.members.length < most) open.members.push(compaction);
      else groups.push({ key, members: [compaction] });
    }
    return groups.map(({ members }) => members);
  }

  #compact(
    group: readonly Compaction[],
    main: Block,
    staging: { readonly block: Block; readonly layers: ReadonlyMap<number, number> } | undefined,
    dropper: Dropper | undefined,
  ): void {
    const { ort, device, host } = this.eviction.runtime;
    const [{ layer: first, entries, sink, heavy, recent }] = group as [Compaction];
    const scrambled = dropper?.scrambled.has(first) ?? false;
    const key = staging ? "" : `${group.map((c) => c.layer)} ${entries} ${sink} ${heavy} ${recent} ${scrambled}`;
    let known = this.#known.get(key);
    if (!known) {
      const memory: DeviceMemory[] = [];
      const ints = (numbers: readonly number[], where = device) => {
        const block = where.allocate(8 * numbers.length);
        memory.push(block);
        where.write(block, 0, BigInt64Array.from(numbers, BigInt));
        return block;
      };
      const column = (numbers: readonly number[]) =>
        Value.of(ort, device, ints(numbers), "int64", [numbers.length, 1]);
      const onHost = (n: number) => Value.of(ort, host, ints([n], host), "int64", [1]);
      const source = staging?.block ?? main;
      const rows = (block: Block, index: (layer: number) => number) =>
        group.flatMap(({ layer }) => {
          const { starts, capacities, kvHeads } = block.layout;
          const i = index(layer);
          return Array.from({ length: kvHeads }, (_, head) => starts[i]! + head * capacities[i]!);
        });
      const { kvHeads, width, acting, headDim } = main.layout;
      const firstRow = acting.indexOf(first) * kvHeads;
      const draw = ints([0]);
      const cache = (block: Block, part: DeviceMemory) =>
        Value.of(ort, device, part, this.eviction.dtype, [block.layout.slots, headDim]);
      const kept = { kept_keys: cache(main, main.keys), kept_values: cache(main, main.values) };
      const to = rows(main, (layer) => layer);
      const binding = new Binding(this.eviction.compact(scrambled, heavy > 0), {
        keys: cache(source, source.keys),
        values: cache(source, source.values),
        ...kept,
        from: column(rows(source, (layer) => staging?.layers.get(layer) ?? layer)),
        to: column(to),
        entries: onHost(entries),
        sink: onHost(sink),
        end: onHost(entries - recent),
        ...(heavy > 0 ? { heavy: onHost(heavy) } : {}),
        ...(scrambled
          ? { rank: Value.of(ort, device, dropper!.rank, "float32", [to.length, width], 4 * firstRow * width) }
          : {}),
        ...(heavy > 0 && this.eviction.isRandom
          ? {
            draw: Value.of(ort, device, draw, "int64", [1]),
            row: column(to.map((_, i) => firstRow + i)),
          }
          : {}),
      }, { "kept_keys'": kept.kept_keys, "kept_values'": kept.kept_values });
      known = { binding, draw, memory };
      if (key) this.#known.set(key, known);
    }
    if (this.eviction.isRandom) device.write(known.draw, 0, BigInt64Array.of(BigInt(this.#draws++)));
    known.binding.run();
    if (!key) {
      device.synchronize();
      release(known);
    }
  }

  [Symbol.dispose](): void {
    for (const known of this.#known.values()) release(known);
    this.#known.clear();
  }
}

function release({ binding, memory }: { readonly binding: Binding; readonly memory: readonly DeviceMemory[] }): void {
  binding[Symbol.dispose]();
  for (const block of memory) block[Symbol.dispose]();
}
