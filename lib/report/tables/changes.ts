import { comparedWith } from "../results/compared_with.ts";
import { isAskedFor } from "../results/notes.ts";
import type { Interval } from "../results/spread_types.ts";
import { sampleStd } from "../results/stats.ts";
import type { AggregatedStats, BenchmarkResults, ConfigurationRecord, RawResult, RunConfig } from "../results/types.ts";
import { ratioPercent } from "./interval_text.ts";

/** A compared figure, by its name in results.json. */
export type ComparedName = "throughput" | "tpot" | "ttft" | "perplexity" | "accuracy" | "peak_vram_gb";

/** How well a change is known. */
export interface ChangeSpread {
  /** Sample standard deviation of the change over texts, in the change's unit; null for one text. */
  std: number | null;
  /** The interval of results.json's `comparisons`, in the change's unit; left out if there is none. */
  interval?: Pick<Interval, "low" | "high" | "confidence">;
}

/** Change of one figure against the baseline. */
export interface Change extends ChangeSpread {
  /** (mean / baseline's mean - 1) x 100; NaN or Infinity if a figure is not finite. */
  percent: number;
}

/** Change of a share against the baseline. */
export interface PointChange extends ChangeSpread {
  /** (mean - baseline's mean) x 100, percentage points; NaN if a figure is not finite. */
  points: number;
}

/**
 * A configuration's changes. null: there is no such change, because the baseline's figure is 0, or because its pass was
 * not asked for.
 */
export type MethodChanges =
  & { method: string }
  & Record<Exclude<ComparedName, "peak_vram_gb" | "accuracy">, Change | null>
  & { accuracy: PointChange | null }
  /** "n/a": it was not measured in one of the two. */
  & { peak_vram_gb: Change | "n/a" | null };

/** Fields of results.json that {@linkcode changesAgainstBaseline} reads. */
export interface ComparedResults {
  /** What was measured, by configuration and text sample. */
  raw_results: readonly Pick<RawResult, "method" | "sample" | ComparedName>[];
  /** Configuration → averages over its samples. */
  aggregated_stats: BenchmarkResults["aggregated_stats"];
  /** Every configuration, in the order of the table. */
  configurations: readonly Pick<ConfigurationRecord, "name">[];
  /** Configuration → its comparison with the baseline, with intervals; not in results of schema 1. */
  comparisons?: BenchmarkResults["comparisons"];
  /** Which passes were made, both if left out; and what is compared with, "baseline" if left out. */
  config?: Pick<RunConfig, "passes" | "compared_with">;
}

/**
 * Computes every configuration's change against the baseline: in percent of the baseline, of accuracy in percentage
 * points.
 *
 * Where results.json compares a configuration with the baseline, the change and its interval are those of the
 * comparison, which pairs rounds and steps. Otherwise: baseline and method are measured on the same texts, and texts
 * differ more than methods do. So the uncertainty is that of the change itself, text by text; the spread of the texts
 * cancels out. If the two share fewer than two texts, the uncertainty is propagated from both standard deviations, as
 * for independent measurements.
 *
 * @param results Comparisons and means give the change, raw results its deviation.
 * @returns The changes in the order of the table, without the baseline itself; empty without a baseline.
 *
 * @example
 * ```ts
 * import { changesAgainstBaseline } from "./changes.ts";
 * import { aggregateAll } from "../results/stats.ts";
 *
 * const sample = { method: "baseline", sample: 0, ttft: 0.0123, tpot: 0.004, throughput: 156.78, perplexity: 42.35,
 *   accuracy: 0.3567, peak_vram_gb: 5.23, final_cache_size: 2000 };
 * const raw_results = [sample, { ...sample, method: "streaming_256", tpot: 0.005 }];
 * const changes = changesAgainstBaseline({
 *   raw_results,
 *   aggregated_stats: aggregateAll(raw_results),
 *   configurations: [{ name: "baseline" }, { name: "streaming_256" }],
 * });
 * console.log(changes[0]?.tpot); // { percent: 25, std: null }
 * ```
 */
