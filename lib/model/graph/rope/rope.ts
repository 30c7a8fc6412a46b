/** Rotary position embedding. Su et al. 2021, arXiv:2104.09864; halves rotated against each other, as GPT-NeoX does. */
export interface Rope {
  /** Dimensions of a head that are rotated: the first ones; even. */
  readonly dim: number;
  /** Angle per position of each rotated pair, `[dim / 2]`, rad. */
  readonly frequencies: readonly number[];
  /** Factor of cosines and sines; 1 if omitted. */
  readonly magnitude?: number;
  /** How frequencies change with the text's length, if they do: see {@linkcode Growth}. */
  readonly growth?: Growth;
}

/**
 * A base that grows with the text: with n tokens, n > `from`, pair i turns by frequency i times
 * (factor n / from - (factor - 1))^(-2i / (dim - 2)) per position.
 */
export interface Growth {
  /** How strongly the base grows. */
  readonly factor: number;
  /** Tokens up to which the frequencies do not change. */
  readonly from: number;
}

/**
 * Returns cosines and sines of every angle. Angles are float32 products, as in the reference implementation, so that
 * the numbers agree at large positions too.
 *
 * @example
 * ```ts
 * import { rotations } from "./rope.ts";
 *
 * const { cos } = rotations({ dim: 4, frequencies: [1, 0.01] }, 2);
 * console.log(cos.length, cos[2]); // 4, cos(1)
 * ```
 *
 * @param rope The settings.
 * @param positions Number of positions, from 0 on.
 * @returns Both `[positions, dim / 2]`.
 */
export function rotations(
  rope: Rope,
  positions: number,
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer> } {
  const half = rope.frequencies.length;
  const { magnitude = 1 } = rope;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let p = 0, at = 0; p < positions; p++) {
    for (let i = 0; i < half; i++, at++) {
      const angle = Math.fround(p * rope.frequencies[i]!);
      cos[at] = magnitude * Math.cos(angle);
      sin[at] = magnitude * Math.sin(angle);
    }
  }
  return { cos, sin };
}
