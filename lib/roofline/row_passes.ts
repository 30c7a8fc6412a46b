/**
 * The passes of a row.
 *
 * @module
 */
import type { PassGroup } from "../cache/schedule.ts";
import type { Lengths, RowRequest } from "./protocol.ts";

/** Passes of a row for which its cache needs room. */
export function rowPasses({ length, fill, rewind }: RowRequest, steps: number): PassGroup[] {
  if (!rewind) return [{ tokens: fill, times: 1 }, { tokens: 1, times: steps }];
  // Steps are given back: at most one is held.
  return fill > 0 ? [{ tokens: fill, times: 1 }, { tokens: 1, times: 1 }] : [{ tokens: 1, times: length + 1 }];
}

/** The highest position that a token of a row gets, plus one. */
export function lastPosition({ length, fill, prefills }: RowRequest, lengths: Lengths): number {
  return Math.max(prefills > 0 ? length : 0, fill + stepsOf(lengths));
}

/** Steps of a row, those before the clock starts included. */
export function stepsOf({ warmup, steps, batches, queued }: Lengths): number {
  return warmup + 1 + steps + batches * queued; // one step is under way when the clock starts
}
