import { mean } from "../../report/results/stats.ts";
import type { DraftFigures, RoundLists, SpeculativeRun } from "../../report/results/speculative_types.ts";

/** Runs of a draft, all of one length. */
export type DraftRun = Pick<SpeculativeRun, "tokens" | "sample"> & { readonly rounds: RoundLists };

/**
 * Returns what a draft is worth.
 *
 * @example
 * ```ts
 * import { draftFigures } from "./draft_figures.ts";
 *
 * const rounds = { asked: [2, 2], drafted: [2, 2], accepted: [2, 0], draft_s: [1, 1], verify_s: [2, 2], total_s: [4, 4] };
 * const figures = draftFigures([{ sample: 0, tokens: [7], rounds }], 2, () => [7]);
 * console.log(figures.tokens_per_verification, figures.acceptance_by_position); // 2 [ 0.5, 1 ]
 * ```
 *
 * @param runs At least one.
 * @param plain Time of a token of plain decoding, s.
 * @param truth Returns the text of plain decoding, by sample; undefined if texts are not compared.
 */
export function draftFigures(
  runs: readonly DraftRun[],
  plain: number,
  truth: ((sample: number) => readonly number[] | undefined) | undefined,
): DraftFigures {
  const all = (name: keyof RoundLists) => runs.flatMap(({ rounds }) => rounds[name]);
  const [drafted, accepted, draft, verify, total] = [
    all("drafted"),
    all("accepted"),
    sum(all("draft_s")),
    sum(all("verify_s")),
    sum(all("total_s")),
  ];
  const perRound = 1 + mean(accepted);
  return {
    tokens_per_verification: perRound,
    acceptance: sum(drafted) === 0 ? 0 : sum(accepted) / sum(drafted),
    acceptance_by_position: byPosition(drafted, accepted),
    draft_share: draft / total,
    verify_share: verify / total,
    host_share: 1 - (draft + verify) / total,
    predicted_speedup: plain * perRound * accepted.length / (draft + verify),
    equals_plain: truth ? runs.every((run) => isSame(run.tokens, truth(run.sample))) : null,
  };
}

function byPosition(drafted: readonly number[], accepted: readonly number[]): number[] {
  return Array.from({ length: Math.max(0, ...drafted) }, (_, position) => {
    const reached = drafted.flatMap((count, i) => count > position && accepted[i]! >= position ? [accepted[i]!] : []);
    return reached.length === 0 ? 0 : reached.filter((kept) => kept > position).length / reached.length;
  });
}

/** Whether a text is that of plain decoding as far as both go. */
function isSame(own: readonly number[], other: readonly number[] | undefined): boolean {
  if (!other) return false;
  const length = Math.min(own.length, other.length);
  return own.slice(0, length).every((token, i) => token === other[i]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