export function changesAgainstBaseline(results: ComparedResults): MethodChanges[] {
  const { aggregated_stats, configurations, comparisons, config } = results;
  const reference = comparedWith(config);
  const baseline = aggregated_stats[reference];
  if (baseline === undefined) return [];
  return configurations.flatMap(({ name }) => {
    const stats = aggregated_stats[name];
    if (name === reference || stats === undefined) return [];
    const { time, quality } = comparisons?.[name] ?? {};
    const of = (figure: Exclude<ComparedName, "accuracy">) => {
      const isSpeed = figure !== "perplexity";
      if (!Number.isFinite(stats[figure]) && !isAskedFor(isSpeed ? "speed" : "quality", config?.passes)) return null;
      const known = figure === "perplexity"
        ? quality && ofLogarithm(quality.ln_ppl_ratio)
        : figure === "peak_vram_gb"
        ? undefined
        : time?.[figure];
      return known ? compared(known) : change(results, name, stats, baseline, figure);
    };
    const vram = of("peak_vram_gb");
    const unmeasured = stats.peak_vram_gb === null || baseline.peak_vram_gb === null;
    return [{
      method: name,
      throughput: of("throughput"),
      tpot: of("tpot"),
      ttft: of("ttft"),
      perplexity: of("perplexity"),
      accuracy: isAskedFor("quality", config?.passes) || Number.isFinite(stats.accuracy)
        ? quality ? comparedPoints(quality.accuracy) : points(results, name, stats, baseline)
        : null,
      peak_vram_gb: unmeasured && vram !== null ? "n/a" : vram,
    }];
  });
}

/** Converts an interval of logarithms of ratios to one of ratios. */
function ofLogarithm({ estimate, low, high, confidence }: Interval): Interval {
  return { estimate: Math.exp(estimate), low: Math.exp(low), high: Math.exp(high), confidence };
}

function compared(ratio: Interval): Change {
  const { estimate, low, high } = ratioPercent(ratio);
  return { percent: estimate, std: null, interval: { low, high, confidence: ratio.confidence } };
}

function comparedPoints({ estimate, low, high, confidence }: Interval): PointChange {
  return { points: estimate * 100, std: null, interval: { low: low * 100, high: high * 100, confidence } };
}

/** Change of a ratio, from means and samples. */
function change(
  results: ComparedResults,
  name: string,
  stats: AggregatedStats,
  baseline: AggregatedStats,
  figure: Exclude<ComparedName, "accuracy">,
): Change | null {
  const [value, reference] = [stats[figure] ?? NaN, baseline[figure] ?? NaN];
  // Against an infinite figure, every other one would be 100 % less.
  if (!Number.isFinite(reference) || Number.isNaN(value)) return { percent: NaN, std: null };
  if (reference === 0) return null;
  const ratio = value / reference;
  const percent = (ratio - 1) * 100;
  const pairs = pairsOf(results, name, figure).map(([own, base]) => (own / base - 1) * 100);
  if (pairs.length > 1 && pairs.every(Number.isFinite)) return { percent, std: sampleStd(pairs) };
  if (stats.n < 2 || baseline.n < 2) return { percent, std: null };
  const spread = Math.hypot((stats.std[figure] ?? NaN) / value, (baseline.std[figure] ?? NaN) / reference);
  return { percent, std: Number.isFinite(spread) ? Math.abs(ratio) * spread * 100 : null };
}

/** Change of accuracy, from means and samples. */
function points(
  results: ComparedResults,
  name: string,
  stats: AggregatedStats,
  baseline: AggregatedStats,
): PointChange {
  const points = (stats.accuracy - baseline.accuracy) * 100;
  if (!Number.isFinite(points)) return { points: NaN, std: null };
  const pairs = pairsOf(results, name, "accuracy").map(([own, base]) => (own - base) * 100);
  if (pairs.length > 1 && pairs.every(Number.isFinite)) return { points, std: sampleStd(pairs) };
  const std = Math.hypot(stats.std.accuracy, baseline.std.accuracy) * 100;
  return { points, std: stats.n < 2 || baseline.n < 2 || !Number.isFinite(std) ? null : std };
}

/** A figure of the method and of the baseline, in each sample that has both. */
function pairsOf({ raw_results, config }: ComparedResults, name: string, figure: ComparedName): [number, number][] {
  const reference = comparedWith(config);
  const before = new Map(raw_results.flatMap((raw) => raw.method === reference ? [[raw.sample, raw[figure]]] : []));
  return raw_results.flatMap((raw): [number, number][] => {
    const base = raw.method === name ? before.get(raw.sample) : undefined;
    const own = raw[figure];
    return base === undefined || base === null || own === null ? [] : [[own, base]];
  });
}
