/**
 * How tokens are numbered. "absolute": by their index in the text. "cache": by their place in the cache; kept keys are
 * rotated anew (Xiao et al. 2024, arXiv:2309.17453). "seed": by the number of entries in layer 0, as the Python
 * benchmark did that this project re-creates.
 */
export type Positions = "absolute" | "cache" | "seed";

/** All ways of numbering tokens. */
export const POSITIONS = ["absolute", "cache", "seed"] as const satisfies Positions[];

/** What a way of numbering tokens means for each part concerned: worked out here and nowhere else. */
export interface Numbering {
  /** When keys are rotated: when they are written to the cache, or each time they are read. */
  readonly rotate: "write" | "read";
  /** Whether every pass reads each entry's rank, its place in text order among the entries held. */
  readonly ranked: boolean;
  /** How a sliding window counts: by the entries' index in the text, or by their rank. */
  readonly windowBy: "index" | "rank";
  /** Whether a new token's position is the number of entries in layer 0 before it, instead of its index in the text. */
  readonly byHeld: boolean;
  /** What limits the highest position: the text's length, the most entries of any layer, or the most of layer 0. */
  readonly limitedBy: "text" | "layers" | "layer 0";
}

/**
 * Works out what a way of numbering means.
 *
 * @example
 * ```ts
 * import { numberingOf } from "./numbering.ts";
 *
 * console.log(numberingOf("cache", false).rotate, numberingOf("seed", false).byHeld); // read true
 * ```
 *
 * @param positions The way of numbering, as `--positions` names it.
 * @param isExport Whether an ONNX export runs: its keys are rotated before it sees them, so it numbers new tokens by
 * the entries in layer 0.
 * @returns What the numbering means.
 */
export function numberingOf(positions: Positions, isExport: boolean): Numbering {
  switch (positions) {
    case "absolute":
      return { rotate: "write", ranked: false, windowBy: "index", byHeld: false, limitedBy: "text" };
    case "cache":
      return { rotate: "read", ranked: true, windowBy: "rank", byHeld: isExport, limitedBy: "layers" };
    case "seed":
      return { rotate: "write", ranked: false, windowBy: "rank", byHeld: true, limitedBy: "layer 0" };
  }
}
