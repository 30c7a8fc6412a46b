import { type Feature, featuresOf, type Score } from "../policies/score.ts";
import { ABSOLUTE, DIRECTION, MAX_INSTRUCTIONS, OF_VALUES } from "./constants.ts";

/** `Op` of cuda/drop_program.cuh, in its order. */
const OPS = [
  ...["key_norm", "attention", "random", "constant"],
  ...["over_dim", "dot_mean"],
  ...["neg", "abs", "sqrt", "exp", "log", "sum", "mean", "max", "norm"],
  ...["avg_pool", "max_pool", "add", "sub", "mul", "div"],
];

/** What over_dim computes, by the two bits above ABSOLUTE. */
const OVER_DIM: readonly string[] = ["sum", "mean", "max", "norm"];

/** A score as the eviction kernel takes it: a program for a machine with a stack of arrays, one number per entry. */
export interface DropProgram {
  readonly instructions: readonly { readonly op: number; readonly number: number }[];
  /** Most arrays that its stack and its instructions need. */
  readonly depth: number;
  /** Means over the middle, of vectors or directions, that it computes products with. */
  readonly means: number;
  /** Features it reads. */
  readonly reads: ReadonlySet<Feature>;
}

/**
 * Compiles a score. Returns undefined if it is too long for a program, or if no instruction does what it does with keys
 * or values. There are instructions for their sums, means, largest elements and norms, with or without signs, and for
 * their product with the mean of all vectors or of all directions.
 *
 * @example
 * ```ts
 * import { keyNorm, neg } from "../policies/score.ts";
 * import { compileScore } from "./drop_program.ts";
 *
 * console.log(compileScore(neg(keyNorm))?.instructions.length); // 2
 * ```
 *
 * @param score The score; undefined if the middle is one entry only.
 */
export function compileScore(score: Score | undefined): DropProgram | undefined {
  const instructions: { op: number; number: number }[] = [];
  let depth = 0, means = 0;
  const add = (name: string, number = 0) => void instructions.push({ op: OPS.indexOf(name), number });
  /** Emits instructions that leave the result on top of `below` arrays. Returns false if no program can compute it. */
  const emit = (s: Score, below: number): boolean => {
    depth = Math.max(depth, below + 1);
    switch (s.op) {
      case "feature":
        if (s.name === "keys" || s.name === "values") return false;
        add(s.name);
        return true;
      case "constant":
        add("constant", s.value);
        return true;
      case "add":
      case "sub":
      case "mul":
      case "div":
        if (!emit(s.a, below) || !emit(s.b, below + 1)) return false;
        add(s.op);
        return true;
      case "avg_pool":
      case "max_pool":
        depth = Math.max(depth, below + 2); // it writes to a second array
        if (!emit(s.x, below)) return false;
        add(s.op, s.kernel);
        return true;
      case "sum":
      case "mean":
      case "max":
      case "norm": {
        if (s.over === "entries") {
          if (!emit(s.x, below)) return false;
          add(s.op);
          return true;
        }
        const vector = vectorOf(s.x);
        if (vector !== undefined) {
          add("over_dim", vector | OVER_DIM.indexOf(s.op) << 2);
          return true;
        }
        const product = s.op === "sum" ? productWithMean(s.x) : undefined;
        if (product === undefined) return false;
        means++;
        add("dot_mean", product);
        return true;
      }
      default:
        if (!emit(s.x, below)) return false;
        add(s.op);
        return true;
    }
  };
  if (score && !emit(score, 0)) return undefined;
  if (instructions.length > MAX_INSTRUCTIONS) return undefined;
  return { instructions, depth, means, reads: score ? featuresOf(score) : new Set() };
}

/** Returns the bits of keys or values, with or without signs. */
function vectorOf(s: Score): number | undefined {
  if (s.op === "abs") {
    const bits = vectorOf(s.x);
    return bits === undefined ? undefined : bits | ABSOLUTE;
  }
  if (s.op !== "feature" || (s.name !== "keys" && s.name !== "values")) return undefined;
  return s.name === "values" ? OF_VALUES : 0;
}

/** Returns the bits of "x times the mean of all x", where x is keys or values, or their directions. */
function productWithMean(s: Score): number | undefined {
  if (s.op !== "mul") return undefined;
  const [x, mean] = s.b.op === "mean" ? [s.a, s.b] : [s.b, s.a];
  if (mean.op !== "mean" || mean.over !== "entries" || !same(mean.x, x)) return undefined;
  if (x.op === "feature") return vectorOf(x);
  if (x.op !== "div" || x.a.op !== "feature" || x.b.op !== "norm" || x.b.over !== "dim" || !same(x.b.x, x.a)) return;
  const bits = vectorOf(x.a);
  return bits === undefined ? undefined : bits | DIRECTION;
}

/** Whether two expressions are the same. */
function same(a: Score, b: Score): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
