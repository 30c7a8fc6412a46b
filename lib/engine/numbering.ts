/**
 * How tokens are numbered. "absolute": by their index in the text; "cache": by their place in the cache, kept keys
 * rotated anew (Xiao et al. 2024, arXiv:2309.17453); "seed": by the entries that layer 0 holds, as the Python benchmark
 * did that this project re-creates.
 */
export type Positions = "absolute" | "cache" | "seed";

/** All of them. */
export const POSITIONS = ["absolute", "cache", "seed"] as const satisfies Positions[];

/** What a way of numbering tokens means for each part that has to do with it: worked out here and nowhere else. */
export interface Numbering {
  /** When keys are rotated: as they are written to the cache, or each time they are read. */
  readonly rotate: "write" | "read";
  /** Whether each entry's rank, its place in text order among the entries held, is read in every pass. */
  readonly ranked: boolean;
  /** How a sliding window counts: by the entries' index in the text, or by their rank. */
  readonly windowBy: "index" | "rank";
  /** Whether a new token's position is the number of entries that layer 0 holds before it; its index in the text if not. */
  readonly byHeld: boolean;
  /** What the highest position follows from: the text's length, the most entries of any layer, or those of layer 0. */
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
 * @param isExport Whether an ONNX export is run: its keys are turned before it sees them, so it numbers new tokens after
 * those that layer 0 holds.
 * @returns What it means.
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
