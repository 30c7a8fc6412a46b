import type { AggregatedStats, AveragedFigures, RawResult } from "./types.ts";

/** The averaged figures, by their names in `aggregated_stats`. */
export type StatName = keyof AveragedFigures;

/** Source of each averaged figure: `cache_size` is called `final_cache_size` in the raw results. */
const SOURCES = {
  ttft: "ttft",
  tpot: "tpot",
  throughput: "throughput",
  perplexity: "perplexity",
  accuracy: "accuracy",
  peak_vram_gb: "peak_vram_gb",
  cache_size: "final_cache_size",
} as const satisfies Record<StatName, keyof RawResult>;

/** Fields of a raw result that are averaged. */
export type MeasuredSample = Pick<RawResult, "method" | typeof SOURCES[StatName]>;

/**
 * Arithmetic mean.
 *
 * @param values At least one number.
 * @returns Their mean, in their unit.
 * @throws {RangeError} If no number is given.
 *
 * @example
 * ```ts
 * import { mean } from "./stats.ts";
 *
 * console.log(mean([1, 2, 6])); // 3
 * ```
 */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take a mean: there are no values");
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/**
 * Sample standard deviation, with n - 1 in the denominator: the samples stand for all texts one might measure.
 *
 * @param values At least one number.
 * @returns The deviation, in their unit; 0 for a single number.
 * @throws {RangeError} If no number is given.
 *
 * @example
 * ```ts
 * import { sampleStd } from "./stats.ts";
 *
 * console.log(sampleStd([2, 4])); // 1.4142135623730951
 * console.log(sampleStd([2])); // 0
 * ```
 */
export function sampleStd(values: readonly number[]): number {
  const centre = mean(values);
  if (values.length === 1) return 0;
  let squares = 0;
  for (const value of values) squares += (value - centre) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/**
 * Returns a quantile by linear interpolation between neighbours, as NumPy does by default.
 *
 * @param values At least one number, in any order.
 * @param share 0 for the smallest, 0.5 for the median, 1 for the largest.
 * @returns The quantile, in the values' unit.
 * @throws {RangeError} If no number is given, or `share` is outside 0..1.
 *
 * @example
 * ```ts
 * import { quantile } from "./stats.ts";
 *
 * console.log(quantile([4, 1, 3, 2], 0.5)); // 2.5
 * ```
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("Cannot take a quantile: there are no values");
  if (!(share >= 0 && share <= 1)) throw new RangeError(`Cannot take a quantile: ${share} is not within 0..1`);
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * Returns the median.
 *
 * @param values At least one number, in any order.
 * @returns The median, in the values' unit.
 * @throws {RangeError} If no number is given.
 *
 * @example
 * ```ts
 * import { median } from "./stats.ts";
 *
 * console.log(median([9, 1, 5])); // 5
 * ```
 */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Returns the 95th percentile: the time of a slow step.
 *
 * @param values At least one number, in any order.
 * @returns The percentile, in the values' unit.
 * @throws {RangeError} If no number is given.
 *
 * @example
 * ```ts
 * import { p95 } from "./stats.ts";
 *
 * console.log(p95(Array.from({ length: 101 }, (_, i) => i))); // 95
 * ```
 */
export function p95(values: readonly number[]): number {
  return quantile(values, 0.95);
}

/**
 * Averages one configuration's samples.
 *
 * @param results Results of one configuration, one for each text sample, at least one.
 * @returns Means, sample standard deviations and the number of samples. Units as in the raw results. If a figure is not
 * finite in one sample, its mean is not finite; if VRAM was not measured in one, it is null.
 * @throws {RangeError} If no result is given, or the results are of several configurations.
 *
 * @example
 * ```ts
 * import { aggregate } from "./stats.ts";
 *
 * const sample = { method: "baseline", ttft: 0.0123, tpot: 0.004, throughput: 156.78, perplexity: 42.35,
 *   accuracy: 0.3567, peak_vram_gb: 5.23, final_cache_size: 2000 };
 * const stats = aggregate([sample, { ...sample, tpot: 0.006 }]);
 * console.log(stats.n, stats.tpot, stats.std.tpot.toFixed(6)); // 2 0.005 0.001414
 * ```
 */
export function aggregate(results: readonly MeasuredSample[]): AggregatedStats {
  const names = new Set(results.map((result) => result.method));
  if (names.size > 1) throw new RangeError(`Cannot average over several configurations: ${[...names].join(", ")}`);
  const over = (of: (values: readonly number[]) => number) => {
    const figure = (name: Exclude<StatName, "peak_vram_gb">) => of(results.map((result) => result[SOURCES[name]]));
    // A mean over only the samples with the figure would cover other samples than the means of other configurations.
    const vram = results.flatMap(({ peak_vram_gb }) => peak_vram_gb === null ? [] : [peak_vram_gb]);
    return {
      ttft: figure("ttft"),
      tpot: figure("tpot"),
      throughput: figure("throughput"),
      perplexity: figure("perplexity"),
      accuracy: figure("accuracy"),
      peak_vram_gb: vram.length < results.length ? null : of(vram),
      cache_size: figure("cache_size"),
    };
  };
  return { ...over(mean), n: results.length, std: over(sampleStd) };
}

/**
 * Averages every configuration's samples.
 *
 * @param raw Results of any configurations, in any order.
 * @returns The averages by configuration, in order of first appearance.
 *
 * @example
 * ```ts
 * import { aggregateAll } from "./stats.ts";
 *
 * const sample = { method: "baseline", ttft: 0.0123, tpot: 0.0045, throughput: 156.78, perplexity: 42.35,
 *   accuracy: 0.3567, peak_vram_gb: 5.23, final_cache_size: 2000 };
 * const stats = aggregateAll([sample, { ...sample, method: "streaming_256" }, sample]);
 * console.log(Object.keys(stats), stats["baseline"]?.n); // [ "baseline", "streaming_256" ] 2
 * ```
 */
export function aggregateAll(raw: readonly MeasuredSample[]): Record<string, AggregatedStats> {
  const groups = Map.groupBy(raw, (result) => result.method);
  return Object.fromEntries([...groups].map(([name, results]) => [name, aggregate(results)]));
}
