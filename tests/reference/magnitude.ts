/**
 * How far rounding may move a score: what its numbers were added up from, and how much of that a decoder of a type and
 * a shape loses. From the theory of rounding errors, and from nothing in lib.
 */
import type { ModelSpec } from "../../lib/model/spec.ts";
import type { Score } from "../../lib/policies/score.ts";
import type { FloatType } from "../../lib/util/dtype.ts";
import type { Entry } from "./cache.ts";
import { UNIT } from "./rounding.ts";

/**
 * Rounding errors are independent and centred, so n of them add up to about sqrt(n) units, and to less than this many
 * times that with a probability of 99.7 %. Higham and Mary 2019, doi:10.1137/18M1226312, where it is called lambda.
 */
const CONFIDENCE = 3;
/**
 * Results that a layer writes in the type one after the other: norm, product, bias, rotation, scaled query, score,
 * probability, attended, product, sum, norm, product, activation, gate, product, sum.
 */
const WRITTEN = 16;

/** The numbers of a model that say how many roundings a key has passed. */
export type Shape = Pick<ModelSpec, "hidden" | "intermediate" | "headDim" | "heads">;

/**
 * The share of its size that a number may be off, in a layer's attention.
 *
 * @param layer Index of the layer, from 0.
 * @param entries Entries that attention adds up.
 */
export function roundingShare(dtype: FloatType, shape: Shape, layer: number, entries: number): number {
  const { hidden, intermediate, headDim, heads } = shape;
  // Sums of a layer, each of so many terms: two norms, projections, scores, softmax, values, output, the MLP's two.
  const terms = 5 * hidden + headDim + 2 * entries + heads * headDim + intermediate;
  const layers = layer + 1;
  const within = UNIT.float32 * Math.sqrt(terms * layers);
  const written = dtype === "float32" ? 0 : UNIT[dtype] * Math.sqrt(WRITTEN * layers);
  return CONFIDENCE * (within + written);
}

/** What the size of a score is worked out from: a row's middle. */
export interface Sized {
  readonly entries: readonly Entry[];
  readonly paid: (entry: Entry) => number;
  /** See ReferenceCache. */
  readonly sharpest: number;
}

/**
 * The size of each entry's score: of all that was added and subtracted for it. What each of these numbers is off by,
 * as a share, the score is off by at most, as a share of its size.
 */
export function sizesOf(score: Score, middle: Sized): number[] {
  return matrix(score, middle).map(([size]) => size!);
}

function matrix(score: Score, middle: Sized): number[][] {
  const { entries } = middle;
  const total = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const norm = (numbers: readonly number[]) => Math.sqrt(total(numbers.map((x) => x * x)));
  const REDUCE = { sum: total, mean: (x: readonly number[]) => total(x) / x.length, max: most, norm };
  switch (score.op) {
    case "feature":
      return entries.map((entry) => {
        switch (score.name) {
          case "keys":
            return Array.from(entry.key, Math.abs);
          case "values":
            return Array.from(entry.value, Math.abs);
          case "key_norm":
            return [norm(Array.from(entry.key))];
          case "attention": // what moves a score of attention by some amount moves the weight by that share of it
            return [middle.paid(entry) * (1 + middle.sharpest)];
          case "random": // integers: nothing is rounded
            return [0];
        }
      });
    case "constant":
      return entries.map(() => [Math.abs(score.value)]);
    case "neg":
    case "abs":
      return matrix(score.x, middle);
    case "sqrt":
      return map(matrix(score.x, middle), Math.sqrt);
    case "exp": // off by the same share as its argument is by that much
      return map(matrix(score.x, middle), (x) => x * Math.exp(x));
    case "log":
      return map(matrix(score.x, middle), (x) => 1 + Math.abs(Math.log(x)));
    case "add":
    case "sub":
    case "mul":
    case "div": {
      const [a, b] = [matrix(score.a, middle), matrix(score.b, middle)];
      return a.map((row, i) =>
        Array.from({ length: Math.max(row.length, b[i]!.length) }, (_, j) => {
          const x = row[row.length === 1 ? 0 : j]!, y = b[i]![b[i]!.length === 1 ? 0 : j]!;
          return score.op === "mul" ? 2 * x * y : score.op === "div" ? 2 * x / y : x + y;
        })
      );
    }
    case "sum":
    case "mean":
    case "max":
    case "norm": {
      const x = matrix(score.x, middle);
      const reduce = REDUCE[score.op];
      if (score.over === "dim") return x.map((row) => [reduce(row)]);
      const over = (x[0] ?? []).map((_, j) => reduce(x.map((row) => row[j]!)));
      return x.map(() => over);
    }
    case "avg_pool":
    case "max_pool": { // the largest of the neighbours' is at least their average
      const x = matrix(score.x, middle);
      const reach = (score.kernel - 1) / 2;
      return x.map((_, i) => [most(x.slice(Math.max(0, i - reach), i + reach + 1).map(([size]) => size!))]);
    }
  }
}

const most = (numbers: readonly number[]) => Math.max(...numbers);
const map = (x: number[][], f: (x: number) => number) => x.map((row) => row.map(f));
