import { seededRandom } from "../../util/random.ts";
import { mean, quantile } from "../results/stats.ts";
import type { Interval } from "../results/spread_types.ts";
import { blockLength } from "./block_length.ts";

/** Resamplings: the ends of an interval then vary by about 3 % of its width with the seed. */
const RESAMPLINGS = 1000;
const CONFIDENCE = 0.95;

/**
 * Interval of the mean of series whose neighbours depend on each other, such as the losses of tokens along a text: the
 * circular block bootstrap (Politis and Romano 1992). Whole blocks are drawn, so that what neighbours share stays
 * together; their length follows from the data ({@linkcode blockLength}).
 *
 * It tells how far the mean would move on other stretches of the same texts. It says nothing about other texts.
 *
 * @example
 * ```ts
 * import { blockBootstrap } from "./block_bootstrap.ts";
 *
 * const { estimate, low, high } = blockBootstrap([[1, 2, 3, 4, 5, 6, 7, 8]]);
 * console.log(estimate, low <= 4.5 && 4.5 <= high); // 4.5 true
 * ```
 *
 * @param series One series for each text; blocks do not reach from one into another.
 * @param seed Seed of the drawing: equal series have equal intervals.
 * @returns The mean over all values, and the percentiles of the resampled means; NaN if a value is not finite or there
 * are none.
 */
export function blockBootstrap(series: readonly (readonly number[])[], seed = 0): Interval {
  const values = series.flat();
  if (values.length === 0 || !values.every(Number.isFinite)) {
    return { estimate: NaN, low: NaN, high: NaN, confidence: 0 };
  }
  const estimate = mean(values);
  const random = seededRandom(seed);
  const length = Math.max(...series.map((values) => blockLength(values)));
  const drawn = series.filter((values) => values.length > 0).map((values) => new Blocks(values, length));
  const means = Array.from(
    { length: RESAMPLINGS },
    () => drawn.reduce((sum, blocks) => sum + blocks.draw(random), 0) / values.length,
  );
  return {
    estimate,
    low: quantile(means, (1 - CONFIDENCE) / 2),
    high: quantile(means, (1 + CONFIDENCE) / 2),
    confidence: CONFIDENCE,
  };
}

/** Blocks of a series, its end joined to its beginning. */
class Blocks {
  /** Sum of the first i values, of the series twice over. */
  readonly #sums: Float64Array;
  readonly #length: number;

  constructor(readonly values: readonly number[], length: number) {
    const n = values.length;
    this.#length = Math.min(length, n);
    this.#sums = new Float64Array(2 * n + 1);
    for (let i = 0; i < 2 * n; i++) this.#sums[i + 1] = this.#sums[i]! + values[i % n]!;
  }

  /** Returns the sum of as many values as the series has, drawn in blocks. */
  draw(random: () => number): number {
    const n = this.values.length;
    let sum = 0;
    for (let left = n; left > 0;) {
      const size = Math.min(this.#length, left);
      const start = Math.floor(random() * n);
      sum += this.#sums[start + size]! - this.#sums[start]!;
      left -= size;
    }
    return sum;
  }
}
