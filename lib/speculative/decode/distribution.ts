/** How tokens are chosen from logits. */
export interface Sampling {
  /** Divides logits; 0 for the most likely token. */
  readonly temperature: number;
  /** Share of the probability whose most likely tokens are kept, over 0 up to 1. Holtzman et al. 2020, arXiv:1904.09751. */
  readonly topP: number;
}

/**
 * Returns the probabilities that tokens are sampled with.
 *
 * @example
 * ```ts
 * import { distributionOf } from "./distribution.ts";
 *
 * const [likely, rest] = distributionOf(Float32Array.of(Math.log(3), 0), { temperature: 1, topP: 1 });
 * console.log(likely!.toFixed(2), rest!.toFixed(2)); // 0.75 0.25
 * console.log(distributionOf(Float32Array.of(Math.log(3), 0), { temperature: 1, topP: 0.7 })); // [ 1, 0 ]
 * ```
 *
 * @param logits One token's, `[vocab]`.
 * @param sampling A temperature over 0, and the share to keep.
 * @param count Tokens that have a probability: the first ones; all if omitted.
 * @returns Probabilities, `[count]`; they add up to 1 as far as float64 goes.
 */
export function distributionOf(
  logits: Float32Array,
  { temperature, topP }: Sampling,
  count: number = logits.length,
): Float64Array {
  const most = logits.subarray(0, count).reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = Float64Array.from(logits.subarray(0, count), (logit) => Math.exp((logit - most) / temperature));
  return normalized(topP < 1 ? nucleus(weights, topP) : weights);
}

/** Keeps the most likely tokens that together have the share; of equal ones the first. */
function nucleus(weights: Float64Array, share: number): Float64Array {
  const order = Uint32Array.from(weights, (_, i) => i).sort((a, b) => weights[b]! - weights[a]! || a - b);
  const enough = share * sum(weights);
  const kept = new Float64Array(weights.length);
  let held = 0;
  for (const i of order) {
    kept[i] = weights[i]!;
    held += weights[i]!;
    if (held >= enough) break;
  }
  return kept;
}

/**
 * Divides weights by their sum.
 *
 * @example
 * ```ts
 * import { normalized } from "./distribution.ts";
 *
 * console.log(normalized(Float64Array.of(1, 3))); // Float64Array(2) [ 0.25, 0.75 ]
 * ```
 *
 * @param weights At least one over 0, none below.
 */
export function normalized(weights: Float64Array): Float64Array {
  const all = sum(weights);
  return weights.map((weight) => weight / all);
}

function sum(numbers: Float64Array): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

/**
 * Returns a token drawn from probabilities.
 *
 * @example
 * ```ts
 * import { draw } from "./distribution.ts";
 *
 * console.log(draw(Float64Array.of(0.5, 0, 0.5), 0.6)); // 2
 * ```
 *
 * @param probabilities They add up to about 1.
 * @param random A number from 0 to below 1.
 * @returns A token whose probability is over 0.
 */
export function draw(probabilities: Float64Array, random: number): number {
  let left = random;
  let last = 0;
  for (let token = 0; token < probabilities.length; token++) {
    const probability = probabilities[token]!;
    if (probability === 0) continue;
    last = token;
    left -= probability;
    if (left < 0) return token;
  }
  return last; // they add up to a little less than 1
}
