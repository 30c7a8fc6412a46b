import type { ConfigReader } from "./config_reader.ts";

/** Rotary position embedding. Su et al. 2021, arXiv:2104.09864; halves rotated against each other, as GPT-NeoX does. */
export interface Rope {
  /** Dimensions of a head that are rotated: the first ones; even. */
  readonly dim: number;
  /** Angle per position of each rotated pair, `[dim / 2]`, rad. */
  readonly frequencies: readonly number[];
}

const SUPPORTED = ["default", "linear"];

/**
 * Reads the rotary settings of a config.json, as transformers 5 writes them (`rope_parameters`) and as 4 does
 * (`rope_theta` or `rotary_emb_base`, `rope_scaling`, `rotary_pct` or `partial_rotary_factor`).
 *
 * @throws {InputError} For a scaling type that is not supported: a wrong number would be worse.
 */
export function readRope(config: ConfigReader, headDim: number, defaults: { theta: number; fraction: number }): Rope {
  const parameters = config.object("rope_parameters");
  const scaling = parameters ?? config.object("rope_scaling");
  const old = (name: string, fallback: number) => config.has(name) ? config.number(name) : fallback;
  const theta = parameters?.has("rope_theta")
    ? parameters.number("rope_theta")
    : old("rope_theta", old("rotary_emb_base", defaults.theta));
  const fraction = parameters?.has("partial_rotary_factor")
    ? parameters.number("partial_rotary_factor")
    : old("partial_rotary_factor", old("rotary_pct", defaults.fraction));
  const dim = Math.trunc(headDim * fraction);
  if (!(theta > 0)) (parameters ?? config).fail("rope_theta", "a positive number");
  if (dim < 2 || dim > headDim || dim % 2) {
    config.fail("partial_rotary_factor", `a share of the head size ${headDim} that gives an even number of dimensions`);
  }
  const type = scaling?.string("rope_type", scaling.string("type", "default")) ?? "default";
  if (!SUPPORTED.includes(type)) scaling!.fail("rope_type", `one of ${SUPPORTED.join(", ")}`);
  const factor = type === "linear" ? scaling!.number("factor") : 1;
  return { dim, frequencies: inverseFrequencies(dim, theta).map((f) => Math.fround(f / factor)) };
}

/** theta^(-2i / dim), rounded to float32 where the reference implementation does. */
function inverseFrequencies(dim: number, theta: number): number[] {
  return Array.from({ length: dim / 2 }, (_, i) => {
    const exponent = Math.fround((2 * i) / dim);
    return Math.fround(1 / Math.fround(Math.pow(theta, exponent)));
  });
}

/**
 * Cosines and sines for positions 0 … positions - 1, each `[positions, dim / 2]`. Angles are float32 products, as the
 * reference implementation's are, so that the numbers agree at large positions too.
 */
export function rotations(rope: Rope, positions: number): { cos: Float32Array; sin: Float32Array } {
  const half = rope.frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let p = 0, at = 0; p < positions; p++) {
    for (let i = 0; i < half; i++, at++) {
      const angle = Math.fround(p * rope.frequencies[i]!);
      cos[at] = Math.cos(angle);
      sin[at] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
