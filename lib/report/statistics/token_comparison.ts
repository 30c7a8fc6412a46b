import type { SpeedRun, TokenComparison } from "../results/spread_types.ts";

/** Fields of a speed pass that are compared. */
export type TokenRun = Pick<SpeedRun, "method" | "round" | "sample" | "tokens">;

/**
 * Finds the first greedily generated token of each sample that differs from the baseline's. Each is taken from the
 * sample's first round that has one: rounds repeat the same work.
 *
 * @param runs All speed passes of a run.
 * @param name The configuration.
 * @param baseline What it is compared with.
 * @returns By sample, in order; undefined if tokens were not recorded of a sample.
 *
 * @example
 * ```ts
 * import { compareTokens } from "./token_comparison.ts";
 *
 * const run = (method: string, tokens: number[]) => ({ method, round: 0, sample: 0, tokens });
 * console.log(compareTokens([run("a", [5, 6, 7]), run("b", [5, 6, 9])], "b", "a"));
 * // { first_difference: [ 2 ], tokens: 3 }
 * ```
 */
export function compareTokens(
  runs: readonly TokenRun[],
  name: string,
  baseline: string,
): TokenComparison | undefined {
  const [own, others] = [tokensOf(runs, name), tokensOf(runs, baseline)];
  const samples = [...own.keys()].sort((a, b) => a - b);
  const first_difference: (number | null)[] = [];
  let count = 0;
  for (const sample of samples) {
    const [mine, other] = [own.get(sample), others.get(sample)];
    if (mine === undefined || other === undefined) return undefined;
    const at = mine.findIndex((id, i) => id !== other[i]);
    first_difference.push(at < 0 ? null : at);
    count = mine.length;
  }
  return samples.length === 0 ? undefined : { first_difference, tokens: count };
}

/** Sample → the tokens of its first round. */
function tokensOf(runs: readonly TokenRun[], name: string): Map<number, readonly number[] | undefined> {
  const found = new Map<number, readonly number[] | undefined>();
  for (const { method, sample, tokens } of runs.toSorted((a, b) => a.round - b.round)) {
    if (method === name && found.get(sample) === undefined) found.set(sample, tokens);
  }
  return found;
}
