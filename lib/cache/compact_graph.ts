import type { FloatType } from "../dtype.ts";
import { Graph, type Tensor } from "../onnx/graph.ts";
import type { Feature, Score } from "../policies/score.ts";
import { emitRandom } from "./random_graph.ts";
import { emitScore } from "./score_graph.ts";

/** Which form of the graph: what is known of the entries it is for. */
export interface CompactForm {
  /** Slots are not in text order: `rank` says what is. */
  readonly scrambled: boolean;
  /** Keep the best of the middle by this; left out where the middle goes whole. */
  readonly score?: Score | undefined;
  /** Also give the norms of the keys kept, for a score that reads them in the steps to come. */
  readonly norms: boolean;
}

/**
 * Writes many-entry eviction (after a prefill, at a ratio): per row, gathers what is kept, in text order, and puts it
 * into the first slots of its destination. Source and destination may be the same memory: all is gathered first.
 *
 * Inputs: `keys`, `values` `[from_slots, headDim]`; `kept_keys`, `kept_values` `[to_slots, headDim]`, each bound to the
 * memory of the output that has its name and a prime; `from`, `to` int64 `[rows, 1]`, first slot of each row in either;
 * `rank` float32 `[rows, width]` if scrambled; on the host, int64 `[1]`: `entries` per row, `sink`, `end` (the middle is
 * what lies between), and with a score `heavy`. If random: `draw` int64 `[1]`, `row` int64 `[rows, 1]`. With `norms`, on
 * the host `pads` int64 `[4]` = 0, 0, 0, width - kept, and the output `key_norm` float32 `[rows, width]`.
 */
export function buildCompactGraph(headDim: number, dtype: FloatType, form: CompactForm): Uint8Array<ArrayBuffer> {
  const { scrambled, score, norms } = form;
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
  const zero = g.ints(0), one = g.ints(1), columns = g.ints(1);
  const scalar = (x: Tensor) => g.op("Squeeze", [x]);
  const range = (count: Tensor) => g.op("Range", [scalar(zero), scalar(count), scalar(one)]);
  const cut = (x: Tensor, start: Tensor, stop: Tensor) => g.op("Slice", [x, start, stop, columns]);

  // Slots in text order, [rows, entries].
  const order = scrambled
    ? g.ops("TopK", [cut(g.input("rank", "float32", ["rows", "width"]), zero, entries), entries], 2, {
      axis: 1,
      largest: 0,
      sorted: 1,
    })[1]!
    : range(entries);
  const places = g.op("Add", [from, order]);
  const parts = [cut(places, zero, sink)];
  if (score) parts.push(chooseBest(score));
  parts.push(cut(places, end, entries));
  const kept = g.op("Concat", parts, { axis: 1 }); // [rows, kept]

  const count = g.op("Shape", [kept], { start: 1, end: 2 });
  const target = g.op("Unsqueeze", [g.op("Add", [to, range(count)]), g.ints(2)]); // [rows, kept, 1]
  const [keyOf, valueOf] = [keys, values].map((block) => g.op("Gather", [block, kept], { axis: 0 })) as [
    Tensor,
    Tensor,
  ];
  g.output("kept_keys'", g.op("ScatterND", [keptKeys, target, keyOf]), dtype, ["to_slots", headDim]);
  g.output("kept_values'", g.op("ScatterND", [keptValues, target, valueOf]), dtype, ["to_slots", headDim]);
  if (norms) {
    const norm = g.op("ReduceL2", [g.cast(keyOf, dtype, "float32"), g.ints(2)], { keepdims: 0 });
    g.output("key_norm", g.op("Pad", [norm, g.input("pads", "int64", [4])]), "float32", ["rows", "width"]);
  }
  return g.encode();

  /** The `heavy` best of the middle in text order; among equals the first. */
  function chooseBest(score: Score): Tensor {
    const middle = cut(places, sink, end); // [rows, middle]
    const size = g.op("Sub", [end, sink]);
    const heavy = g.input("heavy", "int64", [1]);
    const gather = (block: Tensor) => g.cast(g.op("Gather", [block, middle], { axis: 0 }), dtype, "float32");
    const feature = (name: Feature): Tensor => {
      switch (name) {
        case "keys":
          return gather(keys);
        case "values":
          return gather(values);
        case "key_norm":
          return g.op("ReduceL2", [gather(keys), g.ints(2)], { keepdims: 0 });
        case "random": {
          const rank = g.op("Unsqueeze", [g.op("Range", [scalar(sink), scalar(end), scalar(one)]), zero]);
          return emitRandom(g, g.input("draw", "int64", [1]), g.input("row", "int64", ["rows", 1]), rank);
        }
        default:
          throw new TypeError(`Cannot score by ${name} in a compaction yet`);
      }
    };
    const scored = emitScore(g, score, { feature, count: g.cast(size, "int64", "float32") });
    const best = g.ops("TopK", [scored, heavy], 2, { axis: 1, largest: 1, sorted: 1 })[1]!;
    const inOrder = g.ops("TopK", [g.cast(best, "int64", "float32"), heavy], 2, { axis: 1, largest: 0, sorted: 1 })[0]!;
    return g.op("GatherElements", [middle, g.cast(inOrder, "float32", "int64")], { axis: 1 });
  }
}
