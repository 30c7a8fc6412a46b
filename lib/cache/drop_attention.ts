import type { Graph, Tensor } from "../onnx/graph.ts";
import type { AttentionUse } from "../policies/policy.ts";
import type { DropTensors } from "./drop_tensors.ts";
import { attentionShape } from "./entry_state.ts";

/**
 * Attention kept per entry in single-slot eviction. Bound as `attention` and `attention'` to the same memory:
 *
 * - from all queries: float32 `[rows, width]`, each entry's sum so far;
 * - from the last `window` queries: float32 `[rows, window, width]`, the attention each query paid. The window is
 * a ring: query t is at ring index t mod window. `ring_indices` int64 `[queries]` names those of the pass's last
 * queries, at most `window` of them. The write goes out as `attention''`, to the same memory.
 */
export class AttentionInDrop {
  /** Attention paid to each slot's entry so far, this pass included, `[rows, width]`. */
  readonly paid: Tensor;
  readonly #move: (freed: Tensor, isFreed: Tensor) => void;

  constructor(readonly g: Graph, use: AttentionUse, shared: DropTensors, observed: readonly Tensor[]) {
    const { rows, slot, past, isLast } = shared;
    const now = g.op("Concat", [...observed], { axis: 0 }); // [rows, width] or [rows, queries, width]
    const shape = attentionShape(use, rows, "width");
    const held = g.input("attention", "float32", shape);
    const isFresh = g.op("GreaterOrEqual", [slot, past]); // filled in this pass: earlier values belong to other entries
    if (use.from === "all") {
      const paid = this.paid = g.op("Add", [g.op("Where", [isFresh, g.scalar(0), held]), now]);
      this.#move = (_, isFreed) => {
        const newest = g.op("ReduceSum", [g.op("Where", [isLast, paid, g.scalar(0)]), g.ints(1)], { keepdims: 1 });
        g.output("attention'", g.op("Where", [isFreed, newest, paid]), "float32", shape);
      };
      return;
    }
    const { window } = use;
    const ringIndices = g.input("ring_indices", "int64", ["queries"]);
    const inEachRow = g.reshape(ringIndices, 1, -1, 1);
    const written = g.op("ScatterND", [
      held,
      g.op("Concat", [
        g.op("Add", [rowIndex(), g.op("Sub", [inEachRow, inEachRow])]),
        g.op("Add", [inEachRow, noRows()]),
      ], {
        axis: 2,
      }),
      now,
    ]);
    g.output("attention''", written, "float32", shape);
    const sum = (x: Tensor, axis = 1) => g.op("ReduceSum", [x, g.ints(axis)], { keepdims: 0 });
    // A reused slot still has what its former entry was paid: only this pass has seen a fresh entry.
    this.paid = g.op("Where", [isFresh, sum(now), sum(written)]);
    this.#move = (freed) => {
      // Only this pass's queries have seen fresh entries. So all other queries are cleared in two slots: where the newest
      // entry lands, and where the first fresh entry was written, which is the one slot that an entry has left.
      const cellsOfBoth = g.op("Concat", [cells(freed), cells(past)], { axis: 1 });
      const both = g.op("Concat", [queriesAt(isLast), queriesAt(g.op("Equal", [slot, past]))], { axis: 1 });
      g.output("attention'", g.op("ScatterND", [written, cellsOfBoth, both]), "float32", shape);
    };

    /** All queries at one slot of each row, from this pass only, `[rows, window]`. */
    function queriesAt(isSlot: Tensor): Tensor {
      const seen = sum(g.op("Where", [g.op("Unsqueeze", [isSlot, g.ints(1)]), now, g.scalar(0)]), 2); // [rows, queries]
      const isQuery = g.op("Equal", [g.iota(window, [1, 1, window], "int64"), inEachRow]);
      return sum(g.op("Where", [isQuery, g.op("Unsqueeze", [seen, g.ints(2)]), g.scalar(0)]));
    }

    /** int64 `[rows, 1, 1]`: 0, 1 …, and zeros. */
    function rowIndex(): Tensor {
      return g.iota(rows, [rows, 1, 1], "int64");
    }
    function noRows(): Tensor {
      return g.constant("int64", [rows, 1, 1], new BigInt64Array(rows));
    }

    /** Row, ring index and slot of every query at a slot, int64 `[rows, window, 3]`. */
    function cells(freed: Tensor): Tensor {
      const fixed = BigInt64Array.from(
        { length: rows * window * 2 },
        (_, i) => BigInt(i % 2 ? Math.floor(i / 2) % window : Math.floor(i / (2 * window))),
      );
      const zeros = g.constant("int64", [1, window, 1], new BigInt64Array(window));
      const slots = g.op("Add", [g.reshape(g.cast(freed, "float32", "int64"), rows, 1, 1), zeros]);
      return g.op("Concat", [g.constant("int64", [rows, window, 2], fixed), slots], { axis: 2 });
    }
  }

  /** Declares the attention after the newest entry has moved to its slot, float32 `[rows, 1]`. */
  move(freed: Tensor, isFreed: Tensor): void {
    this.#move(freed, isFreed);
  }
}
