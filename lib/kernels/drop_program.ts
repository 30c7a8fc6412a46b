import { type Feature, featuresOf, type Score } from "../policies/score.ts";

/** Instructions that a program may have: INSTRUCTIONS of step.cu. */
export const INSTRUCTIONS = 32;

/** `Op` of step.cu, in its order. */
const OPS = [
  ...["key_norm", "attention", "random", "given", "constant"],
  ...["neg", "abs", "sqrt", "exp", "log", "sum", "mean", "max", "norm"],
  ...["avg_pool", "max_pool", "add", "sub", "mul", "div"],
];

/** A score as the eviction kernel takes it: a program for a machine with a stack of arrays, one number an entry. */
export interface DropProgram {
  readonly instructions: readonly { readonly op: number; readonly number: number }[];
  /** Arrays that its stack and its instructions need at most. */
  readonly depth: number;
  /** Features it reads. */
  readonly reads: ReadonlySet<Feature>;
}

/**
 * Compiles a score; undefined where it reads keys or values, or is too long for a program.
 *
 * @example
 * ```ts
 * import { keyNorm, neg } from "../policies/score.ts";
 * import { compileScore } from "./drop_program.ts";
 *
 * console.log(compileScore(neg(keyNorm))?.instructions.length); // 2
 * ```
 *
 * @param score The score, or none where the middle is one entry only.
 */
export function compileScore(score: Score | undefined): DropProgram | undefined {
  const instructions: { op: number; number: number }[] = [];
  let depth = 0;
  const add = (name: string, number = 0) => void instructions.push({ op: OPS.indexOf(name), number });
  /** Emits what leaves its result on top of `below` arrays; false for what no program can say. */
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
        depth = Math.max(depth, below + 2); // it takes a second array to write to
        if (!emit(s.x, below)) return false;
        add(s.op, s.kernel);
        return true;
      case "sum":
      case "mean":
      case "max":
      case "norm":
        if (s.over === "dim" || !emit(s.x, below)) return false;
        add(s.op);
        return true;
      default:
        if (!emit(s.x, below)) return false;
        add(s.op);
        return true;
    }
  };
  if (score && !emit(score, 0)) return undefined;
  if (instructions.length > INSTRUCTIONS) return undefined;
  return { instructions, depth, reads: score ? featuresOf(score) : new Set() };
}
