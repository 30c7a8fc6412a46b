import type { PassGroup } from "../../cache/schedule.ts";

/** Lengths of the speed pass. */
export interface SpeedLengths {
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens to generate, the first included. */
  readonly newTokens: number;
  /** Tokens of each prompt chunk, with eviction between chunks; the whole prompt at once if left out. */
  readonly chunk?: number | undefined;
}

/**
 * Returns the passes of a speed pass, for which the cache needs room. The prompt's chunks are full ones; the last one
 * has the rest.
 *
 * @example
 * ```ts
 * import { speedPasses } from "./speed_passes.ts";
 *
 * console.log(speedPasses({ promptTokens: 1500, chunk: 512, newTokens: 500 }).map(({ tokens, times }) => [tokens, times]));
 * // [ [ 512, 2 ], [ 476, 1 ], [ 1, 499 ] ]
 * ```
 */
export function speedPasses({ promptTokens, newTokens, chunk = promptTokens }: SpeedLengths): PassGroup[] {
  const size = Math.min(chunk, promptTokens);
  const rest = promptTokens % size;
  return [
    { tokens: size, times: Math.floor(promptTokens / size) },
    ...(rest > 0 ? [{ tokens: rest, times: 1 }] : []),
    { tokens: 1, times: newTokens - 1 },
  ];
}
