import { mean, median, sampleStd } from "../../report/results/stats.ts";
import type { FoundResults } from "../find_results.ts";
import { type Cell, type CellRun, cellsOf, placeOf } from "./cells.ts";
import { sideOf, type UnjudgedCell } from "./compare_cell.ts";
import { DEFAULT_OPTIONS, judged } from "./compare_sets.ts";
import { memoryMetrics, statusMetric } from "./plain_metrics.ts";
import { qualityEffect, samplePairs } from "./quality_effect.ts";
import { differencesOf } from "./same_inputs.ts";
import { studentEffect } from "./statistics/effect.ts";
import { hasBaseline, roundLogs } from "./time_effect.ts";
import type { CompareOptions, ComparisonOfSets, MetricName } from "./types.ts";
import type { JudgedMetric } from "./verdict.ts";

/** Fewest earlier nights whose spread is used: of two, nothing is known. */
export const FEWEST_NIGHTS = 3;

/** End of the reason of a verdict that more rounds would decide. */
export const MEASURE_AGAIN = "measure again";

/** Share of tonight's rounds that must show a change of times by themselves. */
const AGREEING = 0.8;

/**
 * Compares one night with several earlier ones, cell by cell, where the night is the unit: how far tonight's figure is
 * from the mean of the earlier nights', against their spread from night to night (a prediction interval by Student's t).
 * Rounds of one night share the machine's state of that night. However many there are, they cannot say how far the next
 * night will be off; earlier nights can.
 *
 * Times are the night's median over its rounds of the time over the baseline's in the same round, so that a night in
 * which the machine is slow for all is no change. The baseline itself has no such reference: its own spread from night
 * to night decides, and a change within it is unknown. A change that tonight's rounds do not agree on is unknown too.
 *
 * @example
 * ```ts
 * import { compareWithNights } from "./compare_nights.ts";
 * import { findResults } from "../find_results.ts";
 *
 * const check = async (earlier: string[], tonight: string) => {
 *   const nights = await Promise.all(earlier.map((folder) => findResults([folder])));
 *   return compareWithNights(nights, await findResults([tonight])).summary.worse;
 * };
 * ```
 *
 * @param nights The earlier nights' results, the oldest first.
 * @param tonight Tonight's.
 * @param given The smallest changes that matter; {@linkcode DEFAULT_OPTIONS} for those left out. `drift` is not used:
 * the nights tell.
 * @returns A verdict for each metric of each cell. Only earlier nights on the same hardware count; a cell without any is
 * in `only_b`, one of the last night that tonight lacks in `only_a`.
 */
export function compareWithNights(
  nights: readonly (readonly FoundResults[])[],
  tonight: readonly FoundResults[],
  given: Partial<CompareOptions> = {},
): ComparisonOfSets {
  const options = { ...DEFAULT_OPTIONS, ...given };
  const cells = cellsOf(tonight);
  const byPlace = (cells: readonly Cell[]) => new Map(cells.map((cell) => [placeOf(cell), cell]));
  const earlier = nights.map((found) => byPlace(cellsOf(found)));
  const known = byPlace(cells);
  const pairs = cells.map((cell) => ({
    cell,
    before: earlier.flatMap((night) => night.get(placeOf(cell)) ?? []),
  }));
  const name = ({ key, terms, hardware }: Cell) => ({ key, terms, hardware });
  return {
    options,
    ...judged(
      pairs.filter(({ before }) => before.length > 0).map(({ cell, before }) => compare(before, cell, options)),
    ),
    only_a: [...earlier.at(-1)?.values() ?? []].filter((cell) => !known.has(placeOf(cell))).map(name),
    only_b: pairs.filter(({ before }) => before.length === 0).map(({ cell }) => name(cell)),
  };
}

function compare(before: readonly Cell[], cell: Cell, options: CompareOptions): UnjudgedCell {
  const last = before.at(-1)!.runs.at(-1)!;
  const now = cell.runs.at(-1)!;
  const { quality, time } = differencesOf(last, now);
  const changed = [...quality, ...time].filter((each) => each !== "code unknown");
  const base = {
    key: cell.key,
    terms: cell.terms,
    a: sideOf(before.flatMap(({ runs }) => runs), cell.hardware),
    b: sideOf(cell.runs, cell.hardware),
    notes: changed.length > 0 ? [`since the last night: ${changed.join(", ")}`] : [],
  };
  const status = statusMetric(last, now);
  if (status !== undefined) return { ...base, is_reproducible: null, metrics: [status] };
  const measured = before.filter(({ runs }) => runs.at(-1)!.record.status === "done");
  const isReproducible = reproduces(measured, now);
  if (isReproducible === false) {
    base.notes.push("likelihoods differ from an earlier night's though build, model, text and settings are the same");
  }
  return {
    ...base,
    is_reproducible: isReproducible,
    metrics: [
      ...qualityMetrics(measured, now, options),
      ...timeMetric("tpot", measured, cell, options),
      ...timeMetric("ttft", measured, cell, options),
      ...memoryMetrics(last, now, options),
    ],
  };
}

