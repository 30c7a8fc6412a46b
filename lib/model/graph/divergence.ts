import { Graph, type Tensor } from "../../onnx/graph.ts";
import { emitFirst, emitMaximum, emitPick, emitSum } from "./head.ts";

/**
 * Writes the comparison of two next-token distributions, given as logits.
 *
 * Inputs: `reference` and `own` float32 `[1, vocab]`; `target` int64 `[1]`. Output: `distance` float32 `[3]`:
 * KL(reference || own), nats; the target's probability by `own` less that by `reference`; 1 if both have the same first
 * largest logit, else 0.
 *
 * Computed in float64: a small KL divergence is what is left of large terms of both signs, and in float32 rounding alone
 * would leave 1e-7. Equal rows give exactly 0, because both go through the same operators.
 *
 * @example
 * ```ts
 * import { buildDivergence } from "./divergence.ts";
 *
 * console.log([...buildDivergence(4096).names.inputs]); // [ "reference", "own", "target" ]
 * ```
 *
 * @param vocab Number of logits.
 * @returns The graph.
 */
export function buildDivergence(vocab: number): Graph {
  const g = new Graph("divergence", 24);
  const reference = emitTerms(g, g.input("reference", "float32", [1, vocab]), vocab);
  const own = emitTerms(g, g.input("own", "float32", [1, vocab]), vocab);
  const target = g.input("target", "int64", [1]);

  const product = g.op("Mul", [reference.terms, g.op("Sub", [reference.below, own.below])]);
  const kl = g.op("Sub", [
    g.op("Div", [emitSum(g, product, vocab), reference.sum]),
    g.op("Sub", [g.op("Log", [reference.sum]), g.op("Log", [own.sum])]),
  ]);
  const probability = ({ terms, sum }: Terms) => g.op("Div", [emitPick(g, terms, target), sum]);
  const change = g.op("Sub", [probability(own), probability(reference)]);
  const same = g.cast(g.op("Equal", [reference.first, own.first]), "bool", "float32");
  const figures = [kl, change].map((x) => g.reshape(g.cast(x, "float64", "float32"), 1));
  g.output("distance", g.op("Concat", [...figures, same], { axis: 0 }), "float32", [3]);
  return g;
}

/** Stands for -infinity: times a probability that is not 0 it is still infinite in float32. */
const LEAST = -1e300;

/** A distribution: a token's probability is its term over the sum of all. */
interface Terms {
  /** Logits less the largest, float64 `[1, vocab]`; finite, so that a token without probability adds 0. */
  readonly below: Tensor;
  /** exp of them. */
  readonly terms: Tensor;
  /** Sum of the terms, float64 `[1, 1]`. */
  readonly sum: Tensor;
  /** First index of the largest, float32 `[1]`. */
  readonly first: Tensor;
}

function emitTerms(g: Graph, logits: Tensor, vocab: number): Terms {
  const best = emitMaximum(g, logits);
  const differences = g.op("Sub", [g.cast(logits, "float32", "float64"), g.cast(best, "float32", "float64")]);
  const terms = g.op("Exp", [differences]);
  const below = g.op("Max", [differences, g.constant("float64", [], Float64Array.of(LEAST))]);
  return { below, terms, sum: emitSum(g, terms, vocab), first: emitFirst(g, logits, best, vocab) };
}
