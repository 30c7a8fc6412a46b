import type { FloatType } from "../util/dtype.ts";
import { Graph, type Tensor } from "../onnx/graph.ts";
import { type Feature, featuresOf, type Score } from "../policies/score.ts";
import { attentionShape, type EntryState } from "./entry_state.ts";
import { emitRandom } from "./random_graph.ts";
import { emitScore } from "./score_graph.ts";

/** Form of the graph: what is known about the entries it handles. */
export interface CompactForm {
  /** Slots are not in text order: `rank` gives the order. */
  readonly scrambled: boolean;
  /** Score that picks the entries of the middle to keep; left out if the whole middle is kept. */
  readonly score?: Score | undefined;
  /** State kept per entry, in addition to its key and value. */
  readonly kept: EntryState;
}

/**
 * Writes many-entry eviction (after a prefill, at a ratio). For each row it gathers the kept entries in text order and
 * writes them to the first slots of the destination. Source and destination may be the same memory: everything is
 * gathered before anything is written.
 *
 * Inputs: `keys`, `values` `[from_slots, headDim]`; `kept_keys`, `kept_values` `[to_slots, headDim]`, each bound to the
 * memory of the output with the same name and a prime; `from`, `to` int64 `[rows, 1]`, first slot of each row in source
 * and destination; `rank` float32 `[rows, from_width]` if scrambled; on the host, int64 `[1]`: `entries` per row,
 * `sink`, `end` (the middle lies between those two), and with a score `heavy`. If random: `draw` int64 `[1]`, `row`
 * int64 `[rows, 1]`.
 *
 * Entry state goes from `text_position` and `attention`, of the source's width, to the outputs `text_position'` and
 * `attention'`, of the destination's width; `key_norm'` is computed anew. The outputs are padded with zeros: `pads`
 * int64 `[4]` on the host is 0, 0, 0, width - kept, and `ring_pads` int64 `[6]` is the same for attention with lines.
 */
