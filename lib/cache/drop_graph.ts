import type { FloatType } from "../util/dtype.ts";
import type { Graph, Tensor } from "../onnx/graph.ts";
import { type Feature, featuresOf, type Score } from "../policies/score.ts";
import { AttentionInDrop } from "./drop_attention.ts";
import type { DropTensors } from "./drop_tensors.ts";
import type { EntryState } from "./entry_state.ts";
import { emitRandom } from "./random_graph.ts";
import { emitScore, needsOrder } from "./score_graph.ts";

/** What single-slot eviction is written for. */
export interface DropOptions {
  /** Number of layers that the policy acts on. */
  readonly actingLayers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly dtype: FloatType;
  /** Left out where the middle is a single entry. */
  readonly score?: Score | undefined;
  readonly kept: EntryState;
  /** A finite float32 tensor that exists only after every layer has written its new entries. */
  readonly after: Tensor;
  /** The pass's attention per acting layer, in order, if attention is kept. */
  readonly observed: readonly Tensor[];
}

/**
 * Writes single-slot eviction after a decoder: one token came, one entry per row leaves, and the newest entry takes its
 * slot. No other entry moves. What changes is the *rank* of entries, their place in text order, which is stored next to
 * them.
 *
 * Inputs, each bound to the memory of the output with the same name and a prime: `keys`, `values` `[slots, headDim]`;
 * `rank` float32 `[rows, width]`, rank of the entry in each slot (an empty slot holds its own number, which is the rank
 * that an entry appended there will have); and the entry state: `key_norm`, `text_position` float32 `[rows, width]`,
 * `attention` (see {@linkcode AttentionInDrop}).
 *
 * Further inputs: `starts` int64 `[rows, 1]`, first slot of each row; `slot` float32 `[1, width]` = 0, 1 …;
 * `drop_ranges` float32 `[4, actingLayers]`: the newest entry's slot, the middle's first rank, one past its last rank,
 * and the number of entries before the pass. In a layer that drops nothing the middle is the newest entry, which takes
 * its own place. `draw` int64 `[1]` if the score is random; `text_index` float32 `[1]`, index of the first new token,
 * for text positions.
 */
