import { mean, type StatName } from "../results/stats.ts";
import type { BenchmarkResults } from "../results/types.ts";
import { significant } from "../tables/significant.ts";

/** One of the six charts of a comparison. */
export interface BarMetric {
  /** The averaged figure; "kv_bytes" is what the KV cache holds. */
  figure: StatName | "kv_bytes";
  /** The pass that it is measured in. */
  pass: "speed" | "quality";
  title: string;
  subtitle: string;
  axis: string;
  /** Factor from the stored unit to the axis's. */
  scale: number;
  format: (value: number) => string;
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

/** Fields of results.json that tell how many configurations' caches are known. */
type Measured = Pick<BenchmarkResults, "aggregated_stats"> & {
  configurations: readonly Pick<BenchmarkResults["configurations"][number], "name" | "held">[];
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
  results: Measured & Pick<BenchmarkResults, "raw_results">,
  name: string,
  figure: BarMetric["figure"],
): BarFigure {
  const stats = results.aggregated_stats[name];
  if (stats === undefined) return { value: undefined, std: 0 };
  if (figure !== "kv_bytes") return { value: stats[figure], std: stats.n > 1 ? stats.std[figure] ?? 0 : 0 };
  const held = results.configurations.find((record) => record.name === name)?.held;
  const samples = results.raw_results.filter(({ method }) => method === name).flatMap(({ memory }) =>
    memory ? [memory.kv_held] : []
  );
  if (held !== undefined && isHeldKnown(results)) return { value: held.speed.mean_kv_bytes, std: 0 };
  return { value: samples.length === 0 ? null : mean(samples), std: 0 };
}
