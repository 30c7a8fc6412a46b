import type { Graph, Tensor } from "../../onnx/graph.ts";
import type { DecoderOptions } from "./decoder_options.ts";
import type { LayerOps, Residual } from "./layer_ops.ts";
import type { ModelSpec } from "../spec.ts";

/**
 * Writes the final norm, the output matrix and what is computed from the logits: see {@linkcode buildDecoder}. Returns
 * the index of the largest logit as a float32 `[1]`: a finite number that depends on the whole model.
 */
export function emitHead(
  g: Graph,
  parts: LayerOps,
  spec: ModelSpec,
  x: Residual,
  { logits: output, rows }: Pick<DecoderOptions, "logits" | "rows">,
): Tensor {
  const { dtype } = parts.options;
  const { projected, hidden, vocab } = spec;
  const head = (rows: Tensor) => {
    const read = projected ? parts.linear(rows, projected.out, [projected.width, hidden]) : rows;
    return g.cast(parts.linear(read, spec.head, [vocab, projected?.width ?? hidden]), dtype, "float32");
  };
  const normed = spec.finalNorm ? parts.normed(x, spec.finalNorm).normed : parts.sum(x);
  if (rows !== undefined) return emitRowPredictions(g, head(normed), vocab, rows, output === true);
  // The output matrix is large: only the last token's row goes through it.
  const last = g.op("Slice", [normed, g.ints(-1), g.ints(Number.MAX_SAFE_INTEGER), g.ints(0)]);
  const logits = head(last); // [1, vocab]
  if (output === true) g.output("logits", head(normed), "float32", ["tokens", vocab]);
  if (output === "last") g.output("logits", logits, "float32", [1, vocab]);
  return emitPrediction(g, logits, vocab);
}

/**
 * Writes what is computed from a token's logits, float32 `[1, vocab]`: the input `target` and the outputs `nll` and
 * `argmax` of {@linkcode buildDecoder}. Returns the index of the largest as a float32 `[1]`.
 */
export function emitPrediction(g: Graph, logits: Tensor, vocab: number): Tensor {
  const target = g.input("target", "int64", [1]);
  const best = emitMaximum(g, logits);
  // LogSoftmax sums in float32: terms that are small next to the sum so far are rounded away, the more so the larger the
  // vocabulary. The terms stay float32; only their sum and its logarithm are float64.
  const terms = g.cast(g.op("Exp", [g.op("Sub", [logits, best])]), "float32", "float64");
  const sum = g.op("Log", [emitSum(g, terms, vocab)]);
  // Taken first: log(sum) added to a large logit would be rounded to that logit's precision.
  const below = g.op("Sub", [best, emitPick(g, logits, target)]);
  const nll = g.cast(g.op("Add", [sum, g.cast(below, "float32", "float64")]), "float64", "float32");
  g.output("nll", g.reshape(nll, 1), "float32", [1]);

  const first = emitFirst(g, logits, best, vocab);
  g.output("argmax", g.cast(first, "float32", "int64"), "int64", [1]);
  return first;
}

/** Writes the results of a pass that verifies drafts: the token predicted after each of its tokens. */
function emitRowPredictions(g: Graph, logits: Tensor, vocab: number, rows: number, output: boolean): Tensor {
  if (output) g.output("logits", logits, "float32", [rows, vocab]);
  const first = emitFirst(g, logits, emitMaximum(g, logits), vocab); // [rows]
  g.output("predicted", g.cast(first, "float32", "int64"), "int64", [rows]);
  return emitPrediction(g, g.op("Slice", [logits, g.ints(-1), g.ints(Number.MAX_SAFE_INTEGER), g.ints(0)]), vocab);
}

/** Returns the largest logit of each row, `[rows, 1]`. */
export function emitMaximum(g: Graph, logits: Tensor): Tensor {
  return g.op("ReduceMax", [logits, g.ints(-1)], { keepdims: 1 });
}

/** Values that are summed at once: few enough for one block of threads. */
const TILE = 256;

/**
 * Returns the sum of a float64 row `[1, vocab]`, as `[1, 1]`: tile by tile, then over the tiles. Of a long row, CUDA's
 * ReduceSum adds the sums of several blocks in the order in which they end, which differs from run to run.
 */
export function emitSum(g: Graph, row: Tensor, vocab: number): Tensor {
  const tiles = Math.ceil(vocab / TILE);
  const rest = tiles * TILE - vocab;
  const whole = rest === 0 ? row : g.op("Concat", [row, g.constant("float64", [1, rest], new Float64Array(rest))], {
    axis: 1,
  });
  const sums = g.op("ReduceSum", [g.reshape(whole, tiles, TILE), g.ints(-1)], { keepdims: 0 });
  return g.op("ReduceSum", [g.reshape(sums, 1, tiles), g.ints(-1)], { keepdims: 1 });
}

/** Returns a token's value in a row `[1, vocab]`, as `[1, 1]`. */
export function emitPick(g: Graph, row: Tensor, token: Tensor): Tensor {
  return g.op("GatherElements", [row, g.reshape(token, 1, 1)], { axis: 1 });
}

/**
 * Returns the first index of each float32 row `[rows, vocab]` that has its maximum, as a float32 `[rows]`.
 *
 * ArgMax would run one CUDA thread per row. Indices are float32, exact to 2^24. If logits are not numbers, no index has
 * the maximum, and the last id is taken: a larger number would not be a token.
 */
export function emitFirst(g: Graph, logits: Tensor, best: Tensor, vocab: number): Tensor {
  const places = g.op("Where", [
    g.op("Equal", [logits, best]),
    g.iota(vocab, [1, vocab]),
    g.scalar(vocab - 1),
  ]);
  return g.op("ReduceMin", [places, g.ints(-1)], { keepdims: 0 });
}
