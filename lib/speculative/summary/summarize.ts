import { median } from "../../report/results/stats.ts";
import type { Interval } from "../../report/results/spread_types.ts";
import type { SpeculativeResults, SpeculativeRow, SpeculativeRun } from "../../report/results/speculative_types.ts";
import { compareTimes } from "../../report/statistics/time_comparison.ts";
import { breakEvens } from "./break_even.ts";
import { draftFigures, type DraftRun } from "./draft_figures.ts";

/** Name of plain decoding. */
export const PLAIN = "plain";

/** Works out the rows and the break-even of a run from its texts. */
export function summarize(results: SpeculativeResults): void {
  const { config: { lengths }, runs } = results;
  const names = [...new Set(runs.map(({ name }) => name))].sort((a, b) => orderOf(results, a) - orderOf(results, b));
  results.rows = lengths.flatMap((length) =>
    names.flatMap((name) => {
      const row = rowOf(results, name, length);
      return row ? [row] : [];
    })
  );
  results.break_even = breakEvens(results.rows);
}

/** Place of a row at its length: plain decoding, then drafts as they were given, then by gamma. */
function orderOf({ config: { drafts, gammas }, runs }: SpeculativeResults, name: string): number {
  const { draft, gamma } = runs.find((run) => run.name === name)!;
  return draft === null ? -1 : drafts.indexOf(draft) * gammas.length + gammas.indexOf(gamma!);
}

function rowOf({ config, runs }: SpeculativeResults, name: string, length: number): SpeculativeRow | undefined {
  const own = runs.filter((run) => run.name === name && run.length === length);
  const [first] = own;
  if (!first) return undefined;
  const plain = runs.filter((run) => run.name === PLAIN && run.length === length);
  const { draft, gamma, memory } = first;
  const drafted = own.filter((run): run is SpeculativeRun & DraftRun => run.rounds !== undefined);
  const truth = (sample: number) => plain.find((run) => run.sample === sample)?.tokens;
  return {
    name,
    draft,
    gamma,
    length,
    tpot_s: median(own.map(({ tpot_s }) => tpot_s)),
    speedup: draft === null ? null : speedup([...own, ...plain], name),
    draft_figures: drafted.length === 0 || plain.length === 0
      ? null
      : draftFigures(drafted, median(plain.map(({ tpot_s }) => tpot_s)), config.temperature > 0 ? undefined : truth),
    memory,
  };
}

/** Time of plain decoding over a draft's, in the same rounds. */
function speedup(runs: readonly SpeculativeRun[], name: string): Interval | null {
  const timed = runs.map(({ name, round, ttft_s, tpot_s }) => ({
    method: name,
    round,
    ttft: ttft_s,
    tpot: tpot_s,
    throughput: 1 / tpot_s,
  }));
  const compared = compareTimes(timed, name, PLAIN);
  if (!compared) return null;
  const { estimate, low, high, confidence } = compared.tpot;
  return { estimate: 1 / estimate, low: 1 / high, high: 1 / low, confidence };
}
