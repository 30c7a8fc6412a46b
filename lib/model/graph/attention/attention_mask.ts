import type { Graph, Tensor } from "../../../onnx/graph.ts";
import type { ModelSpec } from "../../spec.ts";

/** How a sliding window counts: see {@linkcode AttentionMask}. */
export interface WindowUse {
  /** "index": tokens of the text; "rank": entries in the cache. */
  readonly by: "index" | "rank";
  /** Layers that entries are dropped from: their slots are not in text order, and they do not hold all of the text. */
  readonly evicted: readonly number[];
}

/** What masks are built for. */
interface MaskOptions {
  /** Layer → its length group. */
  readonly groups: readonly number[];
  /** Omitted if no text is longer than the shortest window. */
  readonly window?: WindowUse | undefined;
  /** Positions of the new tokens, int64 `[1, tokens]`, if a window counts by index. */
  readonly positions: Tensor | undefined;
}

/** A length group's inputs. */
interface Group {
  /** Entries before this pass, int64 `[1]`. */
  readonly past: Tensor;
  /** 0, 1 …, int64 `[1, capacity]`. */
  readonly slots: Tensor;
  /** Ranks of the new tokens in the cache, int64 `[tokens, 1]`. */
  readonly places: Tensor;
  /** Which slots a token may see, windows not considered, bool `[tokens, capacity]`. */
  readonly filled: Tensor;
}

/**
 * Says which slots of a layer each new token may see: those filled before it and, in a layer with a sliding window of
 * w, only the ones less than w before it. Beltagy et al. 2020, arXiv:2004.05150.
 *
 * Distance depends on the numbering. By index it is counted in the text, whatever was dropped in between: an entry that
 * a policy keeps beyond the window is held but not seen. By rank it is counted in the held entries.
 *
 * Adds the inputs `rows` int64 `[tokens, 1]` = 0, 1 … and, for each group g, `past.g` int64 `[1]`, the entries before
 * this pass, and `slots.g` int64 `[1, capacity]` = 0, 1 …; for layers with a window that entries are dropped from,
 * float32 `[kvHeads, capacity]` the entries' index in the text, `text_positions.l`, or their rank in text order,
 * `ranks.l`.
 */
export class AttentionMask {
  readonly #groups: readonly Group[];
  /** Masks by group and window; layers that agree in both share one. */
  readonly #known = new Map<string, Tensor>();
  readonly #ranks = new Map<number, Tensor>();

  constructor(readonly g: Graph, readonly spec: ModelSpec, readonly options: MaskOptions) {
    const rows = g.input("rows", "int64", [null, 1]);
    this.#groups = Array.from({ length: Math.max(...options.groups) + 1 }, (_, group) => {
      const past = g.input(`past.${group}`, "int64", [1]);
      const slots = g.input(`slots.${group}`, "int64", [1, `capacity.${group}`]);
      const places = g.op("Add", [past, rows]);
      return { past, slots, places, filled: g.op("LessOrEqual", [slots, places]) };
    });
  }

  /** Returns the inputs of a layer's group. */
  group(layer: number): Group {
    return this.#groups[this.options.groups[layer]!]!;
  }

  /** Returns the ranks of a layer's entries in text order, float32 `[kvHeads, capacity]`. */
  ranks(layer: number): Tensor {
    const known = this.#ranks.get(layer) ?? this.#perSlot(`ranks.${layer}`, layer);
    this.#ranks.set(layer, known);
    return known;
  }

  /**
   * Returns which slots a token may see, bool `[tokens, capacity]`, or `[kvHeads, 1, tokens, capacity]` if heads
   * differ.
   */
  mask(layer: number): Tensor {
    const { spec, options: { window: use, groups } } = this;
    const window = spec.window?.(layer);
    if (!use || window === undefined) return this.group(layer).filled;
    if (use.evicted.includes(layer)) return this.#within(layer, window);
    const { g } = this;
    const key = `${groups[layer]} ${window}`;
    const { slots, places, filled } = this.group(layer);
    const known = this.#known.get(key) ??
      g.op("And", [filled, g.op("Greater", [slots, g.op("Sub", [places, g.ints(window)])])]);
    this.#known.set(key, known);
    return known;
  }

  /** Applies a window to slots in any order. */
  #within(layer: number, window: number): Tensor {
    const { g, options: { positions } } = this;
    const { past, slots, places, filled } = this.group(layer);
    const float = (x: Tensor) => g.cast(x, "int64", "float32");
    const perHead = (x: Tensor) => g.op("Unsqueeze", [x, g.ints(1, 2)]); // [kvHeads, 1, 1, capacity]
    const since = (queries: Tensor) => float(g.op("Sub", [queries, g.ints(window)]));
    if (this.options.window!.by === "rank") {
      return g.op("And", [filled, g.op("Greater", [perHead(this.ranks(layer)), since(places)])]);
    }
    if (!positions) throw new TypeError("Cannot count a window by index: the tokens have no positions");
    const queries = g.reshape(positions, -1, 1); // [tokens, 1]
    const first = g.op("Slice", [queries, g.ints(0), g.ints(1), g.ints(0)]);
    // The position of a slot filled in this pass is not stored yet.
    const fresh = float(g.op("Add", [slots, g.op("Sub", [first, past])]));
    const isFresh = g.op("GreaterOrEqual", [slots, past]);
    const textPositions = g.op("Where", [isFresh, fresh, this.#perSlot(`text_positions.${layer}`, layer)]);
    return g.op("And", [filled, g.op("Greater", [perHead(textPositions), since(queries)])]);
  }

  #perSlot(name: string, layer: number): Tensor {
    return this.g.input(name, "float32", [this.spec.kvHeads, `capacity.${this.options.groups[layer]}`]);
  }
}
