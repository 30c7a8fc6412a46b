import type { FloatType } from "../dtype.ts";
import type { Graph, Tensor } from "../onnx/graph.ts";
import { type Feature, featuresOf, type Score } from "../policies/score.ts";
import { emitRandom } from "./random_graph.ts";
import { emitScore, needsOrder } from "./score_graph.ts";

/** What the step case is written for. */
export interface DropOptions {
  /** Layers that the policy acts on. */
  readonly actingLayers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly dtype: FloatType;
  /** Left out where the middle is one entry only. */
  readonly score?: Score | undefined;
  /** A finite float32 tensor that is there only once every layer has written its new entries. */
  readonly after: Tensor;
}

/**
 * Writes the step case behind a decoder: one token came, one entry per row leaves, and the newest takes its slot.
 * Nothing else moves; what changes place is the *rank* of entries, their place in text order, which is kept beside
 * them.
 *
 * Inputs, each bound to the memory of the output that has its name and a prime: `keys`, `values` `[slots, headDim]`;
 * `rank` float32 `[rows, width]`, rank of the entry in each slot (a slot not yet filled holds its own number, which is
 * what the rank of an entry appended there will be); `key_norm` float32 `[rows, width]` if the score reads it.
 *
 * Further inputs: `starts` int64 `[rows, 1]`, first slot of each row; `slot` float32 `[1, width]` = 0, 1 …; `middles`
 * float32 `[3, actingLayers]`: the newest entry's slot, the middle's first rank, and one past its last. A layer that drops
 * nothing has its newest entry as its middle: that takes its own place. `draw` int64 `[1]` if the score is random.
 */
export function emitDrop(g: Graph, options: DropOptions): void {
  const { actingLayers, kvHeads, headDim, dtype, score } = options;
  const rows = actingLayers * kvHeads;
  const perSlot = [rows, "width"], cache = ["slots", headDim];
  const keys = g.input("keys", dtype, cache);
  const values = g.input("values", dtype, cache);
  const rank = g.input("rank", "float32", perSlot);
  const starts = g.input("starts", "int64", [rows, 1]);
  const slot = g.input("slot", "float32", [1, "width"]);
  const [last, sink, end] = columns();

  const inCache = (column: Tensor) => g.op("Add", [starts, g.cast(column, "float32", "int64")]);
  const isLast = g.op("Equal", [slot, last]);
  const from = g.reshape(inCache(last), rows); // the newest entries, as slots of the whole cache
  const newestKey = g.op("Gather", [keys, from], { axis: 0 }); // [rows, headDim]
  const newestValue = g.op("Gather", [values, from], { axis: 0 });

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
  const later = g.op("And", [g.op("Greater", [rank, dropped]), g.op("Less", [rank, last])]);
  const movedUp = g.op("Sub", [rank, g.cast(later, "bool", "float32")]);
  const landed = g.op("Where", [isPlace, g.op("Sub", [last, g.scalar(1)]), movedUp]);
  g.output("rank'", g.op("Where", [isLast, last, landed]), "float32", perSlot);

  /** The middles of the rows, each `[rows, 1]`. */
  function columns(): [Tensor, Tensor, Tensor] {
    const perLayer = g.input("middles", "float32", [3, actingLayers]);
    // Every node below hangs on this: nothing may read or move what a layer has yet to write.
    const ready = g.op("Add", [perLayer, g.op("Mul", [options.after, g.scalar(0)])]);
    const layerOfRow = g.constant(
      "int64",
      [rows],
      BigInt64Array.from({ length: rows }, (_, r) => BigInt(Math.floor(r / kvHeads))),
    );
    const perRow = g.op("Gather", [ready, layerOfRow], { axis: 1 });
    return g.ops("Split", [perRow, g.ints(1, 1, 1)], 3, { axis: 0 }).map((x) => g.reshape(x, rows, 1)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
  }

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
        case "random":
          return emitRandom(
            g,
            g.input("draw", "int64", [1]),
            g.iota(rows, [rows, 1], "int64"),
            ordered ? g.cast(slot, "float32", "int64") : rankIndex,
          );
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
      count: g.op("Sub", [end, sink]),
    });
    const lowest = g.op("ReduceMin", [g.op("Where", [inMiddle, scored, g.scalar(Infinity)]), g.ints(1)], {
      keepdims: 1,
    });
    const isLowest = g.op("And", [inMiddle, g.op("Equal", [scored, lowest])]);
    const worst = g.op("ReduceMax", [g.op("Where", [isLowest, ranks, g.scalar(-1)]), g.ints(1)], { keepdims: 1 });
    // Should every score be NaN, the oldest of the middle goes: an index must be valid whatever the data.
    return g.op("Max", [worst, sink]);
  }
}
