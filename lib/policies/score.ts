/**
 * Scores of policies: small expressions over the contents of the cache. A score is plain data, so that it can be sent
 * from a user's script to the process that runs the model, where it becomes graph nodes on the device.
 *
 * An expression sees the *middle* of each row (a row is one KV head of one layer): the entries that are neither sinks
 * nor recent, in text order. Shapes: `[rows, entries]`, or `[rows, entries, headDim]` for keys and values. The entries
 * with the **highest** score are kept; of equal scores, the earlier entry.
 *
 * @module
 */

/** Data of each entry in the cache. */
export type Feature =
  /** The cached keys, `[rows, entries, headDim]`. */
  | "keys"
  /** The cached values, `[rows, entries, headDim]`. */
  | "values"
  /** L2 norm of the key, `[rows, entries]`; rotation does not change it. */
  | "key_norm"
  /** Attention to the entry, by the policy's `attention`, `[rows, entries]`. */
  | "attention"
  /** Uniform in [0, 1), drawn anew at each application, per row and entry, from the run's seed. */
  | "random";

/**
 * A score expression: a tree of plain data. Build it with the functions below.
 *
 * `Reads` lists the features it reads, for the type system only: a policy whose score reads `"attention"` does not
 * compile without saying which attention.
 */
export type Score<Reads extends Feature = Feature> =
  & (
    | { readonly op: "feature"; readonly name: Feature }
    | { readonly op: "constant"; readonly value: number }
    | { readonly op: "neg" | "abs" | "sqrt" | "exp" | "log"; readonly x: Score }
    | { readonly op: "add" | "sub" | "mul" | "div"; readonly a: Score; readonly b: Score }
    | { readonly op: "sum" | "mean" | "max" | "norm"; readonly over: "dim" | "entries"; readonly x: Score }
    | { readonly op: "avg_pool" | "max_pool"; readonly kernel: number; readonly x: Score }
  )
  & {
    /** Never set: exists for the type system only. */
    readonly "~reads"?: Reads;
  };

/** Reads a feature of the cache. */
export function feature<const F extends Feature>(name: F): Score<F> {
  return { op: "feature", name };
}
/** Gives the same number for every entry. */
export function constant(value: number): Score<never> {
  return { op: "constant", value };
}
/** -x: turns "keep the lowest" into "keep the highest". */
export function neg<R extends Feature>(x: Score<R>): Score<R> {
  return { op: "neg", x };
}
/** |x| */
export function abs<R extends Feature>(x: Score<R>): Score<R> {
  return { op: "abs", x };
}
/** The square root of x. */
export function sqrt<R extends Feature>(x: Score<R>): Score<R> {
  return { op: "sqrt", x };
}
/** e to the power of x. */
export function exp<R extends Feature>(x: Score<R>): Score<R> {
  return { op: "exp", x };
}
/** The natural logarithm of x. */
export function log<R extends Feature>(x: Score<R>): Score<R> {
  return { op: "log", x };
}
/** a + b, by broadcasting. */
export function add<A extends Feature, B extends Feature>(a: Score<A>, b: Score<B>): Score<A | B> {
  return { op: "add", a, b };
}
/** a - b, by broadcasting. */
export function sub<A extends Feature, B extends Feature>(a: Score<A>, b: Score<B>): Score<A | B> {
  return { op: "sub", a, b };
}
/** a * b, by broadcasting. */
export function mul<A extends Feature, B extends Feature>(a: Score<A>, b: Score<B>): Score<A | B> {
  return { op: "mul", a, b };
}
/** a / b, by broadcasting. */
export function div<A extends Feature, B extends Feature>(a: Score<A>, b: Score<B>): Score<A | B> {
  return { op: "div", a, b };
}
/** The maximum over a row's middle or over headDim; over entries it stays as a dimension of 1. */
export function maxOver<R extends Feature>(over: "dim" | "entries", x: Score<R>): Score<R> {
  return { op: "max", over, x };
}
/** The mean over a row's middle or over headDim; over entries it stays as a dimension of 1. */
export function meanOver<R extends Feature>(over: "dim" | "entries", x: Score<R>): Score<R> {
  return { op: "mean", over, x };
}
/** The sum over a row's middle or over headDim; over entries it stays as a dimension of 1. */
export function sumOver<R extends Feature>(over: "dim" | "entries", x: Score<R>): Score<R> {
  return { op: "sum", over, x };
}
/** L2 norm over headDim (or over a row's middle). */
export function normOver<R extends Feature>(over: "dim" | "entries", x: Score<R>): Score<R> {
  return { op: "norm", over, x };
}
/**
 * Average over `kernel` neighbours in text order, with stride 1; zero padding counts in the average. If a row's middle
 * has fewer than `kernel` entries, x itself.
 */
export function avgPool<R extends Feature>(kernel: number, x: Score<R>): Score<R> {
  return { op: "avg_pool", kernel, x };
}
/** Like {@linkcode avgPool}, with the maximum of the neighbours. */
export function maxPool<R extends Feature>(kernel: number, x: Score<R>): Score<R> {
  return { op: "max_pool", kernel, x };
}

/** The cached keys, a vector per entry: after rotation, or with `--positions cache` before it. */
export const keys: Score<"keys"> = feature("keys");
/** The cached values, a vector per entry. */
export const values: Score<"values"> = feature("values");
/** The L2 norm of each key. */
export const keyNorm: Score<"key_norm"> = feature("key_norm");
/** Attention to each entry, by the policy's `attention`. */
export const attention: Score<"attention"> = feature("attention");
/** A fresh uniform number per entry. */
export const random: Score<"random"> = feature("random");

/** Returns the features that an expression reads. */
export function featuresOf(score: Score): Set<Feature> {
  switch (score.op) {
    case "feature":
      return new Set([score.name]);
    case "constant":
      return new Set();
    case "add":
    case "sub":
    case "mul":
    case "div":
      return featuresOf(score.a).union(featuresOf(score.b));
    default:
      return featuresOf(score.x);
  }
}
