import type { Divergence, DivergenceFigures } from "./spread_types.ts";
import { quantile } from "./stats.ts";

/** The figures of {@linkcode DivergenceFigures} that need no interval. */
export type DivergenceSpread = Omit<DivergenceFigures, "mean_kl" | "same_top">;

/**
 * Computes over the steps of all samples: median, 99th percentile and largest KL divergence, and the root mean square
 * change of the text token's probability.
 *
 * @example
 * ```ts
 * import { divergenceSpread } from "./divergence_figures.ts";
 *
 * const one = { kl: [0, 0.5], token_probability: [0, -0.3], same_top: [1, 0], first: 0, stride: 1 };
 * const two = { kl: [0.1], token_probability: [0.4], same_top: [1], first: 0, stride: 1 };
 * const { median_kl, max_kl, steps } = divergenceSpread([one, two]);
 * console.log(median_kl, max_kl, steps); // 0.1 0.5 3
 * ```
 *
 * @param samples What was measured of each sample, at least one step in all.
 * @returns The figures; KL in nats. NaN if a step's is.
 * @throws {RangeError} If there is no step.
 */
export function divergenceSpread(samples: readonly Divergence[]): DivergenceSpread {
  const kl = samples.flatMap(({ kl }) => kl);
  const changes = samples.flatMap(({ token_probability }) => token_probability);
  if (kl.length === 0) throw new RangeError("Cannot describe a divergence: there are no steps");
  // A sort would hide NaN at its end.
  const of = (share: number) => kl.some(Number.isNaN) ? NaN : quantile(kl, share);
  let squares = 0;
  for (const change of changes) squares += change ** 2;
  return {
    median_kl: of(0.5),
    p99_kl: of(0.99),
    max_kl: kl.reduce((a, b) => Math.max(a, b)),
    rms_token_probability: Math.sqrt(squares / changes.length),
    steps: kl.length,
  };
}
