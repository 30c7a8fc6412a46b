import { comparedWith } from "../results/compared_with.ts";
import { mean, type StatName } from "../results/stats.ts";
import { weightBytesOf } from "../results/weight_bytes.ts";
import type { BenchmarkResults } from "../results/types.ts";
import { significant } from "../tables/significant.ts";

/** One chart of a comparison. */
export interface BarMetric {
  /**
   * The averaged figure; "kv_bytes" is what the KV cache holds, "weights" the weights' bytes, "mean_kl" the distance from
   * the full cache.
   */
  figure: StatName | "kv_bytes" | "weights" | "mean_kl";
  /** The pass that it is measured in. */
  pass: "speed" | "quality";
  title: string;
  subtitle: string;
  axis: string;
  /** Factor from the stored unit to the axis's. */
  scale: number;
  format: (value: number) => string;
  /** Whether the axis is logarithmic if values are far apart. */
  logarithmic?: boolean;
  /**
   * Ends of the axis for bars between `min` and `max`, in the axis's unit; `reach` is the end of the highest error bar.
   */
  range: (min: number, max: number, reach: number) => { min: number; max: number };
}

/** Axis from 0, for bars whose lengths are compared. The room above is for the figures over them. */
const fromZero: BarMetric["range"] = (_min, max, reach) => ({
  min: 0,
  max: max > 0 ? Math.max(1.15 * max, 1.05 * reach) : 1,
});

/** Ratio of the largest to the smallest value above which a linear axis would show only the largest. */
const LOGARITHMIC_FROM = 20;

/**
 * Whether values are so far apart that a linear axis would show only the largest.
 *
 * @example
 * ```ts
 * import { isWide } from "./bar_metrics.ts";
 *
 * console.log(isWide(40, 60), isWide(40, 4000)); // false true
 * ```
 */
export function isWide(min: number, max: number): boolean {
  return min > 0 && max > LOGARITHMIC_FROM * min;
}

const METRICS: readonly BarMetric[] = [
  {
    figure: "throughput",
    pass: "speed",
    title: "Throughput",
    subtitle: "(Higher is Better)",
    axis: "tokens/s",
    scale: 1,
    format: (value) => significant(value, 4),
    range: fromZero,
  },
  {
    figure: "tpot",
    pass: "speed",
    title: "TPOT (Time Per Output Token)",
    subtitle: "(Lower is Better)",
    axis: "ms",
    scale: 1000,
    format: (value) => significant(value, 3),
    range: fromZero,
  },
  {
    figure: "ttft",
    pass: "speed",
    title: "TTFT (Time To First Token)",
    subtitle: "(Lower is Better)",
    axis: "ms",
    scale: 1000,
    format: (value) => significant(value, 3),
    range: fromZero,
  },
  {
    figure: "perplexity",
    pass: "quality",
    title: "Perplexity",
    subtitle: "(Lower is Better)",
    axis: "PPL",
    scale: 1,
    format: (value) => value < 1000 ? value.toFixed(2) : significant(value, 4),
    logarithmic: true,
    // Methods differ by a few percent: the axis begins just below the smallest.
    range: (min, max) => ({ min: 0.95 * min, max: 1.05 * max }),
  },
  {
    figure: "peak_vram_gb",
    pass: "speed",
    title: "VRAM Usage",
    subtitle: "(Lower is Better)",
    axis: "GB",
    scale: 1,
    format: (value) => value < 0.1 ? significant(value, 2) : value.toFixed(2),
    range: (_min, max) => ({ min: 0, max: max > 0 ? 1.3 * max : 1 }),
  },
  {
    figure: "cache_size",
    pass: "quality",
    title: "Cache Size",
    subtitle: "(Lower is Better)",
    axis: "tokens",
    scale: 1,
    format: (value) => significant(value, Math.max(1, Math.ceil(Math.log10(value + 1)))),
    range: fromZero,
  },
];

/** A figure of a configuration. */
export interface BarFigure {
  /** In the stored unit; null if it was not measured, undefined if the configuration has no figures. */
  value: number | null | undefined;
  /** Standard deviation over samples; 0 for one sample. */
  std: number;
  /** Why there is none, where it is not for want of a measurement. */
  missing?: string;
}

/**
 * Returns what a comparison shows of a run. Without a GPU, there is no GPU memory: what the KV cache holds takes its
 * place.
 *
 * @param results A run's results.
 * @returns Six charts, in order.
 *
 * @example
 * ```ts
 * import { barMetrics } from "./bar_metrics.ts";
 *
 * console.log(barMetrics({ config: { device: "cpu" }, aggregated_stats: {}, configurations: [] })[4]?.title);
 * // "KV Cache (mean)"
 * ```
 */
export function barMetrics(
  results: { config: Pick<BenchmarkResults["config"], "device"> } & Measured,
): readonly BarMetric[] {
  if (results.config.device !== "cpu") return METRICS;
  const kv: BarMetric = {
    figure: "kv_bytes",
    pass: "speed",
    title: isHeldKnown(results) ? "KV Cache (mean)" : "KV Cache (at the end)",
    subtitle: "(Lower is Better)",
    axis: "MiB",
    scale: 2 ** -20,
    format: (value) => value === 0 ? "0" : significant(value, 3),
    range: fromZero,
  };
  return METRICS.map((metric) => metric.figure === "peak_vram_gb" ? kv : metric);
}

