import type { FloatType } from "../../../util/dtype.ts";
import type { Graph, Tensor } from "../../../onnx/graph.ts";
import { type Rope, rotations } from "./rope.ts";
import type { ModelSpec } from "../../spec.ts";

type RotarySpec = ModelSpec & { readonly rope: Rope };

/** Cosines and sines in the graph, `[rows, dim / 2]` each. */
interface Table {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/**
 * Rotates queries and keys by position: a table of cosines and sines, and com.microsoft.RotaryEmbedding. The table is a
 * constant, or is computed in every pass if the frequencies change with the text's length.
 */
export class Rotary {
  readonly #table: Table | undefined;

  /** `maxPositions`: positions the table covers, tokens. */
  constructor(
    readonly g: Graph,
    readonly spec: RotarySpec,
    readonly dtype: FloatType,
    maxPositions: number,
  ) {
    const { growth } = spec.rope;
    if (growth && maxPositions > growth.from) return;
    const { cos, sin } = rotations(spec.rope, maxPositions);
    const shape = [maxPositions, spec.rope.dim / 2];
    this.#table = {
      cos: g.cast(g.constant("float32", shape, cos), "float32", dtype),
      sin: g.cast(g.constant("float32", shape, sin), "float32", dtype),
    };
  }

  /**
   * Rotation of a pass's tokens by position, int64 `[1, tokens]`, consecutive. Frequencies that change are those of a
   * text that ends with the pass, as in transformers: keys of earlier passes keep their rotation.
   */
  byPosition(positions: Tensor): Rotation {
    const { g } = this;
    if (this.#table) return new Rotation(g, this.spec, this.#table, positions);
    const row = g.reshape(positions, -1);
    const first = g.op("Slice", [row, g.ints(0), g.ints(1), g.ints(0)]);
    return new Rotation(g, this.spec, this.#grown(row, row), g.op("Sub", [positions, first]));
  }

  /**
   * Rotation by place in the cache: of the pass's tokens, int64 `[1, tokens]`, and of keys in slots, int64
   * `[1, capacity]` = 0, 1 …. Frequencies that change are those of a text as long as the entries held.
   */
  byPlace(places: Tensor, slots: Tensor): Rotation {
    const table = this.#table ?? this.#grown(this.g.reshape(slots, -1), this.g.reshape(places, -1));
    return new Rotation(this.g, this.spec, table, places);
  }

  /** A table of some positions, int64 `[rows]`, for a text that ends with the last token, int64 `[tokens]`. */
  #grown(rows: Tensor, tokens: Tensor): Table {
    const { g, dtype, spec: { rope: { frequencies, growth, dim } } } = this;
    const { factor, from } = growth!;
    const float = (x: Tensor) => g.cast(x, "int64", "float32");
    const row = (numbers: readonly number[]) => g.constant("float32", [1, numbers.length], Float32Array.from(numbers));
    const last = g.op("Slice", [tokens, g.ints(-1), g.ints(Number.MAX_SAFE_INTEGER), g.ints(0)]);
    const length = g.op("Max", [g.op("Add", [float(last), g.scalar(1)]), g.scalar(from)]);
    const grown = g.op("Sub", [g.op("Mul", [length, g.scalar(factor / from)]), g.scalar(factor - 1)]); // [1]
    const exponents = row(frequencies.map((_, i) => -2 * i / (dim - 2)));
    const slower = g.op("Mul", [row(frequencies), g.op("Pow", [grown, exponents])]); // [1, dim / 2]
    const angles = g.op("Mul", [g.reshape(float(rows), -1, 1), slower]);
    return {
      cos: g.cast(g.op("Cos", [angles]), "float32", dtype),
      sin: g.cast(g.op("Sin", [angles]), "float32", dtype),
    };
  }
}

/** Rotation in one pass. */
export class Rotation {
  constructor(
    readonly g: Graph,
    readonly spec: RotarySpec,
    readonly table: Table,
    /** The tokens' rows in the table, int64 `[1, tokens]`. */
    readonly rows: Tensor,
  ) {}

  /** `[1, tokens, heads * headDim]` of the pass's tokens, in the same shape. */
  tokens(x: Tensor, heads: number): Tensor {
    return this.#rotate(x, this.rows, heads);
  }

  /** A layer's cache, `[1, kvHeads, capacity, headDim]` at places int64 `[kvHeads, capacity]`, in the same shape. */
  cache(keys: Tensor, places: Tensor): Tensor {
    const { kvHeads, headDim } = this.spec;
    // Each head has its own positions: the kernel sees heads as sequences of a batch, with one head each.
    const rotated = this.#rotate(this.g.reshape(keys, kvHeads, -1, headDim), places, 1);
    return this.g.reshape(rotated, 1, kvHeads, -1, headDim);
  }

  #rotate(x: Tensor, rows: Tensor, heads: number): Tensor {
    const { rope, headDim } = this.spec;
    return this.g.op("RotaryEmbedding", [x, rows, this.table.cos, this.table.sin], {
      num_heads: heads,
      // 0 stands for all of them: the kernel rejects the number itself.
      rotary_embedding_dim: rope.dim === headDim ? 0 : rope.dim,
    }, "com.microsoft");
  }
}
