import type { Graph, Tensor } from "../../onnx/graph.ts";
import type { LayerOps, Residual } from "./layer_ops.ts";
import type { ModelSpec } from "../spec.ts";

/**
 * Writes the final norm, the output matrix and what is computed from the logits: see {@linkcode buildDecoder}. Returns
 * the index of the largest logit as a float32 `[1]`: a finite number that depends on the whole model.
 */
export function emitHead(g: Graph, parts: LayerOps, spec: ModelSpec, x: Residual, allLogits: boolean): Tensor {
  const { dtype } = parts.options;
  const { projected, hidden, vocab } = spec;
  const head = (rows: Tensor) => {
    const read = projected ? parts.linear(rows, projected.out, [projected.width, hidden]) : rows;
    return g.cast(parts.linear(read, spec.head, [vocab, projected?.width ?? hidden]), dtype, "float32");
  };
  const normed = spec.finalNorm ? parts.normed(x, spec.finalNorm).normed : parts.sum(x);
  // The output matrix is large: only the last token's row goes through it.
  const last = g.op("Slice", [normed, g.ints(-1), g.ints(Number.MAX_SAFE_INTEGER), g.ints(0)]);
  const logits = head(last); // [1, vocab]
  if (allLogits) g.output("logits", head(normed), "float32", ["tokens", spec.vocab]);
  return emitPrediction(g, logits, spec.vocab);
}

/**
 * Writes what is computed from a token's logits, float32 `[1, vocab]`: the input `target` and the outputs `nll` and
 * `argmax` of {@linkcode buildDecoder}. Returns the index of the largest as a float32 `[1]`.
 */
export function emitPrediction(g: Graph, logits: Tensor, vocab: number): Tensor {
  const target = g.input("target", "int64", [1]);
  const logProbabilities = g.op("LogSoftmax", [logits], { axis: -1 });
  const nll = g.op("Neg", [g.op("GatherElements", [logProbabilities, g.reshape(target, 1, 1)], { axis: 1 })]);
  g.output("nll", g.reshape(nll, 1), "float32", [1]);

  // ArgMax would run one CUDA thread per row: find the maximum, then the first index that has it. Indices are float32,
  // exact to 2^24. If logits are not numbers, no index has the maximum, and the last id is taken: a larger number would
  // not be a token.
  const best = g.op("ReduceMax", [logits, g.ints(-1)], { keepdims: 1 });
  const places = g.op("Where", [
    g.op("Equal", [logits, best]),
    g.iota(vocab, [1, vocab]),
    g.scalar(vocab - 1),
  ]);
  const first = g.op("ReduceMin", [places, g.ints(-1)], { keepdims: 0 });
  g.output("argmax", g.cast(first, "float32", "int64"), "int64", [1]);
  return first;
}