export function emitDrop(g: Graph, options: DropOptions): void {
  const { actingLayers, kvHeads, headDim, dtype, score, kept } = options;
  const rows = actingLayers * kvHeads;
  const perSlot = [rows, "width"], cache = ["slots", headDim];
  const keys = g.input("keys", dtype, cache);
  const values = g.input("values", dtype, cache);
  const rank = g.input("rank", "float32", perSlot);
  const starts = g.input("starts", "int64", [rows, 1]);
  const slot = g.input("slot", "float32", [1, "width"]);
  const [last, sink, end, past] = columns();

  const inCache = (column: Tensor) => g.op("Add", [starts, g.cast(column, "float32", "int64")]);
  const isLast = g.op("Equal", [slot, last]);
  const shared: DropTensors = { rows, slot, last, past, isLast };
  const from = g.reshape(inCache(last), rows); // the newest entries, as slots of the whole cache
  const newestKey = g.op("Gather", [keys, from], { axis: 0 }); // [rows, headDim]
  const newestValue = g.op("Gather", [values, from], { axis: 0 });

  const norms = kept.norms ? normsNow() : undefined;
  const attention = kept.attention ? new AttentionInDrop(g, kept.attention, shared, options.observed) : undefined;

  const dropped = score ? chooseWorst(score) : sink; // rank of the entry that leaves, [rows, 1]
  const freed = g.op("ReduceMax", [
    g.op("Where", [g.op("Equal", [rank, dropped]), slot, g.scalar(-1)]),
    g.ints(1),
  ], { keepdims: 1 });
  const isFreed = g.op("Equal", [slot, freed]);

  // Move one entry per row, with all of its state.
  const to = g.reshape(inCache(freed), rows, 1);
  g.output("keys'", g.op("ScatterND", [keys, to, newestKey]), dtype, cache);
  g.output("values'", g.op("ScatterND", [values, to, newestValue]), dtype, cache);
  if (norms) moveColumn("key_norm'", norms.newest, norms.all);
  if (kept.textPositions) {
    // A slot filled in this pass holds the text's next token after the slot before it.
    const first = g.op("Sub", [g.input("text_index", "float32", [1]), past]);
    const fresh = g.op("Add", [slot, first]);
    const isFresh = g.op("GreaterOrEqual", [slot, past]);
    const textPositions = g.op("Where", [isFresh, fresh, g.input("text_position", "float32", perSlot)]);
    moveColumn("text_position'", g.op("Add", [last, first]), textPositions);
  }
  attention?.move(freed, isFreed);
  // Entries after the dropped one move up in rank. The last slot is free again and gets its former rank back.
  const later = g.op("And", [g.op("Greater", [rank, dropped]), g.op("Less", [rank, last])]);
  const movedUp = g.op("Sub", [rank, g.cast(later, "bool", "float32")]);
  const landed = g.op("Where", [isFreed, g.op("Sub", [last, g.scalar(1)]), movedUp]);
  g.output("rank'", g.op("Where", [isLast, last, landed]), "float32", perSlot);

  /** The drop ranges of the rows, each `[rows, 1]`. */
  function columns(): [Tensor, Tensor, Tensor, Tensor] {
    const perLayer = g.input("drop_ranges", "float32", [4, actingLayers]);
    // Every node below depends on this: nothing may read or move a slot before its layer has written it.
    const ready = g.op("Add", [perLayer, g.op("Mul", [options.after, g.scalar(0)])]);
    const layerOfRow = BigInt64Array.from({ length: rows }, (_, row) => BigInt(Math.floor(row / kvHeads)));
    const perRow = g.op("Gather", [ready, g.constant("int64", [rows], layerOfRow)], { axis: 1 });
    return g.ops("Split", [perRow, g.ints(1, 1, 1, 1)], 4, { axis: 0 }).map((x) => g.reshape(x, rows, 1)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
  }

  /** Norms of the keys in all slots, the newest entry's included. */
  function normsNow(): { newest: Tensor; all: Tensor } {
    const held = g.input("key_norm", "float32", perSlot);
    const newest = g.op("ReduceL2", [g.cast(newestKey, dtype, "float32"), g.ints(1)], { keepdims: 1 });
    return { newest, all: g.op("Where", [isLast, newest, held]) };
  }

  /** State of each entry after the newest has moved to its slot. */
  function moveColumn(output: string, newest: Tensor, all: Tensor): void {
    g.output(output, g.op("Where", [isFreed, newest, all]), "float32", perSlot);
  }

  /** The rank of the middle's entry with the lowest score; of equal scores the last in text order. */
  function chooseWorst(score: Score): Tensor {
    const ordered = needsOrder(score);
    const ranks = ordered ? slot : rank;
    const inMiddle = g.op("And", [g.op("GreaterOrEqual", [ranks, sink]), g.op("Less", [ranks, end])]);
    const rankIndex = g.cast(rank, "float32", "int64");
    const inOrder = (x: Tensor) =>
      ordered ? g.op("ScatterElements", [g.op("Mul", [x, g.scalar(0)]), rankIndex, x], { axis: 1 }) : x;
    const blocks = (block: Tensor) => {
      // Slots past a row's own belong to other rows or to none. They are in no middle, so any valid index will do for
      // them.
      const inRow = g.cast(g.op("Min", [slot, last]), "float32", "int64");
      const all = g.cast(g.op("Gather", [block, g.op("Add", [starts, inRow])], { axis: 0 }), dtype, "float32");
      if (!ordered) return all;
      const index = g.op("Expand", [g.op("Unsqueeze", [rankIndex, g.ints(2)]), g.ints(1, 1, headDim)]);
      return g.op("ScatterElements", [g.op("Mul", [all, g.scalar(0)]), index, all], { axis: 1 });
    };
    const feature = (name: Feature): Tensor => {
      switch (name) {
        case "keys":
          return blocks(keys);
        case "values":
          return blocks(values);
        case "key_norm":
          return inOrder(norms!.all);
        case "attention":
          return inOrder(attention!.paid);
        case "random": {
          const row = g.iota(rows, [rows, 1], "int64");
          return emitRandom(
            g,
            g.input("draw", "int64", [1]),
            row,
            ordered ? g.cast(slot, "float32", "int64") : rankIndex,
          );
        }
      }
    };
    const known = new Map([...featuresOf(score)].map((name) => [name, feature(name)]));
    const scored = emitScore(g, score, {
      feature: (name) => known.get(name)!,
      mask: inMiddle,
      count: g.op("Sub", [end, sink]),
    });
    const lowest = g.op("ReduceMin", [g.op("Where", [inMiddle, scored, g.scalar(Infinity)]), g.ints(1)], {
      keepdims: 1,
    });
    const isLowest = g.op("And", [inMiddle, g.op("Equal", [scored, lowest])]);
    const worst = g.op("ReduceMax", [g.op("Where", [isLowest, ranks, g.scalar(-1)]), g.ints(1)], { keepdims: 1 });
    // If every score is NaN, the oldest entry of the middle is dropped: an index must be valid whatever the data.
    return g.op("Max", [worst, sink]);
  }
}
