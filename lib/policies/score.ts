/**
 * The score a policy keeps the best of: a small expression over what the cache holds. It is plain data, so that a
 * policy written in a user's script reaches the process that runs the model, where it becomes graph nodes on the device.
 *
 * An expression sees the *middle* of each row (a row is one KV head of one layer): the entries that are neither sinks
 * nor recent, in text order. Shapes: `[rows, entries]`, or `[rows, entries, headDim]` for keys and values. The
 * entries with the **highest** score are kept; among equals, the earlier one.
 *
 * @module
 */

/** What the cache knows of each entry. */
export type Feature =
  /** The cached keys, `[rows, entries, headDim]`. */
  | "keys"
  /** The cached values, `[rows, entries, headDim]`. */
  | "values"
  /** L2 norm of the key, `[rows, entries]`; rotation does not change it. */
  | "key_norm"
  /** Attention paid to the entry, as the policy's `attention` says, `[rows, entries]`. */
  | "attention"
  /** Uniform in [0, 1), drawn anew at each application, per row and entry, from the run's seed. */
  | "random";

/**
 * A score expression: a tree of plain data. Build it with the functions below.
 *
 * `Reads` is what it reads of the cache, known to the type system alone: a policy whose score reads `"attention"` must say
 * which attention, or it does not compile.
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
    /** Never there: only the type system knows it. */
    readonly "~reads"?: Reads;
  };

/** A feature of the cache. */
export function feature<const F extends Feature>(name: F): Score<F> {
  return { op: "feature", name };
}
/** The same number for every entry. */
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
/** The largest over a row's middle, kept as a dimension of 1, or over headDim. */
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
 * Average over `kernel` neighbours in text order, stride 1, zero padding counted in the average; where a row's middle
 * has fewer than `kernel` entries, x itself.
 */
export function avgPool<R extends Feature>(kernel: number, x: Score<R>): Score<R> {
  return { op: "avg_pool", kernel, x };
}
/** Like {@linkcode avgPool}, with the largest of the neighbours. */
export function maxPool<R extends Feature>(kernel: number, x: Score<R>): Score<R> {
  return { op: "max_pool", kernel, x };
}

/** The cached keys, a vector per entry: as rotated, or with `--positions cache` as they were before. */
export const keys: Score<"keys"> = feature("keys");
/** The cached values, a vector per entry. */
export const values: Score<"values"> = feature("values");
/** The L2 norm of each key. */
export const keyNorm: Score<"key_norm"> = feature("key_norm");
/** The attention each entry was paid, as the policy's `attention` says. */
export const attention: Score<"attention"> = feature("attention");
/** A fresh uniform number per entry. */
export const random: Score<"random"> = feature("random");

/** The features an expression reads. */
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
