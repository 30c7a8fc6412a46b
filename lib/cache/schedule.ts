import type { Policy, Sizes } from "../policies/policy.ts";

/** A group of equal forward passes: the new tokens of each pass, and the number of passes. */
export interface PassGroup {
  /** New tokens of each pass. */
  readonly tokens: number;
  /** Number of passes. */
  readonly times: number;
  /** How many more entries may be there before any is evicted: see {@linkcode KvCache.beginPass}; 0 if omitted. */
  readonly ahead?: number;
}

/**
 * What a policy keeps, by layer, for every entry count that a run meets. Plain data: sizes never depend on what is
 * cached, so all of them are known and checked before the run. This table is what the measuring process receives.
 */
export interface KeepTable {
  /** Layer → `[entries, sink, heavy, recent]` for each count at which the policy acts. */
  readonly layers: readonly (readonly (readonly [number, number, number, number])[])[];
}

/** Sizes of one layer over a sequence. */
export interface LayerSequence {
  /** The most entries held, new ones included, in any pass that is of one token or adds to a filled cache. */
  readonly capacity: number;
  /** Entries of a first pass of several tokens (prefill); 0 if there is no such pass. */
  readonly prefill: number;
  /** Entries held at the end. */
  readonly held: number;
  /** Entries held after each pass, summed over the passes. */
  readonly heldSum: number;
}

/** Asks a policy that checkPolicy has checked for its sizes in all layers over the given sequences of passes. */
export function tabulate(
  policy: Policy,
  model: { readonly layers: number },
  skipLayers: readonly number[],
  sequences: readonly (readonly PassGroup[])[],
): KeepTable {
  const skipped = new Set(skipLayers);
  const layers = Array.from({ length: model.layers }, (_, layer) => {
    if (skipped.has(layer)) return [];
    const met = new Map<number, [number, number, number, number]>();
    const keep = (entries: number) => {
      const known = met.get(entries);
      if (known) return { sink: known[1], heavy: known[2], recent: known[3] };
      const sizes = policy.keep({ layer, layers: model.layers, entries });
      if (sizes === "all") return sizes;
      // Keeping everything is no change.
      if (sizes.sink + sizes.heavy + sizes.recent === entries) return "all";
      met.set(entries, [entries, sizes.sink, sizes.heavy, sizes.recent]);
      return sizes;
    };
    for (const sequence of sequences) walk(sequence, keep);
    return [...met.values()];
  });
  return { layers };
}

/**
 * Asks a policy for its sizes in all layers at every count: for a cache whose entries come in numbers that are not known
 * before the run, such as one that drafts tokens.
 *
 * @example
 * ```ts
 * import { methods } from "../policies/registry.ts";
 * import { tabulateAll } from "./schedule.ts";
 *
 * const { layers } = tabulateAll(methods.recent_only({ window_size: 8 }), { layers: 1 }, 10);
 * console.log(layers); // [ [ [ 9, 0, 0, 8 ], [ 10, 0, 0, 8 ] ] ]
 * ```
 *
 * @param policy A policy that checkPolicy has checked.
 * @param model The model's shape.
 * @param most The most entries that a layer may hold.
 * @returns The table.
 */
export function tabulateAll(policy: Policy, { layers }: { readonly layers: number }, most: number): KeepTable {
  const rows = (layer: number) =>
    Array.from({ length: most }, (_, i) => i + 1).flatMap((entries): [number, number, number, number][] => {
      const sizes = policy.keep({ layer, layers, entries });
      if (sizes === "all" || sizes.sink + sizes.heavy + sizes.recent === entries) return [];
      return [[entries, sizes.sink, sizes.heavy, sizes.recent]];
    });
  return { layers: Array.from({ length: layers }, (_, layer) => rows(layer)) };
}

/** Looks up sizes in a table. */
export class Keeper {
  readonly #layers: ReadonlyMap<number, Sizes>[];
  constructor(table: KeepTable) {
    this.#layers = table.layers.map((rows) =>
      new Map(rows.map(([entries, sink, heavy, recent]) => [entries, { sink, heavy, recent }]))
    );
  }

  /** Sizes that a layer keeps of `entries` entries. */
  keep(layer: number, entries: number): Sizes | "all" {
    return this.#layers[layer]?.get(entries) ?? "all";
  }

  /** Whether the policy ever acts on the layer. */
  acts(layer: number): boolean {
    return (this.#layers[layer]?.size ?? 0) > 0;
  }

  /** Sizes of the layer over a sequence. */
  sequence(layer: number, sequence: readonly PassGroup[]): LayerSequence {
    return walk(sequence, (entries) => this.keep(layer, entries));
  }

  /** Layer → group: layers of one group hold equally many entries at any time. */
  groups(): number[] {
    const known = new Map<string, number>();
    return this.#layers.map((sizes) => {
      // All layers start empty and get the same tokens: as long as the policy keeps equal numbers, counts stay equal.
      const key = [...sizes].map(([entries, { sink, heavy, recent }]) => `${entries}:${sink + heavy + recent}`)
        .sort().join();
      if (!known.has(key)) known.set(key, known.size);
      return known.get(key)!;
    });
  }
}

function walk(sequence: readonly PassGroup[], keep: (entries: number) => Sizes | "all"): LayerSequence {
  let held = 0, capacity = 0, prefill = 0, heldSum = 0;
  for (const { tokens, times, ahead = 0 } of sequence) {
    for (let i = 0; i < times; i++) {
      const entries = held + tokens;
      capacity = Math.max(capacity, ahead && entries + ahead);
      // Several tokens that join held entries need room next to them; a prompt alone may be staged until it is cut
      // down.
      if (tokens === 1 || held > 0) capacity = Math.max(capacity, entries);
      else prefill = Math.max(prefill, entries);
      const sizes = keep(entries);
      held = sizes === "all" ? entries : sizes.sink + sizes.heavy + sizes.recent;
      heldSum += held;
      capacity = Math.max(capacity, held);
      // One in, one out: nothing changes until a pass brings another number of tokens.
      if (entries === held + tokens && sizes !== "all") {
        heldSum += held * (times - i - 1);
        break;
      }
    }
  }
  return { capacity, prefill, held, heldSum };
}
