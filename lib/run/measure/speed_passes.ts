import type { PassGroup } from "../../cache/schedule.ts";

/** Lengths of the speed pass. */
export interface SpeedLengths {
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens to generate, the first included. */
  readonly newTokens: number;
  /** Tokens of the prompt that go in at a time, with eviction between; all of them if left out. */
  readonly chunk?: number | undefined;
}

/**
 * The passes of a speed pass: what the cache has to have room for. The prompt's chunks are full ones, and a last one with
 * what is left.
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
