import type { FloatType } from "../dtype.ts";
import { Graph, type Tensor } from "../onnx/graph.ts";
import { type Feature, featuresOf, type Score } from "../policies/score.ts";
import { type Layout, rowStarts } from "./layout.ts";
import { emitRandom } from "./random_graph.ts";
import { emitScore, needsOrder } from "./score_graph.ts";

/**
 * Writes the step case: one token came, one entry per row leaves, and the newest takes its slot. Nothing else moves;
 * what changes place is the *rank* of entries, their place in text order, which is kept beside them.
 *
 * Inputs, each bound to the memory of the output that has its name and a prime: `keys`, `values` `[slots, headDim]`;
 * `rank` float32 `[rows, width]`, rank of the entry in each slot (a slot not yet filled holds its own number, which is
 * what the rank of an entry appended there will be); `key_norm` float32 `[rows, width]` if the score reads it.
 * Further inputs, all float32 `[rows, 1]`: `last`, the newest entry's slot; `sink` and `end`: the middle is the ranks
 * from `sink` to before `end`. A row that drops nothing this time has its newest entry as its middle: it takes its own
 * place. `draw` int64 `[1]` if the score is random.
 */
export function buildDropGraph(layout: Layout, dtype: FloatType, score: Score | undefined): Uint8Array<ArrayBuffer> {
  const { rows, width, slots, headDim } = layout;
  const g = new Graph("drop", 21);
  const perSlot = [rows, width], perRow = [rows, 1], cache = [slots, headDim];
  const keys = g.input("keys", dtype, cache);
  const values = g.input("values", dtype, cache);
  const rank = g.input("rank", "float32", perSlot);
  const last = g.input("last", "float32", perRow);
  const sink = g.input("sink", "float32", perRow);
  const end = g.input("end", "float32", perRow);

  const slot = g.iota(width, [1, width]);
  const starts = g.constant("int64", perRow, BigInt64Array.from(rowStarts(layout), BigInt));
  const inCache = (column: Tensor) => g.op("Add", [starts, g.cast(column, "float32", "int64")]);
  const isLast = g.op("Equal", [slot, last]);
  const from = inCache(last); // [rows, 1]: the newest entries, as slots of the whole cache
  const take = (block: Tensor) => g.op("Gather", [block, g.reshape(from, rows)], { axis: 0 }); // [rows, headDim]
  const newestKey = take(keys);
  const newestValue = take(values);

  const features = score ? featuresOf(score) : new Set<Feature>();
  let norms: { newest: Tensor; all: Tensor } | undefined;
  if (features.has("key_norm")) {
    const held = g.input("key_norm", "float32", perSlot);
    const newest = g.op("ReduceL2", [g.cast(newestKey, dtype, "float32"), g.ints(1)], { keepdims: 1 });
    norms = { newest, all: g.op("Where", [isLast, newest, held]) };
  }

  const dropped = score ? chooseWorst(score) : sink; // rank of the entry that leaves, [rows, 1]
  const place = g.op("ReduceMax", [
    g.op("Where", [g.op("Equal", [rank, dropped]), slot, g.scalar(-1)]),
    g.ints(1),
  ], { keepdims: 1 });
  const isPlace = g.op("Equal", [slot, place]);

  // The move: one entry per row.
  const to = g.reshape(inCache(place), rows, 1);
  g.output("keys'", g.op("ScatterND", [keys, to, newestKey]), dtype, cache);
  g.output("values'", g.op("ScatterND", [values, to, newestValue]), dtype, cache);
  if (norms) {
    g.output("key_norm'", g.op("Where", [isPlace, norms.newest, norms.all]), "float32", perSlot);
  }
  // Entries after the dropped one move up in rank. The last slot is free again, for the same rank as before.
  const after = g.op("And", [g.op("Greater", [rank, dropped]), g.op("Less", [rank, last])]);
  const movedUp = g.op("Sub", [rank, g.cast(after, "bool", "float32")]);
  const landed = g.op("Where", [isPlace, g.op("Sub", [last, g.scalar(1)]), movedUp]);
  g.output("rank'", g.op("Where", [isLast, last, landed]), "float32", perSlot);
  return g.encode();

  /** The rank of the middle's entry with the lowest score; among equals the last in text order. */
  function chooseWorst(score: Score): Tensor {
    const ordered = needsOrder(score);
    const ranks = ordered ? slot : rank;
    const inMiddle = g.op("And", [g.op("GreaterOrEqual", [ranks, sink]), g.op("Less", [ranks, end])]);
    const rankIndex = g.cast(rank, "float32", "int64");
    const inOrder = (x: Tensor) =>
      ordered ? g.op("ScatterElements", [g.op("Mul", [x, g.scalar(0)]), rankIndex, x], { axis: 1 }) : x;
    const feature = (name: Feature): Tensor => {
      switch (name) {
        case "key_norm":
          return inOrder(norms!.all);
        case "random": {
          const row = g.iota(rows, [rows, 1], "int64");
          return emitRandom(g, g.input("draw", "int64", [1]), row, ordered ? g.iota(width, [1, width], "int64") : rankIndex);
        }
        default:
          throw new TypeError(`Cannot score by ${name} in the step case yet`);
      }
    };
    const known = new Map<Feature, Tensor>();
    const scored = emitScore(g, score, {
      feature: (name) => {
        if (!known.has(name)) known.set(name, feature(name));
        return known.get(name)!;
      },
      mask: inMiddle,
      width,
      count: g.op("Sub", [end, sink]),
    });
    const lowest = g.op("ReduceMin", [g.op("Where", [inMiddle, scored, g.scalar(Infinity)]), g.ints(1)], { keepdims: 1 });
    const isLowest = g.op("And", [inMiddle, g.op("Equal", [scored, lowest])]);
    const worst = g.op("ReduceMax", [g.op("Where", [isLowest, ranks, g.scalar(-1)]), g.ints(1)], { keepdims: 1 });
    // Should every score be NaN, the oldest of the middle goes: an index must be valid whatever the data.
    return g.op("Max", [worst, sink]);
  }
}
