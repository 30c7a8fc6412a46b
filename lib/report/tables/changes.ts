import { sampleStd } from "../results/stats.ts";
import type { AggregatedStats, BenchmarkResults, ConfigurationRecord, RawResult } from "../results/types.ts";

/** Figures that are compared with the baseline's. */
const COMPARED = [
  "throughput",
  "tpot",
  "perplexity",
  "accuracy",
  "peak_vram_gb",
] as const satisfies readonly ComparedName[];

/** Their column titles, as in the table. */
const TITLES: Record<ComparedName, string> = {
  throughput: "Thruput",
  tpot: "TPOT",
  perplexity: "PPL",
  accuracy: "Acc",
  peak_vram_gb: "VRAM",
};

/** A compared figure, by its name in results.json. */
export type ComparedName = "throughput" | "tpot" | "perplexity" | "accuracy" | "peak_vram_gb";

/** Change of one figure against the baseline. */
export interface Change {
  /** (mean / baseline's mean - 1) x 100; NaN or Infinity if a figure is not finite. */
  percent: number;
  /** Sample standard deviation of the change over texts, in percentage points; null for one text. */
  std: number | null;
}

/** A configuration's changes. null: the baseline's figure is 0, so no percentage exists. */
export type MethodChanges =
  & { method: string }
  & Record<Exclude<ComparedName, "peak_vram_gb">, Change | null>
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
}

/**
 * Computes every configuration's change against the baseline, in percent of the baseline.
 *
 * Baseline and method are measured on the same texts, and texts differ more than methods do. So the uncertainty is that
 * of the change itself, text by text; the spread of the texts cancels out. If the two share fewer than two texts, the
 * uncertainty is propagated from both standard deviations, as for independent measurements.
 *
 * @param results Means give the change, raw results its uncertainty.
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
  const baseline = results.aggregated_stats["baseline"];
  if (baseline === undefined) return [];
  return results.configurations.flatMap(({ name }) => {
    const stats = results.aggregated_stats[name];
    if (name === "baseline" || stats === undefined) return [];
    const of = (figure: ComparedName) => change(results, name, stats, baseline, figure);
    const unmeasured = stats.peak_vram_gb === null || baseline.peak_vram_gb === null;
    return [{
      method: name,
      throughput: of("throughput"),
      tpot: of("tpot"),
      perplexity: of("perplexity"),
      accuracy: of("accuracy"),
      peak_vram_gb: unmeasured ? "n/a" : of("peak_vram_gb"),
    }];
  });
}

function change(
  results: ComparedResults,
  name: string,
  stats: AggregatedStats,
  baseline: AggregatedStats,
  figure: ComparedName,
): Change | null {
  const [value, reference] = [stats[figure] ?? NaN, baseline[figure] ?? NaN];
  // Against an infinite figure, every other one would be 100 % less.
  if (!Number.isFinite(reference) || Number.isNaN(value)) return { percent: NaN, std: null };
  if (reference === 0) return null;
  const ratio = value / reference;
  const percent = (ratio - 1) * 100;
  const before = new Map(
    results.raw_results.filter((raw) => raw.method === "baseline").map((raw) => [raw.sample, raw[figure]]),
  );
  const pairs = results.raw_results.flatMap((raw) => {
    const base = raw.method === name ? before.get(raw.sample) : undefined;
    const own = raw[figure];
    return base === undefined || base === null || own === null ? [] : [(own / base - 1) * 100];
  });
  if (pairs.length > 1 && pairs.every(Number.isFinite)) return { percent, std: sampleStd(pairs) };
  if (stats.n < 2 || baseline.n < 2) return { percent, std: null };
  const spread = Math.hypot((stats.std[figure] ?? NaN) / value, (baseline.std[figure] ?? NaN) / reference);
  return { percent, std: Number.isFinite(spread) ? Math.abs(ratio) * spread * 100 : null };
}

/**
 * Formats the changes as lines for the console.
 *
 * @param changes From {@linkcode changesAgainstBaseline}.
 * @returns A title line and one line for each configuration, without a line end; "" if there are no changes.
 *
 * @example
 * ```ts
 * import { formatChanges } from "./changes.ts";
 *
 * console.log(formatChanges([{
 *   method: "streaming_256",
 *   throughput: { percent: -9.23, std: 0.41 },
 *   tpot: { percent: 15.6, std: 0.5 },
 *   perplexity: { percent: 6.54, std: 1.2 },
 *   accuracy: { percent: -2.19, std: 0.3 },
 *   peak_vram_gb: null,
 * }]));
 * // Change vs baseline             Thruput           TPOT            PPL            Acc           VRAM
 * // streaming_256              -9.2% ± 0.4   +15.6% ± 0.5    +6.5% ± 1.2    -2.2% ± 0.3              -
 * ```
 */
export function formatChanges(changes: readonly MethodChanges[]): string {
  if (changes.length === 0) return "";
  const rows = changes.map((row) => [row.method, ...COMPARED.map((figure) => formatChange(row[figure]))]);
  rows.unshift(["Change vs baseline", ...COMPARED.map((figure) => TITLES[figure])]);
  // All columns have the width of the widest, so that figures line up.
  const name = Math.max(22, ...rows.map((row) => row[0]!.length));
  const width = Math.max(...rows.flatMap((row) => row.slice(1).map((cell) => cell.length))) + 3;
  return rows
    .map(([first, ...cells]) => first!.padEnd(name) + cells.map((cell) => cell.padStart(width)).join(""))
    .join("\n");
}

function formatChange(change: Change | "n/a" | null): string {
  if (change === null) return "-";
  if (change === "n/a") return change;
  if (Number.isNaN(change.percent)) return "nan";
  if (!Number.isFinite(change.percent)) return change.percent > 0 ? "+inf%" : "-inf%";
  const sign = change.percent < 0 ? "-" : "+";
  const size = Math.abs(change.percent);
  // Below 1000 % tenths matter; of an exploded perplexity only the magnitude does.
  const value = size < 1000 ? size.toFixed(1) : size < 1e6 ? size.toFixed(0) : size.toExponential(1);
  const spread = change.std === null
    ? ""
    : ` ± ${change.std < 1000 ? change.std.toFixed(1) : change.std.toPrecision(2)}`;
  return `${sign}${value}%${spread}`;
}
