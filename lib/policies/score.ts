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

/** A score expression: a tree of plain data. Build it with the functions below. */
export type Score =
  | { readonly op: "feature"; readonly name: Feature }
  | { readonly op: "constant"; readonly value: number }
  | { readonly op: "neg" | "abs" | "sqrt" | "exp" | "log"; readonly x: Score }
  | { readonly op: "add" | "sub" | "mul" | "div"; readonly a: Score; readonly b: Score }
  | { readonly op: "sum" | "mean" | "max" | "norm"; readonly over: "dim" | "entries"; readonly x: Score }
  | { readonly op: "avg_pool" | "max_pool"; readonly kernel: number; readonly x: Score };

/** A feature of the cache. */
export const feature = (name: Feature): Score => ({ op: "feature", name });
/** The same number for every entry. */
export const constant = (value: number): Score => ({ op: "constant", value });
/** -x: turns "keep the lowest" into "keep the highest". */
export const neg = (x: Score): Score => ({ op: "neg", x });
/** a + b, by broadcasting. */
export const add = (a: Score, b: Score): Score => ({ op: "add", a, b });
/** a - b, by broadcasting. */
export const sub = (a: Score, b: Score): Score => ({ op: "sub", a, b });
/** a * b, by broadcasting. */
export const mul = (a: Score, b: Score): Score => ({ op: "mul", a, b });
/** a / b, by broadcasting. */
export const div = (a: Score, b: Score): Score => ({ op: "div", a, b });
/** The largest over a row's middle, kept as a dimension of 1. */
export const maxOver = (over: "dim" | "entries", x: Score): Score => ({ op: "max", over, x });
/** The mean over a row's middle or over headDim; over entries it stays as a dimension of 1. */
export const meanOver = (over: "dim" | "entries", x: Score): Score => ({ op: "mean", over, x });
/** The sum over a row's middle or over headDim; over entries it stays as a dimension of 1. */
export const sumOver = (over: "dim" | "entries", x: Score): Score => ({ op: "sum", over, x });
/** L2 norm over headDim (or over a row's middle). */
export const normOver = (over: "dim" | "entries", x: Score): Score => ({ op: "norm", over, x });
/**
 * Average over `kernel` neighbours in text order, stride 1, zero padding counted in the average; where a row's middle
 * has fewer than `kernel` entries, x itself.
 */
export const avgPool = (kernel: number, x: Score): Score => ({ op: "avg_pool", kernel, x });
/** Like {@linkcode avgPool}, with the largest of the neighbours. */
export const maxPool = (kernel: number, x: Score): Score => ({ op: "max_pool", kernel, x });

/** The L2 norm of each key. */
export const keyNorm: Score = feature("key_norm");
/** The attention each entry was paid. */
export const attention: Score = feature("attention");
/** A fresh uniform number per entry. */
export const random: Score = feature("random");

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