const ACCURACY: BarMetric = {
  figure: "accuracy",
  pass: "quality",
  title: "Accuracy",
  subtitle: "(Higher is Better)",
  axis: "% of tokens",
  scale: 100,
  format: (value) => value.toFixed(2),
  // As perplexity's: the types differ by little.
  range: (min, max) => max > 0 ? { min: 0.95 * min, max: 1.05 * max } : { min: 0, max: 1 },
};

const DISTANCE: BarMetric = {
  figure: "mean_kl",
  pass: "quality",
  title: "KL Divergence",
  subtitle: "(Lower is Better)",
  axis: "nats",
  scale: 1,
  format: (value) => value === 0 ? "0" : value < 1e-3 ? value.toExponential(1) : significant(value, 2),
  logarithmic: true,
  range: (min, max, reach) => isWide(min, max) ? { min: min / 3, max: 3 * max } : fromZero(min, max, reach),
};

const WEIGHTS: BarMetric = {
  figure: "weights",
  pass: "speed",
  title: "Weights",
  subtitle: "(Lower is Better)",
  axis: "MiB",
  scale: 2 ** -20,
  format: (value) => significant(value, 4),
  range: fromZero,
};

/**
 * Returns what a comparison of number types shows: speed and memory over quality and the weights' size.
 *
 * @param results A run's results.
 * @returns Eight charts, in order: four for each row.
 *
 * @example
 * ```ts
 * import { precisionMetrics } from "./bar_metrics.ts";
 *
 * const metrics = precisionMetrics({ config: { device: "cuda" }, aggregated_stats: {}, configurations: [] });
 * console.log(metrics.map(({ title }) => title).slice(4)); // [ "Perplexity", "Accuracy", "KL Divergence", "Weights" ]
 * ```
 */
export function precisionMetrics(results: Parameters<typeof barMetrics>[0]): readonly BarMetric[] {
  const [throughput, tpot, ttft, perplexity, memory] = barMetrics(results) as BarMetric[];
  return [throughput!, tpot!, ttft!, memory!, perplexity!, ACCURACY, DISTANCE, WEIGHTS];
}

/** Fields of results.json that tell how many configurations' caches are known. */
type Measured = Pick<BenchmarkResults, "aggregated_stats"> & {
  configurations: readonly Pick<BenchmarkResults["configurations"][number], "name" | "held" | "weight_bytes">[];
};

/** Whether every measured configuration says what its speed pass held: bars of two kinds could not be compared. */
function isHeldKnown({ aggregated_stats, configurations }: Measured): boolean {
  return configurations.every(({ name, held }) => held !== undefined || aggregated_stats[name] === undefined);
}

/**
 * Returns a figure of a configuration.
 *
 * @param results A run's results.
 * @param name The configuration.
 * @param figure Which figure.
 * @returns The figure, in the stored unit.
 *
 * @example
 * ```ts
 * import { barFigure } from "./bar_metrics.ts";
 * import { aggregateAll } from "../results/stats.ts";
 *
 * const aggregated_stats = aggregateAll([{ method: "baseline", ttft: 0.0123, tpot: 0.0045, throughput: 156.78,
 *   perplexity: 42.35, accuracy: 0.3567, peak_vram_gb: 5.23, final_cache_size: 2000 }]);
 * console.log(barFigure({ aggregated_stats, configurations: [], raw_results: [] }, "baseline", "ttft"));
 * // { value: 0.0123, std: 0 }
 * ```
 */
export function barFigure(
  results:
    & Measured
    & Pick<BenchmarkResults, "raw_results" | "divergence">
    & { config?: Pick<BenchmarkResults["config"], "compared_with"> },
  name: string,
  figure: BarMetric["figure"],
): BarFigure {
  const stats = results.aggregated_stats[name];
  if (stats === undefined) return { value: undefined, std: 0 };
  if (figure === "mean_kl") {
    const isReference = name === comparedWith(results.config);
    const distance = results.divergence?.[name]?.mean_kl.estimate ?? null;
    return { value: distance, std: 0, ...(isReference ? { missing: "reference" } : {}) };
  }
  if (figure === "weights") {
    return { value: weightBytesOf(results, name), std: 0 };
  }
  if (figure !== "kv_bytes") return { value: stats[figure], std: stats.n > 1 ? stats.std[figure] ?? 0 : 0 };
  const held = results.configurations.find((record) => record.name === name)?.held;
  const samples = results.raw_results.filter(({ method }) => method === name).flatMap(({ memory }) =>
    memory ? [memory.kv_held] : []
  );
  if (held !== undefined && isHeldKnown(results)) return { value: held.speed.mean_kv_bytes, std: 0 };
  return { value: samples.length === 0 ? null : mean(samples), std: 0 };
}
