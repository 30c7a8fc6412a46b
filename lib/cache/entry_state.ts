import type { AttentionUse } from "../policies/policy.ts";
import { featuresOf, type Score } from "../policies/score.ts";

/**
 * State kept per entry in addition to its key and value: a score reads it in later passes, or a trace reports it. It
 * moves with the entry.
 */
export interface EntryState {
  /** The key's norm. */
  readonly norms: boolean;
  /** Attention: summed over all queries, or of each of the last `window` queries. */
  readonly attention: AttentionUse | undefined;
  /** Index in the text. */
  readonly textPositions: boolean;
}

/** Returns the state that a score needs and, for a trace or a sliding window, each entry's index in the text. */
export function entryStateOf(
  score: Score | undefined,
  attention: AttentionUse | undefined,
  textPositions: boolean,
): EntryState {
  const features = score ? featuresOf(score) : new Set();
  return {
    norms: features.has("key_norm"),
    attention: features.has("attention") ? attention : undefined,
    textPositions,
  };
}

/** Shape of the attention kept for a number of rows: `[rows, width]`, or `[rows, window, width]`. */
export function attentionShape<R extends number | string, W extends number | string>(
  use: AttentionUse,
  rows: R,
  width: W,
): (R | W | number)[] {
  return use.from === "all" ? [rows, width] : [rows, use.window, width];
}
