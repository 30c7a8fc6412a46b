import type { PhaseMemory } from "../../report/results/memory_types.ts";
import type { Engine } from "../../engine/engine.ts";
import type { MemoryMeter } from "./memory_meter.ts";
import type { PassResult } from "../../engine/pass.ts";
import { type SpeedLengths, speedPasses } from "./speed_passes.ts";

/** Results of a speed pass. Times in s. */
export interface SpeedResult {
  /** Time from prefill until the first new token's id is on the host. */
  readonly ttft: number;
  /** Time of every later step: from one token's id on the host to the next one's. */
  readonly stepTimes: readonly number[];
  /** Entries copied by eviction; an entry is one head's key and value. */
  readonly copied: number;
  /** Bytes of the entries held at the end, the theoretical figure. */
  readonly heldBytes: number;
  /** Bytes allocated for the cache during decode. */
  readonly allocatedBytes: number;
  /** Ids of the generated tokens. */
  readonly tokens: readonly number[];
  /** Memory by phase, if a meter was given. */
  readonly memory?: { readonly prefill: PhaseMemory; readonly decode: PhaseMemory };
}

/** What happens in a speed pass outside of the timed part. */
export interface SpeedWatch {
  /** Told when phases begin and end. */
  readonly meter?: MemoryMeter;
  /** Called after each token with the number of tokens so far. */
  readonly between?: (tokens: number) => void;
  /** Number of tokens after which to stop, in a cache made for all of them: a warm-up. */
  readonly stopAfter?: number;
}

/**
 * Measures generation: the prompt, whole or chunk by chunk, then greedy steps. The end-of-text token does not stop it,
 * so that all configurations do the same work.
 *
 * The policy is applied after every pass. TTFT ends when the first id is on the host: it includes all chunks of the
 * prompt and the evictions between them. The first step's time includes the eviction after the last chunk.
 *
 * @param watch What happens outside of the timed part.
 */
export function measureSpeed(
  engine: Engine,
  prompt: readonly number[],
  lengths: SpeedLengths,
  seed: number,
  watch: SpeedWatch = {},
): SpeedResult {
  const { meter, between, stopAfter = lengths.newTokens } = watch;
  const { promptTokens, chunk = promptTokens } = lengths;
  const chunks = Array.from(
    { length: Math.ceil(promptTokens / chunk) },
    (_, i) => prompt.slice(i * chunk, Math.min((i + 1) * chunk, promptTokens)),
  );
  meter?.begin();
  using sequence = engine.sequence(speedPasses(lengths), seed);
  engine.runtime.device.synchronize();
  let start = performance.now();
  for (let i = 0; i < chunks.length; i++) {
    if (i > 0) sequence.evict();
    sequence.forward(chunks[i]!, 0);
  }
  const first = sequence.read().argmax;
  const ttft = (performance.now() - start) / 1000;
  const tokens = [first];
  const prefill = meter?.end("prefill", sequence.cache);
  meter?.begin(sequence.cache);
  const step = () => {
    sequence.advance(0);
    sequence.evict();
    return sequence.queueRead();
  };
  const stepTimes: number[] = [];
  const arrived = ({ argmax }: PassResult) => {
    const end = performance.now();
    stepTimes.push((end - start) / 1000);
    start = end;
    tokens.push(argmax);
  };
  if (engine.runtime.device.kind === "cpu") {
    // A step is done when it returns.
    for (let i = 0; i < stopAfter - 1; i++) {
      between?.(tokens.length);
      start = performance.now();
      if (i === 0) sequence.evict();
      arrived(step()());
    }
  } else if (stopAfter > 1) {
    // A step is queued while the one before it runs: its token is on the device. So a step's time is from one token on
    // the host to the next. What the host does in between adds nothing unless it takes longer than the device.
    start = performance.now();
    sequence.evict();
    let pending = step();
    for (let i = 0; i < stopAfter - 1; i++) {
      const now = pending;
      if (i + 1 < stopAfter - 1) pending = step();
      between?.(tokens.length);
      arrived(now());
    }
  }
  const decode = meter?.end("decode", sequence.cache);
  const { copied, heldBytes, bytes } = sequence.cache;
  return {
    ttft,
    stepTimes,
    copied,
    heldBytes,
    allocatedBytes: bytes,
    tokens,
    ...(prefill && decode ? { memory: { prefill, decode } } : {}),
  };
}
