import type { KvCache } from "../cache/kv_cache.ts";
import type { Stretch } from "../cache/schedule.ts";
import type { Engine } from "./engine.ts";

/** What a quality pass gives. */
export interface QualityResult {
  /** Negative log-likelihood of each step's next token, nats. */
  readonly nll: readonly number[];
  /** The most likely next token of each step. */
  readonly predictions: readonly number[];
  /** exp(mean NLL). */
  readonly perplexity: number;
  /** Share of steps whose prediction is the next token. */
  readonly accuracy: number;
  /** Entries held at the end, by layer. */
  readonly cacheSizes: readonly number[];
  /** Entries copied by eviction, of one head each. */
  readonly copied: number;
}

/** The passes of a quality pass. */
export function qualityCourse(steps: number): Stretch[] {
  return [{ tokens: 1, times: steps }];
}

/**
 * Measures quality: the text is given one token a step, the policy applied after each, and each step's prediction held
 * against the token that follows.
 *
 * @param tokens At least `steps` + 1 ids.
 * @param between Called after each step with the number of steps so far, the perplexity up to there, and the cache.
 */
export function measureQuality(
  engine: Engine,
  tokens: readonly number[],
  steps: number,
  seed: number,
  between: (steps: number, perplexity: number, cache: KvCache) => void = () => {},
): QualityResult {
  using course = engine.course(qualityCourse(steps), seed);
  const nll: number[] = [];
  const predictions: number[] = [];
  let sum = 0, right = 0;
  for (let i = 0; i < steps; i++) {
    const target = tokens[i + 1]!;
    course.forward([tokens[i]!], target);
    course.evict();
    const step = course.read();
    nll.push(step.nll);
    predictions.push(step.argmax);
    sum += step.nll;
    if (step.argmax === target) right++;
    between(i + 1, Math.exp(sum / (i + 1)), course.cache);
  }
  const cacheSizes = [...course.cache.held];
  return {
    nll,
    predictions,
    perplexity: Math.exp(sum / steps),
    accuracy: right / steps,
    cacheSizes,
    copied: course.cache.copied,
  };
}
