/** Rounding to a number type, and where a decoder that computes in it rounds. From IEEE 754, and from nothing in lib. */
import type { FloatType } from "../../lib/util/dtype.ts";
import type { Weights } from "./neox.ts";

/** What a decoder rounds, in addition to its weights: in a graph of operators, each operator's result. */
export type Place =
  /** A normalization's weight plus one, where it is stored less one. */
  | "norm weight"
  | "embedding scale"
  | "embedding"
  | "norm"
  /** Queries, keys and values, with their biases. */
  | "product"
  /** Products that something is added to, or an activation applied to. */
  | "inner product"
  | "cosine"
  | "rotated key"
  | "rotated query"
  | "score scale"
  | "scaled query"
  | "score"
  | "probability"
  | "attended"
  | "activation"
  /** The activation of a gate, which is multiplied with another product. */
  | "gate"
  | "residual"
  | "logit";

/** Rounds a number of a place. */
export type Rounding = (place: Place, x: number) => number;

/** The most that rounding to the nearest moves a number, as a share of it: 2^-24, 2^-11, 2^-8. */
export const UNIT: Readonly<Record<FloatType, number>> = { float32: 2 ** -24, float16: 2 ** -11, bfloat16: 2 ** -8 };
/** Exponent of the smallest normal number: below it numbers of a type are equally far apart. */
const LEAST: Readonly<Record<FloatType, number>> = { float32: -126, float16: -14, bfloat16: -126 };

/** Distance between a type's numbers of a size. */
function spacing(dtype: FloatType, x: number): number {
  // Exponents of float64 are exact: log2 is only a first guess of them.
  let exponent = Math.floor(Math.log2(Math.abs(x)));
  if (2 ** exponent > Math.abs(x)) exponent--;
  return 2 ** Math.max(exponent, LEAST[dtype]) * 2 * UNIT[dtype];
}

/** Rounds to the nearest number of a type; ties to even. */
export function nearest(dtype: FloatType, x: number): number {
  if (dtype === "float32") return Math.fround(x);
  if (x === 0 || !Number.isFinite(x)) return x;
  const step = spacing(dtype, x);
  const steps = x / step, down = Math.floor(steps);
  const up = steps - down > 0.5 || steps - down === 0.5 && down % 2 !== 0;
  return (down + (up ? 1 : 0)) * step;
}

/**
 * Rounds to one of a type's two numbers around x, the nearer one more often, so that the mean is x: to the nearest after
 * a nudge of up to half of their distance.
 *
 * @param uniform Numbers in [0, 1).
 */
export function nudged(dtype: FloatType, x: number, uniform: () => number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const step = spacing(dtype, x);
  return Math.floor(x / step + uniform()) * step;
}

/** Moves a number by up to half of the distance between a type's numbers of its size: as far as rounding to the nearest does. */
export function shaken(dtype: FloatType, x: number, uniform: () => number): number {
  return x === 0 || !Number.isFinite(x) ? x : x + (uniform() - 0.5) * spacing(dtype, x);
}

/** What the project's kernels keep in float32, where ONNX Runtime's operators write it to memory in the type. */
const IN_REGISTERS: ReadonlySet<Place> = new Set([
  "norm weight",
  "inner product",
  "cosine",
  "rotated query",
  "score scale",
  "scaled query",
  "score",
  "probability",
  "gate",
  "logit",
]);

/** Whose kernels are emulated. */
export type Kernels = "ort" | "own";

/**
 * Where kernels round.
 *
 * @param round Rounds one number: {@linkcode nearest} or {@linkcode nudged}.
 */
export function roundingOf(kernels: Kernels, round: (x: number) => number): Rounding {
  return kernels === "ort" ? (_, x) => round(x) : (place, x) => IN_REGISTERS.has(place) ? x : round(x);
}

/** Weights in a type: rounded to the nearest, as when they are loaded. */
export function weightsIn(dtype: FloatType, weights: Weights): Weights {
  const known = new Map<string, Float64Array>();
  return (name) => {
    const rounded = known.get(name) ?? weights(name).map((x) => nearest(dtype, x));
    known.set(name, rounded);
    return rounded;
  };
}
