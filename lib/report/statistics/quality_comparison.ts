import type { QualityComparison } from "../results/spread_types.ts";
import type { RawResult } from "../results/types.ts";
import { blockBootstrap } from "./block_bootstrap.ts";

/** Fields of a sample that are compared. */
export type ComparedSample = Pick<RawResult, "sample" | "nll" | "right">;

/**
 * Compares a configuration's losses and predictions with the baseline's, token by token on the same texts.
 *
 * @example
 * ```ts
 * import { compareQuality } from "./quality_comparison.ts";
 *
 * const baseline = [{ sample: 0, nll: [1, 2, 3], right: [1, 0, 1] }];
 * const own = [{ sample: 0, nll: [1, 2.3, 3.3], right: [1, 0, 0] }];
 * console.log(compareQuality(own, baseline, { texts: 1, evictedFrom: 1 }).ln_ppl_ratio.estimate.toFixed(3)); // "0.200"
 * ```
 *
 * @param own The configuration's samples.
 * @param baseline The baseline's.
 * @param terms Texts that the samples are from; first step after which every configuration has evicted, or null.
 * @returns Differences with intervals by {@linkcode blockBootstrap}.
 */
export function compareQuality(
  own: readonly ComparedSample[],
  baseline: readonly ComparedSample[],
  { texts, evictedFrom }: { readonly texts: number; readonly evictedFrom: number | null },
): QualityComparison {
  const pairs = own.flatMap((sample) => {
    const other = baseline.find((other) => other.sample === sample.sample);
    return other ? [{ own: sample, other }] : [];
  });
  const losses = pairs.map(({ own, other }) => differences(own.nll, other.nll));
  return {
    ln_ppl_ratio: blockBootstrap(losses),
    ln_ppl_ratio_evicted: evictedFrom === null ? null : blockBootstrap(losses.map((loss) => loss.slice(evictedFrom))),
    accuracy: blockBootstrap(pairs.map(({ own, other }) => differences(rightOf(own), rightOf(other)))),
    texts,
  };
}

/** If logits are not numbers, the most likely token may be right by chance: it says nothing. */
function rightOf({ right = [], nll }: ComparedSample): number[] {
  return right.map((value, step) => Number.isNaN(nll[step]) ? NaN : value);
}

function differences(own: readonly number[], other: readonly number[]): number[] {
  return Array.from({ length: Math.min(own.length, other.length) }, (_, i) => own[i]! - other[i]!);
}
