import type { RawResult } from "../../report/results/types.ts";
import type { CellRun } from "./cells.ts";
import { differencesOf } from "./same_inputs.ts";
import { type Effect, pairedEffect } from "./statistics/effect.ts";

/** How quality changed from one side to the other. */
export interface QualityEffect {
  /** Change of the mean NLL: ln(PPL of B / PPL of A). */
  perplexity: Effect;
  /** Change of the mean KL divergence from the full cache, nats; undefined if a side has none. */
  kl: Effect | undefined;
  /** Whether each step's likelihood is equal to the last bit. */
  isBitEqual: boolean;
  /** Whether it has to be: build, model, text, hardware and all settings are the same. */
  mustBeBitEqual: boolean;
}

/** A sample of both sides. */
interface SamplePair {
  readonly a: RawResult;
  readonly b: RawResult;
}

/**
 * Estimates how a cell's quality changed, token by token on the same texts. Of several runs of a side the newest is
 * taken: those of one build repeat each other.
 *
 * @example
 * ```ts
 * import { qualityEffect } from "./quality_effect.ts";
 * import type { CellPair } from "./cells.ts";
 *
 * const worse = ({ a, b }: CellPair) => qualityEffect(a.runs.at(-1)!, b.runs.at(-1)!, { margin: 0.0005 });
 * ```
 *
 * @param a One side's run of the cell.
 * @param b The other's.
 * @param terms The smallest change that matters, nats.
 * @returns The effects; undefined if the two have no sample of the same tokens.
 */
export function qualityEffect(
  a: CellRun,
  b: CellRun,
  { margin }: { readonly margin: number },
): QualityEffect | undefined {
  const pairs = samplePairs(a, b);
  if (pairs.length === 0) return undefined;
  const texts = Math.min(a.results.config.texts ?? 1, b.results.config.texts ?? 1);
  const of = (differences: number[][]) => pairedEffect(differences, { margin, texts });
  const hasKl = pairs.every(({ a, b }) =>
    a.divergence !== undefined && b.divergence !== undefined && a.divergence.kl.length > 0 &&
    a.divergence.kl.length === b.divergence.kl.length && a.divergence.stride === b.divergence.stride
  );
  return {
    perplexity: of(pairs.map(({ a, b }) => differences(a.nll, b.nll))),
    kl: hasKl ? of(pairs.map(({ a, b }) => differences(a.divergence!.kl, b.divergence!.kl))) : undefined,
    isBitEqual: pairs.every(({ a, b }) => a.nll.every((value, i) => Object.is(value, b.nll[i]))),
    mustBeBitEqual: differencesOf(a, b).quality.length === 0,
  };
}

/**
 * Returns the samples of the same tokens: by their hashes, or in earlier results by the text's hash.
 *
 * @example
 * ```ts
 * import { samplePairs } from "./quality_effect.ts";
 * import type { CellPair } from "./cells.ts";
 *
 * const samples = ({ a, b }: CellPair) => samplePairs(a.runs.at(-1)!, b.runs.at(-1)!).length;
 * ```
 *
 * @param a One side's run of the cell.
 * @param b The other's.
 */
export function samplePairs(a: CellRun, b: CellRun): SamplePair[] {
  const samples = ({ results, record }: CellRun) =>
    results.raw_results.filter(({ method, nll }) => method === record.name && nll.length > 0);
  const [ea, eb] = [a.results.environment, b.results.environment];
  const isSame = (sample: number) =>
    ea.samples_sha256 !== undefined && eb.samples_sha256 !== undefined
      ? ea.samples_sha256[sample] === eb.samples_sha256[sample]
      : ea.text_sha256 === eb.text_sha256;
  const others = samples(b);
  return samples(a).flatMap((own) => {
    const other = others.find(({ sample, nll }) => sample === own.sample && nll.length === own.nll.length);
    return other !== undefined && isSame(own.sample) ? [{ a: own, b: other }] : [];
  });
}

function differences(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => b[i]! - value);
}
