import type { FloatType } from "../../util/dtype.ts";
import type { Graph, Tensor } from "../../onnx/graph.ts";
import { type Rope, rotations } from "../graph/rope/rope.ts";

/** The parts of a model that turning its keys needs. */
export interface TurnedKeys {
  readonly rope: Rope;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly dtype: FloatType;
  /** Positions that the table of angles covers. */
  readonly positions: number;
}

/**
 * Turns keys that an export has already rotated: back, to lie in the cache as if at position 0, and forward to the
 * position where they are read. Always in float32, so that turning there and back adds no loss.
 */
export class KeyTurner {
  readonly #cos: Tensor;
  readonly #sin: Tensor;
  readonly #back: Tensor;

  constructor(readonly g: Graph, readonly keys: TurnedKeys) {
    // The factor that the export has multiplied them by stays on them.
    const { cos, sin } = rotations({ ...keys.rope, magnitude: 1 }, keys.positions);
    const shape = [keys.positions, keys.rope.dim / 2];
    this.#cos = g.constant("float32", shape, cos);
    this.#sin = g.constant("float32", shape, sin);
    this.#back = g.op("Neg", [this.#sin]);
  }

  /** Keys `[1, kvHeads, entries, headDim]` by int64 `[kvHeads, entries]` positions, forward or back. */
  turn(x: Tensor, positions: Tensor, way: "on" | "back"): Tensor {
    const { g, keys: { kvHeads, headDim, dtype, rope } } = this;
    // Each head has its own positions: the kernel sees heads as sequences of a batch, with one head each.
    const rows = g.op("Reshape", [g.cast(x, dtype, "float32"), g.ints(kvHeads, -1, headDim)]);
    const sin = way === "on" ? this.#sin : this.#back;
    const turned = g.op("RotaryEmbedding", [rows, positions, this.#cos, sin], {
      num_heads: 1,
      rotary_embedding_dim: rope.dim === headDim ? 0 : rope.dim,
    }, "com.microsoft");
    return g.cast(g.reshape(turned, 1, kvHeads, -1, headDim), "float32", dtype);
  }
}
