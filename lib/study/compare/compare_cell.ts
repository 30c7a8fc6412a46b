import { mean } from "../../report/results/stats.ts";
import type { CellPair, CellRun } from "./cells.ts";
import { qualityEffect } from "./quality_effect.ts";
import { memoryMetrics, statusMetric } from "./plain_metrics.ts";
import { differencesOf } from "./same_inputs.ts";
import type { Effect } from "./statistics/effect.ts";
import { roundLogs, timeEffect, type TimeName } from "./time_effect.ts";
import type { CellComparison, CompareOptions, SideOfCell } from "./types.ts";
import type { JudgedMetric } from "./verdict.ts";

/** A cell's comparison before the verdicts, which depend on all cells. */
export type UnjudgedCell = Omit<CellComparison, "metrics"> & { metrics: JudgedMetric[] };

/**
 * Compares a cell's figures on both sides.
 *
 * @example
 * ```ts
 * import { compareCell } from "./compare_cell.ts";
 * import { DEFAULT_OPTIONS } from "./compare_sets.ts";
 * import type { CellPair } from "./cells.ts";
 *
 * const notes = (pair: CellPair) => compareCell(pair, DEFAULT_OPTIONS).notes;
 * ```
 *
 * @param pair The cell.
 * @param options The smallest changes that matter.
 */
export function compareCell({ a, b }: CellPair, options: CompareOptions): UnjudgedCell {
  const [one, two] = [a.runs.at(-1)!, b.runs.at(-1)!];
  const { quality, time } = differencesOf(one, two);
  const changed = [...quality, ...time].filter((each) => each !== "code unknown");
  const cell = { key: b.key, terms: b.terms, a: sideOf(a.runs, a.hardware), b: sideOf(b.runs, b.hardware) };
  const notes = [
    ...changed.length > 0 ? [`changed: ${changed.join(", ")}`] : [],
    ...leftOut("the first", a.leftOut),
    ...leftOut("the second", b.leftOut),
    ...[...new Set([...one.record.marks ?? [], ...two.record.marks ?? []])]
      .map((mark) => `times are to be doubted: ${mark}`),
  ];
  const status = statusMetric(one, two);
  if (status !== undefined) return { ...cell, notes, is_reproducible: null, metrics: [status] };
  const judged = qualityMetrics(one, two, options);
  return {
    ...cell,
    notes: [...notes, ...judged.notes],
    is_reproducible: judged.isReproducible,
    metrics: [
      ...judged.metrics,
      ...timeMetric(a.runs, b.runs, "tpot", options),
      ...timeMetric(a.runs, b.runs, "ttft", options),
      ...memoryMetrics(one, two, options),
    ],
  };
}

function leftOut(side: string, count: number): string[] {
  return count === 0 ? [] : [`${side} side has ${count} more of other builds, models or texts; the newest count`];
}

/**
 * Says where a side's figures are from.
 *
 * @example
 * ```ts
 * import { sideOf } from "./compare_cell.ts";
 * import type { CellRun } from "./cells.ts";
 *
 * const commit = (runs: CellRun[]) => sideOf(runs, "EPYC, 8 cores").commit;
 * ```
 *
 * @param runs Its runs, the newest last.
 * @param hardware Their hardware.
 */
export function sideOf(runs: readonly CellRun[], hardware: string): SideOfCell {
  const { config, environment } = runs.at(-1)!.results;
  return {
    files: runs.map(({ file }) => file),
    commit: environment.git_commit,
    code_sha256: environment.code_sha256 ?? null,
    host: environment.host ?? null,
    hardware,
    timestamp: config.timestamp,
  };
}

/** Perplexity and KL divergence. */
function qualityMetrics(
  a: CellRun,
  b: CellRun,
  { min_quality }: CompareOptions,
): { metrics: JudgedMetric[]; notes: string[]; isReproducible: boolean | null } {
  const margin = Math.log1p(min_quality);
  const figure = ({ results, record }: CellRun) => results.aggregated_stats[record.name]?.perplexity ?? NaN;
  const [before, after] = [figure(a), figure(b)];
  if (Number.isNaN(before) && Number.isNaN(after) && !hasLosses(a)) {
    return { metrics: [], notes: [], isReproducible: null };
  }
  const found = qualityEffect(a, b, { margin });
  const metric = (metric: "perplexity" | "kl", a: number, b: number, effect: Effect | undefined): JudgedMetric => ({
    metric,
    a: finite(a),
    b: finite(b),
    is_ratio: false,
    effect: effect === undefined || !Number.isFinite(effect.estimate) ? null : effect,
    margin,
  });
  if (found === undefined) {
    const lost = { ...metric("perplexity", before, after, undefined), reason: "no sample has the same tokens" };
    return { metrics: [lost], notes: [], isReproducible: null };
  }
  const perplexity = metric("perplexity", before, after, found.perplexity);
  // A perplexity that is no number any more has no interval, and is worse for certain.
  if (Number.isFinite(before) && !Number.isFinite(after)) {
    Object.assign(perplexity, { fixed: "worse", reason: "it is not finite now" });
  } else if (found.isBitEqual) perplexity.reason = "bit-equal";
  const kl = ({ results, record }: CellRun) => results.divergence?.[record.name]?.mean_kl.estimate ?? NaN;
  const isReproducible = found.mustBeBitEqual ? found.isBitEqual : null;
  return {
    metrics: [perplexity, ...found.kl === undefined ? [] : [metric("kl", kl(a), kl(b), found.kl)]],
    notes: isReproducible === false
      ? ["likelihoods differ though build, model, text, hardware and settings are the same: it does not reproduce"]
      : [],
    isReproducible,
  };
}

function hasLosses({ results, record }: CellRun): boolean {
  return results.raw_results.some(({ method, nll }) => method === record.name && nll.length > 0);
}

/** A time, if both sides have it. */
function timeMetric(
  a: readonly CellRun[],
  b: readonly CellRun[],
  time: TimeName,
  { min_time, drift }: CompareOptions,
): JudgedMetric[] {
  const margin = Math.log1p(min_time);
  const found = timeEffect(a, b, time, { margin, drift: Math.log1p(drift) });
  if (found === undefined) return [];
  const typical = (runs: readonly CellRun[]) =>
    finite(Math.exp(mean(runs.flatMap((run) => roundLogs(run, time, found.isRatio).values))));
  return [{
    metric: time,
    a: typical(a),
    b: typical(b),
    is_ratio: found.isRatio,
    effect: found.effect,
    margin,
    ...(found.noise === undefined ? {} : { noise: found.noise }),
  }];
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
