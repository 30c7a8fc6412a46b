/**
 * Where entries lie. The keys of all layers are one block of memory and the values another: `[slots, headDim]`, layer
 * after layer (first the layers that the policy acts on), in each layer sequence after sequence, in each sequence head after
 * head, in each head `capacity` slots. So a layer's part already is the `[sequences, kvHeads, capacity, headDim]` that
 * attention takes, and eviction reaches all layers by slot number.
 *
 * A *row* is one KV head of one sequence in one layer that the policy acts on.
 */
export interface Layout {
  /** Slots per head, by layer. */
  readonly capacities: readonly number[];
  /** First slot of each layer. */
  readonly starts: readonly number[];
  /** Total number of slots. */
  readonly slots: number;
  /** Sequences that are decoded together. */
  readonly sequences: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Layers the policy acts on. */
  readonly acting: readonly number[];
  /** Rows: acting layers x sequences x kvHeads. */
  readonly rows: number;
  /** The largest capacity of an acting layer: the width of the entry state per row. */
  readonly width: number;
}

/**
 * Lays out layers of the given capacities: first the layers the policy acts on, then the rest from slot `others` on.
 */
export function makeLayout(
  { capacities, kvHeads, headDim, acting, sequences = 1, others = 0 }: {
    readonly capacities: readonly number[];
    readonly kvHeads: number;
    readonly headDim: number;
    readonly acting: readonly number[];
    readonly sequences?: number;
    readonly others?: number;
  },
): Layout {
  const starts: number[] = [];
  let slots = 0;
  const place = (layer: number) => {
    starts[layer] = slots;
    slots += capacities[layer]! * sequences * kvHeads;
  };
  acting.forEach(place);
  slots = Math.max(slots, others);
  capacities.forEach((_, layer) => acting.includes(layer) || place(layer));
  const width = Math.max(0, ...acting.map((layer) => capacities[layer]!));
  const rows = acting.length * sequences * kvHeads;
  return { capacities, starts, slots, sequences, kvHeads, headDim, acting, rows, width };
}

/** First slot of each head of a layer, sequence after sequence. */
export function headStarts({ capacities, starts, sequences, kvHeads }: Layout, layer: number): number[] {
  return Array.from({ length: sequences * kvHeads }, (_, head) => starts[layer]! + head * capacities[layer]!);
}

/** First slot of every row, in order. */
export function rowStarts(layout: Layout): number[] {
  return layout.acting.flatMap((layer) => headStarts(layout, layer));
}
