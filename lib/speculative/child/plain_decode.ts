import type { Engine } from "../../engine/engine.ts";
import type { Sequence } from "../../engine/sequence.ts";
import { distributionOf, draw, type Sampling } from "../decode/distribution.ts";
import { targetPasses } from "../decode/target.ts";
import type { Writing } from "./writing.ts";

/** A text that was written step by step. Times in s. */
export interface PlainDecoded {
  /** All tokens after the prompt. */
  readonly tokens: readonly number[];
  /** Time of each timed token: from one on the host to the next. */
  readonly step_s: readonly number[];
  readonly ttft_s: number;
  /** Bytes of the cache. */
  readonly cache_bytes: number;
}

/**
 * Writes a text step by step. Greedy steps are queued while the one before runs, as in the speed pass of a benchmark.
 *
 * @param engine Holds the full cache.
 * @param writing The text, and the room beyond it: that of the texts that it is compared with.
 * @param sampling How tokens are chosen; undefined for the most likely one.
 * @param random Returns the next number, 0 <= x < 1.
 */
export function plainDecode(
  engine: Engine,
  { prompt, warmup, newTokens, onLogits, room }: Omit<Writing, "seed"> & { readonly room: number },
  sampling: Sampling | undefined,
  random: () => number,
): PlainDecoded {
  const count = warmup + newTokens;
  using sequence = engine.sequence(targetPasses(prompt.length, count, room), 0);
  engine.runtime.device.synchronize();
  const start = performance.now();
  sequence.forward(prompt, 0);
  const tokens = [chosen(sequence, sequence.read().argmax, sampling, random)];
  const ttft_s = (performance.now() - start) / 1000;
  sequence.evict();
  const step_s: number[] = [];
  let before = performance.now();
  const arrived = (token: number) => {
    tokens.push(token);
    const now = performance.now();
    if (tokens.length > warmup + 1) step_s.push((now - before) / 1000);
    onLogits?.(sequence.logits());
    before = performance.now();
  };
  if (sampling || onLogits) {
    for (let i = 0; i < count; i++) {
      sequence.forward([tokens.at(-1)!], 0);
      const { argmax } = sequence.read();
      sequence.evict();
      arrived(chosen(sequence, argmax, sampling, random));
    }
  } else {
    const step = () => {
      sequence.advance(0);
      sequence.evict();
      return sequence.queueRead();
    };
    // On a CPU a step is done when it returns; on a GPU the next one is queued while it runs.
    const isQueued = engine.runtime.device.kind === "cuda";
    let pending = step();
    for (let i = 0; i < count; i++) {
      const now = pending;
      if (isQueued && i + 1 < count) pending = step();
      arrived(now().argmax);
      if (!isQueued && i + 1 < count) pending = step();
    }
  }
  return { tokens, step_s, ttft_s, cache_bytes: sequence.cache.bytes };
}

function chosen(
  sequence: Sequence,
  argmax: number,
  sampling: Sampling | undefined,
  random: () => number,
): number {
  return sampling ? draw(distributionOf(sequence.logits(), sampling), random()) : argmax;
}
