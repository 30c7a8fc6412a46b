import type { FloatType } from "../../util/dtype.ts";
import type { Graph, Tensor } from "../../onnx/graph.ts";

/** What a step is built for. */
export interface StepOptions {
  readonly dtype: FloatType;
  /** Positions the rotary table covers, tokens. */
  readonly maxPositions: number;
  /** When keys are rotated: see DecoderOptions. */
  readonly rotate: "write" | "read";
  /** Layer → its length group. */
  readonly groups: readonly number[];
  /** Layers whose attention is kept for eviction, in order. */
  readonly observed: readonly number[];
  /** Also output the logits, float32 `[1, vocab]`. */
  readonly logits: boolean;
  /** Writes what follows the step into the same graph; `after` exists only after the step is done. */
  readonly then?: (g: Graph, after: Tensor) => void;
}
