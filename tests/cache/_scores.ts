/** Random score expressions. */
import fc from "fast-check";
import * as s from "../../lib/policies/score.ts";
import type { Score } from "../../lib/policies/score.ts";

/** Numbers in scores: integers, and attention in multiples of 1/64, so that ties are common. */
export const LARGEST_KEY = 3;
export const MOST_TOKENS = 80;
export const ATTENTION_UNIT = 1 / 64;
/** Most attention that one query pays to one entry. */
export const MOST_ATTENTION = 8 * ATTENTION_UNIT;

/** An expression, and what is known of its values: multiples of `unit` up to `most`; a unit of 0 says nothing. */
interface Known {
  readonly score: Score;
  readonly most: number;
  readonly unit: number;
  /** A vector for each entry. */
  readonly deep: boolean;
  /** The same number for all entries. */
  readonly same: boolean;
}

/** What random expressions may consist of. */
export interface ScoreOptions {
  readonly attention: boolean;
  /**
   * Whether to use only operations that are exact in float32, in any order: then choices must be equal. Otherwise all
   * operations are used.
   */
  readonly exact: boolean;
  /** Expressions of one number per entry, used as leaves in place of keys and values. */
  readonly leaves?: readonly Score[];
}

/** Expressions of one number per entry. */
export function scores({ attention, exact, leaves: given }: ScoreOptions): fc.Arbitrary<Score> {
  const known = (score: Score, most: number, unit: number, deep = false, same = false): Known => ({
    score,
    most,
    unit,
    deep,
    same,
  });
  const leaves = fc.constantFrom(
    ...(given?.map((score) => known(score, MOST_TOKENS, 0)) ??
      [known(s.keys, LARGEST_KEY, 1, true), known(s.values, MOST_TOKENS, 1, true)]),
    known(s.keyNorm, 2 * LARGEST_KEY, 0),
    known(s.random, 1, 0),
    known(s.constant(2), 2, 1, false, true),
    known(s.constant(-0.5), 0.5, 0.5, false, true),
    ...(attention
      ? new Array(3).fill(known(s.attention, MOST_TOKENS * MOST_ATTENTION, ATTENTION_UNIT)) as Known[]
      : []),
  );

  /** Combines two expressions: exact if every result is a multiple of a unit that float32 can represent. */
  function combine(op: "add" | "sub" | "mul" | "div", a: Known, b: Known): Known {
    // The divisor is not zero.
    const by = op === "div" ? s.add(s.abs(b.score), s.constant(1)) : b.score;
    const most = op === "mul" ? a.most * b.most : op === "div" ? a.most : a.most + b.most;
    const unit = op === "mul" ? a.unit * b.unit : op === "div" ? 0 : Math.min(a.unit, b.unit);
    const known = unit > 0 && most / unit < 2 ** 24;
    return { score: s[op](a.score, by), most, unit: known ? unit : 0, deep: a.deep || b.deep, same: a.same && b.same };
  }

  function reduce(op: "sum" | "mean" | "max" | "norm", over: "dim" | "entries", x: Known): Known {
    // An expression without this dimension stays unchanged.
    if (over === "dim" ? !x.deep : x.same) return x;
    const count = over === "dim" ? 4 : MOST_TOKENS;
    const shape = { deep: over === "entries" && x.deep, same: over === "entries" || x.same };
    const power = op === "norm" ? 2 : 1;
    const summable = x.unit > 0 && (x.most / x.unit) ** power * count < 2 ** 24;
    if (op === "max" || exact && !summable) return { ...x, ...shape, score: s.maxOver(over, x.score) };
    const score = { sum: s.sumOver, mean: s.meanOver, norm: s.normOver }[op](over, x.score);
    return { score, most: x.most * count, unit: op === "sum" ? x.unit : 0, ...shape };
  }

  function pool(op: "avg" | "max", kernel: number, x: Known): Known {
    if (x.deep || x.same) return x;
    return op === "max"
      ? { ...x, score: s.maxPool(kernel, x.score) }
      : { ...x, score: s.avgPool(kernel, x.score), unit: 0 };
  }

  /** Functions of one number, with arguments in a range in which they are defined and moderate. */
  const smooth = {
    sqrt: (x: Score) => s.sqrt(s.abs(x)),
    log: (x: Score) => s.log(s.add(s.abs(x), s.constant(1))),
    exp: (x: Score) => s.exp(s.div(x, s.add(s.abs(x), s.constant(1)))),
  };
  const { any } = fc.letrec<{ any: Known }>((tie) => ({
    any: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaves,
      fc.tuple(fc.constantFrom(s.neg, s.abs), tie("any")).map(([op, x]) => ({ ...x, score: op(x.score) })),
      fc.tuple(fc.constantFrom(...exact ? ["sqrt"] as const : ["sqrt", "log", "exp"] as const), tie("any"))
        .map(([op, x]) => ({ ...x, unit: 0, score: smooth[op](x.score), most: Math.max(3, x.most) })),
      fc.tuple(fc.constantFrom("add", "sub", "mul", "div"), tie("any"), tie("any"))
        .map(([op, a, b]) => combine(op, a, b)),
      fc.tuple(fc.constantFrom("sum", "mean", "max", "norm"), fc.constantFrom("dim", "entries"), tie("any"))
        .map(([op, over, x]) => reduce(op, over, x)),
      fc.tuple(fc.constantFrom("avg", "max"), fc.constantFrom(1, 3, 5, 7), tie("any"))
        .map(([op, kernel, x]) => pool(op, kernel, x)),
    ),
  }));
  const ofEntries = any.map((x) => reduce("max", "dim", x)).filter(({ same }) => !same).map(({ score }) => score);
  const always = attention ? s.attention : s.keyNorm;
  if (!exact) return ofEntries;
  return fc.oneof(
    { arbitrary: ofEntries, weight: 4 },
    fc.constant<Score>(always),
    // Equal for all entries: infinite, or too small for float32.
    fc.constantFrom(0, 3e38, -3e38, 1e-44).map((by) => s.mul(s.mul(always, s.constant(by)), s.constant(8))),
  );
}