/** Tonight's figure against the nights'. */
function nightMetric(
  metric: MetricName,
  earlier: readonly number[],
  tonight: number,
  { margin, isRatio, show }: {
    readonly margin: number;
    readonly isRatio: boolean;
    readonly show: (value: number) => number;
  },
): JudgedMetric {
  const figures = { metric, a: show(mean(earlier)), b: show(tonight), is_ratio: isRatio, margin };
  const n = earlier.length;
  if (n < FEWEST_NIGHTS) {
    // Likelihoods that repeat to the last bit need no spread.
    if (earlier.every((each) => each === tonight)) {
      return { ...figures, effect: null, fixed: "same", reason: "bit-equal" };
    }
    return { ...figures, effect: null, reason: `there are ${n} earlier nights; ${FEWEST_NIGHTS} are needed` };
  }
  const variance = sampleStd(earlier) ** 2, df = n - 1, factor = Math.sqrt(1 + 1 / n);
  const effect = studentEffect(tonight - mean(earlier), Math.sqrt(variance) * factor, df, margin);
  // Absolute times share the machine's state: one row's spread says nothing that another's does not.
  return { ...figures, effect: { ...effect, by: "nights" }, ...(isRatio ? { noise: { variance, df, factor } } : {}) };
}

function timeMetric(
  time: "tpot" | "ttft",
  before: readonly Cell[],
  cell: Cell,
  { min_time }: CompareOptions,
): JudgedMetric[] {
  const isRatio = [cell, ...before].every(({ runs }) => runs.every(hasBaseline));
  const roundsOf = ({ runs }: Cell) =>
    runs.flatMap((run) => roundLogs(run, time, isRatio).values).filter(Number.isFinite);
  // The median: a round that another user disturbed does not count.
  const earlier = before.map(roundsOf).filter(({ length }) => length > 0).map(median);
  const rounds = roundsOf(cell);
  if (rounds.length === 0 || earlier.length === 0) return [];
  const margin = Math.log1p(min_time);
  const metric = nightMetric(time, earlier, median(rounds), { margin, isRatio, show: Math.exp });
  const sign = Math.sign(median(rounds) - mean(earlier));
  const agreeing = rounds.filter((each) => sign * (each - mean(earlier)) > margin).length;
  // What the code does shows in every round; what another user does shows in some.
  if (agreeing >= Math.ceil(AGREEING * rounds.length)) return [metric];
  return [{ ...metric, doubt: `it shows in ${agreeing} of ${rounds.length} rounds: ${MEASURE_AGAIN}` }];
}

/** Mean NLL and KL divergence over the samples that tonight and a night have in common: tonight's must be in all. */
function qualityMetrics(before: readonly Cell[], now: CellRun, { min_quality }: CompareOptions): JudgedMetric[] {
  const margin = Math.log1p(min_quality);
  const own = now.results.raw_results.filter(({ method, nll }) => method === now.record.name && nll.length > 0);
  if (own.length === 0) return [];
  const pairs = before.map(({ runs }) => samplePairs(runs.at(-1)!, now)).filter(({ length }) => length === own.length);
  if (pairs.length === 0) {
    const none = { metric: "perplexity", a: null, b: null, is_ratio: false, effect: null, margin } as const;
    return [{ ...none, reason: "no earlier night has the same tokens" }];
  }
  const losses = mean(own.flatMap(({ nll }) => nll));
  if (!Number.isFinite(losses)) {
    const lost = { metric: "perplexity", a: null, b: null, is_ratio: false, effect: null, margin } as const;
    return [{ ...lost, fixed: "worse", reason: "it is not finite" }];
  }
  const earlier = pairs.map((samples) => mean(samples.flatMap(({ a }) => a.nll))).filter(Number.isFinite);
  if (earlier.length === 0) return [];
  const perplexity = nightMetric("perplexity", earlier, losses, { margin, isRatio: false, show: Math.exp });
  const distances = own.flatMap(({ divergence }) => divergence?.kl ?? []);
  const before_kl = pairs.map((samples) => samples.flatMap(({ a }) => a.divergence?.kl ?? []))
    .filter(({ length }) => length === distances.length && length > 0).map(mean);
  const isKlKnown = distances.length > 0 && before_kl.length > 0 && [...distances, ...before_kl].every(Number.isFinite);
  if (!isKlKnown) return [perplexity];
  return [
    perplexity,
    nightMetric("kl", before_kl, mean(distances), { margin, isRatio: false, show: (value) => value }),
  ];
}

/** Whether likelihoods are those of all earlier nights of the same build, model, text and settings; null without any. */
function reproduces(before: readonly Cell[], now: CellRun): boolean | null {
  const alike = before.map(({ runs }) => runs.at(-1)!).filter((run) => differencesOf(run, now).quality.length === 0);
  const found = alike.flatMap((run) => qualityEffect(run, now, { margin: 0 }) ?? []);
  return found.length === 0 ? null : found.every(({ isBitEqual }) => isBitEqual);
}