export function buildCompactGraph(headDim: number, dtype: FloatType, form: CompactForm): Uint8Array<ArrayBuffer> {
  const { scrambled, score, kept: features } = form;
  const g = new Graph("compact", 21);
  const keys = g.input("keys", dtype, ["from_slots", headDim]);
  const values = g.input("values", dtype, ["from_slots", headDim]);
  const keptKeys = g.input("kept_keys", dtype, ["to_slots", headDim]);
  const keptValues = g.input("kept_values", dtype, ["to_slots", headDim]);
  const from = g.input("from", "int64", ["rows", 1]);
  const to = g.input("to", "int64", ["rows", 1]);
  const [entries, sink, end] = ["entries", "sink", "end"].map((name) => g.input(name, "int64", [1])) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const perSlot = ["rows", "from_width"];
  const zero = g.ints(0), one = g.ints(1);
  const scalar = (x: Tensor) => g.op("Squeeze", [x]);
  const range = (start: Tensor, stop: Tensor) => g.op("Range", [scalar(start), scalar(stop), scalar(one)]);
  const cut = (x: Tensor, start: Tensor, stop: Tensor) => g.op("Slice", [x, start, stop, g.ints(1)]);
  const attention = features.attention
    ? g.input("attention", "float32", attentionShape(features.attention, "rows", "from_width"))
    : undefined;

  // Slots within each row, in text order, [rows, entries].
  const order = scrambled
    ? g.ops("TopK", [cut(g.input("rank", "float32", perSlot), zero, entries), entries], 2, {
      axis: 1,
      largest: 0,
      sorted: 1,
    })[1]!
    : g.op("Add", [g.op("Sub", [from, from]), range(zero, entries)]);
  const parts = [cut(order, zero, sink)];
  if (score) parts.push(chooseBest(score));
  parts.push(cut(order, end, entries));
  const kept = g.op("Concat", parts, { axis: 1 }); // [rows, kept]

  const places = g.op("Add", [from, kept]);
  const count = g.op("Shape", [kept], { start: 1, end: 2 });
  const target = g.op("Unsqueeze", [g.op("Add", [to, range(zero, count)]), g.ints(2)]); // [rows, kept, 1]
  const [keyOf, valueOf] = [keys, values].map((block) => g.op("Gather", [block, places], { axis: 0 })) as [
    Tensor,
    Tensor,
  ];
  g.output("kept_keys'", g.op("ScatterND", [keptKeys, target, keyOf]), dtype, ["to_slots", headDim]);
  g.output("kept_values'", g.op("ScatterND", [keptValues, target, valueOf]), dtype, ["to_slots", headDim]);

  const pads = features.norms || features.textPositions || features.attention?.from === "all"
    ? g.input("pads", "int64", [4])
    : undefined;
  const toWidth = (x: Tensor) => g.op("Pad", [x, pads!]);
  const outShape = ["rows", "width"];
  if (features.norms) {
    const norm = g.op("ReduceL2", [g.cast(keyOf, dtype, "float32"), g.ints(2)], { keepdims: 0 });
    g.output("key_norm'", toWidth(norm), "float32", outShape);
  }
  if (features.textPositions) {
    const textPositions = g.op("GatherElements", [g.input("text_position", "float32", perSlot), kept], { axis: 1 });
    g.output("text_position'", toWidth(textPositions), "float32", outShape);
  }
  if (features.attention?.from === "all") {
    g.output("attention'", toWidth(g.op("GatherElements", [attention!, kept], { axis: 1 })), "float32", outShape);
  } else if (features.attention) {
    const { window } = features.attention;
    const zeros = g.constant("int64", [1, window, 1], new BigInt64Array(window));
    const index = g.op("Add", [g.op("Unsqueeze", [kept, g.ints(1)]), zeros]); // [rows, window, kept]
    const moved = g.op("GatherElements", [attention!, index], { axis: 2 });
    const padded = g.op("Pad", [moved, g.input("ring_pads", "int64", [6])]);
    g.output("attention'", padded, "float32", attentionShape(features.attention, "rows", "width"));
  }
  return g.encode();

  /** Chooses the `heavy` best entries of the middle, as slots in text order; of equal scores the first wins. */
  function chooseBest(score: Score): Tensor {
    const middle = cut(order, sink, end); // [rows, middle]
    const heavy = g.input("heavy", "int64", [1]);
    const gather = (block: Tensor) =>
      g.cast(g.op("Gather", [block, g.op("Add", [from, middle])], { axis: 0 }), dtype, "float32");
    const feature = (name: Feature): Tensor => {
      switch (name) {
        case "keys":
          return gather(keys);
        case "values":
          return gather(values);
        case "key_norm":
          return g.op("ReduceL2", [gather(keys), g.ints(2)], { keepdims: 0 });
        case "attention": {
          const ring = features.attention?.from === "last";
          const paid = ring ? g.op("ReduceSum", [attention!, g.ints(1)], { keepdims: 0 }) : attention!;
          return g.op("GatherElements", [paid, middle], { axis: 1 });
        }
        case "random": {
          const rank = g.op("Unsqueeze", [range(sink, end), zero]);
          return emitRandom(g, g.input("draw", "int64", [1]), g.input("row", "int64", ["rows", 1]), rank);
        }
      }
    };
    const known = new Map([...featuresOf(score)].map((name) => [name, feature(name)]));
    const scored = emitScore(g, score, {
      feature: (name) => known.get(name)!,
      count: g.cast(g.op("Sub", [end, sink]), "int64", "float32"),
    });
    const best = g.ops("TopK", [scored, heavy], 2, { axis: 1, largest: 1, sorted: 1 })[1]!;
    const inOrder = g.ops("TopK", [g.cast(best, "int64", "float32"), heavy], 2, { axis: 1, largest: 0, sorted: 1 })[0]!;
    return g.op("GatherElements", [middle, g.cast(inOrder, "float32", "int64")], { axis: 1 });
  }
}
