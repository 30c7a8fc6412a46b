import type { Stretch } from "../cache/schedule.ts";
import type { Engine } from "./engine.ts";

/** Lengths of the speed pass. */
export interface SpeedLengths {
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens to generate, the first included. */
  readonly newTokens: number;
}

/** What a speed pass gives. Times in s. */
export interface SpeedResult {
  /** Prefill until the first new token's id is on the host. */
  readonly ttft: number;
  /** Every later step: forward pass, eviction, until the token's id is on the host. */
  readonly stepTimes: readonly number[];
  /** Entries copied by eviction, of one head each. */
  readonly copied: number;
  /** Bytes of the entries held at the end, by theory. */
  readonly heldBytes: number;
  /** Bytes allocated for the cache during decode. */
  readonly allocatedBytes: number;
  /** The ids generated. */
  readonly tokens: readonly number[];
}

/** The passes of a speed pass: what the cache has to have room for. */
export function speedCourse({ promptTokens, newTokens }: SpeedLengths): Stretch[] {
  return [{ tokens: promptTokens, times: 1 }, { tokens: 1, times: newTokens - 1 }];
}

/**
 * Measures generation: one prefill of the prompt, then greedy steps. The end-of-text token does not cut it short, so
 * that all configurations do the same work.
 *
 * The first step's time holds the eviction that follows the prefill: METHODS.md applies a policy after every pass, and
 * TTFT ends when the first id is there.
 *
 * @param stopAfter Tokens after which to stop, in a cache made for all of them: a warm-up.
 * @param between Called after each token, outside of what is timed, with the number of tokens so far.
 */
export function measureSpeed(
  engine: Engine,
  prompt: readonly number[],
  lengths: SpeedLengths,
  seed: number,
  between: (tokens: number) => void = () => {},
  stopAfter: number = lengths.newTokens,
): SpeedResult {
  const { promptTokens } = lengths;
  using course = engine.course(speedCourse(lengths), seed);
  engine.runtime.device.synchronize();
  let start = performance.now();
  course.forward(prompt.slice(0, promptTokens), 0);
  let token = course.read().argmax;
  const ttft = (performance.now() - start) / 1000;
  const tokens = [token];
  const stepTimes: number[] = [];
  for (let i = 0; i < stopAfter - 1; i++) {
    between(tokens.length);
    start = performance.now();
    if (i === 0) course.evict();
    course.forward([token], 0);
    course.evict();
    token = course.read().argmax;
    stepTimes.push((performance.now() - start) / 1000);
    tokens.push(token);
  }
  const { copied, heldBytes, bytes } = course.cache;
  return { ttft, stepTimes, copied, heldBytes, allocatedBytes: bytes, tokens };
}
