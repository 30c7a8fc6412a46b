import type { KvCache } from "../../cache/kv_cache.ts";
import type { PassGroup } from "../../cache/schedule.ts";
import type { Engine } from "../../engine/engine.ts";
import type { PassResult } from "../../engine/pass.ts";
import type { LogitsWatch } from "./logits_watch.ts";

/** Results of a quality pass. */
export interface QualityResult {
  /** Negative log-likelihood of each step's next token, nats. */
  readonly nll: readonly number[];
  /** The most likely next token of each step. */
  readonly predictions: readonly number[];
  /** exp(mean NLL). */
  readonly perplexity: number;
  /** Share of steps whose prediction is the next token; NaN if a step's logits are not numbers. */
  readonly accuracy: number;
  /** Entries held at the end, by layer. */
  readonly cacheSizes: readonly number[];
  /** Entries copied by eviction; an entry is one head's key and value. */
  readonly copied: number;
}

/** The passes of a quality pass. */
export function qualityPasses(steps: number): PassGroup[] {
  return [{ tokens: 1, times: steps }];
}

/**
 * Measures quality: feeds the text one token per step, applies the policy after each, and compares each step's
 * prediction with the token that follows.
 *
 * @param tokens At least `steps` + 1 ids.
 * @param between Called after each step with the number of steps so far, the perplexity so far, and the cache.
 * @param ahead Whether to queue each step before the one before it is read; the cache passed to `between` is then ahead
 * too.
 * @param watch Told of each step's logits; the engine must return them ({@linkcode EngineOptions.logits}).
 */
export function measureQuality(
  engine: Engine,
  tokens: readonly number[],
  steps: number,
  seed: number,
  between: (steps: number, perplexity: number, cache: KvCache) => void = () => {},
  ahead = true,
  watch?: LogitsWatch,
): QualityResult {
  using sequence = engine.sequence(qualityPasses(steps), seed);
  const nll: number[] = [];
  const predictions: number[] = [];
  let sum = 0, right = 0;
  const take = ({ nll: loss, argmax }: PassResult) => {
    nll.push(loss);
    predictions.push(argmax);
    sum += loss;
    if (argmax === tokens[nll.length]) right++;
    between(nll.length, Math.exp(sum / nll.length), sequence.cache);
  };
  let pending: (() => PassResult) | undefined;
  for (let i = 0; i < steps; i++) {
    sequence.forward([tokens[i]!], tokens[i + 1]!);
    watch?.take(i, sequence, tokens[i + 1]!);
    sequence.evict();
    const queued = sequence.queueRead();
    if (pending) take(pending());
    if (ahead) pending = queued;
    else take(queued());
  }
  if (pending) take(pending());
  const cacheSizes = [...sequence.cache.held];
  return {
    nll,
    predictions,
    perplexity: Math.exp(sum / steps),
    // If logits are not numbers, no token is the most likely, and the argmax may be right by chance.
    accuracy: nll.some(Number.isNaN) ? NaN : right / steps,
    cacheSizes,
    copied: sequence.cache.copied,
  };
}
