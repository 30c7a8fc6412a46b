import type { Graph, Tensor } from "../onnx/graph.ts";
import type { AttentionUse } from "../policies/policy.ts";
import type { DropTensors } from "./drop_graph.ts";
import { attentionShape } from "./features.ts";

/**
 * The attention kept of entries, in the step case. Bound as `attention` and `attention'` to one memory:
 *
 * - from all queries: float32 `[rows, width]`, each entry's sum so far;
 * - from the last `window` queries: float32 `[rows, window, width]`, what each of them paid. Query t has line t mod window:
 *   a ring, of which a step writes one line. `lines` int64 `[lines]` are those of the pass's queries, as far as it has so
 *   many. The write goes out as `attention''`, to the same memory.
 */
export class AttentionInDrop {
  /** Attention each slot's entry was paid up to now, this pass included, `[rows, width]`. */
  readonly paid: Tensor;
  readonly #move: (place: Tensor, isPlace: Tensor) => void;

  constructor(readonly g: Graph, use: AttentionUse, shared: DropTensors, observed: readonly Tensor[]) {
    const { rows, slot, past, isLast } = shared;
    const now = g.op("Concat", [...observed], { axis: 0 }); // [rows, width] or [rows, lines, width]
    const shape = attentionShape(use, rows, "width");
    const held = g.input("attention", "float32", shape);
    const isFresh = g.op("GreaterOrEqual", [slot, past]); // filled in this pass: nothing from before is theirs
    const atLast = (x: Tensor) =>
      g.op("ReduceSum", [g.op("Where", [isLast, x, g.scalar(0)]), g.ints(1)], { keepdims: 1 }); // [rows, 1]
    if (use.from === "all") {
      const paid = this.paid = g.op("Add", [g.op("Where", [isFresh, g.scalar(0), held]), now]);
      this.#move = (_, isPlace) =>
        g.output("attention'", g.op("Where", [isPlace, atLast(paid), paid]), "float32", shape);
      return;
    }
    const { window } = use;
    const lines = g.input("lines", "int64", ["lines"]);
    const ofRow = g.reshape(lines, 1, -1, 1);
    const written = g.op("ScatterND", [
      held,
      g.op("Concat", [g.op("Add", [rowIndex(), g.op("Sub", [ofRow, ofRow])]), g.op("Add", [ofRow, noRows()])], {
        axis: 2,
      }),
      now,
    ]);
    g.output("attention''", written, "float32", shape);
    const sum = (x: Tensor) => g.op("ReduceSum", [x, g.ints(1)], { keepdims: 0 });
    // A slot that is used again still has its former entry's lines: a fresh entry was seen by this pass alone.
    this.paid = g.op("Where", [isFresh, sum(now), sum(written)]);
    this.#move = (place) => {
      // Of the newest entry only the newest query knows; the lines of the others are cleared where it lands.
      const newest = g.op("Slice", [now, g.ints(-1), g.ints(Number.MAX_SAFE_INTEGER), g.ints(1)]);
      const weight = atLast(g.reshape(newest, rows, -1));
      const newestLine = g.op("Slice", [lines, g.ints(-1), g.ints(Number.MAX_SAFE_INTEGER), g.ints(0)]);
      const isNewestLine = g.op("Equal", [g.iota(window, [1, window], "int64"), newestLine]);
      const column = g.op("Where", [isNewestLine, weight, g.scalar(0)]); // [rows, window]
      g.output("attention'", g.op("ScatterND", [written, cells(place), column]), "float32", shape);
    };

    /** int64 `[rows, 1, 1]`: 0, 1 …, and zeros. */
    function rowIndex(): Tensor {
      return g.iota(rows, [rows, 1, 1], "int64");
    }
    function noRows(): Tensor {
      return g.constant("int64", [rows, 1, 1], new BigInt64Array(rows));
    }

    /** Row, line and slot of every line at a slot, int64 `[rows, window, 3]`. */
    function cells(place: Tensor): Tensor {
      const fixed = BigInt64Array.from(
        { length: rows * window * 2 },
        (_, i) => BigInt(i % 2 ? Math.floor(i / 2) % window : Math.floor(i / (2 * window))),
      );
      const zeros = g.constant("int64", [1, window, 1], new BigInt64Array(window));
      const slots = g.op("Add", [g.reshape(g.cast(place, "float32", "int64"), rows, 1, 1), zeros]);
      return g.op("Concat", [g.constant("int64", [rows, window, 2], fixed), slots], { axis: 2 });
    }
  }

  /** Declares what is kept once the newest entry has its place, float32 `[rows, 1]`. */
  move(place: Tensor, isPlace: Tensor): void {
    this.#move(place, isPlace);
  }
}
