/** Faults in verdicts: statistics, what is compared with what, the history. */
import { type Mutant, of, type Tests } from "./mutant.ts";

const STATISTICS: Tests = ["tests/study/statistics.test.ts"];
const COMPARE: Tests = ["tests/study/compare.test.ts"];
const NIGHTS: Tests = ["tests/study/compare_nights.test.ts"];
const HISTORY: Tests = ["tests/study/history.test.ts"];

/** All of them. */
export const STUDY_MUTANTS: readonly Mutant[] = [
  ...of("lib/study/compare/statistics/mann_whitney.ts", STATISTICS)(
    ["the observed order counts as no chance", "if (at >= sum) above += count;", "if (at > sum) above += count;"],
    ["an interval of a shift is one difference short", "low: differences[skipped]!", "low: differences[skipped + 1]!"],
  ),
  ...of("lib/study/compare/statistics/ranks.ts", STATISTICS)([
    "equal values get the rank of the first",
    "first.get(value)! + last.get(value)!",
    "first.get(value)! + first.get(value)!",
  ]),
  ...of("lib/study/compare/statistics/signed_rank_tail.ts", STATISTICS)([
    "Wilcoxon's ranks count negative differences",
    "others[i]! > 0 ? sum + rank",
    "others[i]! < 0 ? sum + rank",
  ]),
  ...of("lib/study/compare/statistics/holm.ts", STATISTICS)(
    ["Holm's adjustment is Bonferroni's of the last", "probabilities.length - place", "1"],
    ["adjusted probabilities fall", "least = Math.max(least, ", "least = Math.max(0, "],
  ),
  ...of("lib/study/compare/statistics/effect.ts", STATISTICS)(
    ["both directions count once", "Math.min(1, 2 * Math.min(upper, lower))", "Math.min(1, Math.min(upper, lower))"],
    ["what all values share widens nothing", "const variance = seen + between;", "const variance = seen;"],
    ["a change of any size is one that matters", "tail(estimate - margin)", "tail(estimate)"],
  ),
  ...of("lib/study/compare/statistics/moderated_variance.ts", STATISTICS)([
    "what rows share is counted for each",
    "(1 + (n - 1) * shared)",
    "(1 + 0 * shared)",
  ]),
  ...of("lib/study/compare/time_effect.ts", COMPARE)(
    [
      "ratios are of other rounds",
      "own.get(round)! - other.get(round)!",
      "own.get(round)! - other.get(rounds[0]!)!",
    ],
    ["runs share no state of the machine", "isRatio || isByRun ? 0 :", "isRatio || isByRun || true ? 0 :"],
  ),
  ...of("lib/study/compare/cells.ts", COMPARE)(
    ["copies of a baseline count", "return [...seen.values()];", "return [...runs];"],
    ["the oldest build counts", "timestamp ? -1 : 1", "timestamp ? 1 : -1"],
  ),
  ...of("lib/study/compare/quality_effect.ts", COMPARE)(
    ["samples of other tokens are compared", "other !== undefined && isSame(own.sample)", "other !== undefined"],
    ["likelihoods are equal to nine digits", "Object.is(value, b.nll[i])", "Math.abs(value - b.nll[i]!) < 1e-9"],
  ),
  ...of("lib/study/compare/verdict.ts", COMPARE)([
    "what is not shown is the same",
    '-margin <= low && high <= margin ? "same" : "unknown"',
    '"same"',
  ]),
  ...of("lib/study/compare/compare_nights.ts", NIGHTS)(
    ["a night is known without an error of its own", "Math.sqrt(1 + 1 / n)", "Math.sqrt(1 / n)"],
    ["one slow round is enough", "Math.ceil(AGREEING * rounds.length)", "1"],
  ),
  ...of("lib/study/history/update_history.ts", HISTORY)(
    ["a file that changed is not read again", 'known["mtime_ms"] === mtime_ms', "true"],
    ["a run that is gone stays", "isIn(String(file)) && !files.has(String(file))", "false"],
  ),
  ...of("lib/study/history/nights.ts", HISTORY)(["a night ends at midnight", "- 12 * 3600_000", "- 0 * 3600_000"]),
];
