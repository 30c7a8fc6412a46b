import type { Interval } from "../results/spread_types.ts";
import type { BenchmarkResults } from "../results/types.ts";
import { type Look, seriesLooks } from "./method_looks.ts";
import { seriesOf } from "./series.ts";

/** A figure; its interval is left out if it is not known. */
export interface Spread {
  value: number;
  low?: number;
  high?: number;
}

/** A configuration in the pictures of budget and frontier. */
export interface HeldPoint {
  name: string;
  /** Its name without the size. */
  series: string;
  /** Its size, as its name has it; "" if it has none. */
  size: string;
  /** "baseline" for the full cache, "control" for `recent_only`. */
  role: "baseline" | "control" | "method";
  look: Look;
  /** Mean share of the full cache that it holds in the quality pass, 0..1; undefined if it is not known. */
  share: number | undefined;
  /** Mean KL divergence from the full cache, nats; 0 for the full cache itself. */
  kl: Spread | undefined;
  /** Perplexity. */
  ppl: Spread | undefined;
  /** Time per output token, ms. */
  tpot: Spread | undefined;
}

/** Fields of results.json that {@linkcode heldPoints} reads. */
export type PointResults =
  & Pick<BenchmarkResults, "aggregated_stats" | "comparisons" | "divergence">
  & {
    configurations: readonly Pick<
      BenchmarkResults["configurations"][number],
      "name" | "method" | "held" | "budget" | "dtype"
    >[];
  };

/**
 * Returns every measured configuration's place in the pictures of budget and frontier.
 *
 * Perplexity and TPOT with an interval are the baseline's times the interval of their ratio: what both share, such as
 * the text, does not make it longer.
 *
 * @param results A run's results, of schema 1 or 2. Without `held`, the share is that of the entries at the end.
 * @returns One for each configuration with averages, in the order of the table. What is not finite is undefined.
 *
 * @example
 * ```ts
 * import { heldPoints } from "./held_points.ts";
 * import { aggregateAll } from "../results/stats.ts";
 *
 * const sample = { ttft: 0.01, tpot: 0.004, throughput: 150, perplexity: 42, accuracy: 0.3, peak_vram_gb: 0 };
 * const points = heldPoints({
 *   aggregated_stats: aggregateAll([
 *     { ...sample, method: "baseline", final_cache_size: 2000 },
 *     { ...sample, method: "tova_500", final_cache_size: 500 },
 *   ]),
 *   configurations: [{ name: "baseline", method: "baseline" }, { name: "tova_500", method: "tova" }],
 * });
 * console.log(points[1]?.series, points[1]?.share, points[1]?.tpot); // "tova" 0.25 { value: 4 }
 * ```
 */
export function heldPoints(results: PointResults): HeldPoint[] {
  const { aggregated_stats: stats, configurations, comparisons = {}, divergence = {} } = results;
  const looks = seriesLooks(configurations);
  const baseline = configurations.find(({ name, method }) => method === "baseline" && stats[name] !== undefined)?.name;
  const full = baseline === undefined ? undefined : stats[baseline];
  return configurations.flatMap(({ name, method, held, budget }, index): HeldPoint[] => {
    const own = stats[name];
    if (own === undefined) return [];
    const { time, quality } = comparisons[name] ?? {};
    const { series, size } = seriesOf(name);
    const isFull = method === "baseline";
    const share = isFull ? 1 : held?.quality.share ?? own.cache_size / (full?.cache_size ?? NaN);
    const distance = divergence[name]?.mean_kl;
    return [{
      name,
      series,
      size: size || (budget?.asked ?? ""),
      role: isFull ? "baseline" : method === "recent_only" ? "control" : "method",
      look: looks[index]!,
      share: share > 0 && Number.isFinite(share) ? share : undefined,
      kl: isFull && Object.keys(divergence).length > 0
        ? { value: 0 }
        : distance && spreadOf(distance.estimate, distance, (nats) => Math.max(0, nats)),
      ppl: spreadOf(own.perplexity, quality?.ln_ppl_ratio, (ratio) => (full?.perplexity ?? NaN) * Math.exp(ratio)),
      tpot: spreadOf(1000 * own.tpot, time?.tpot, (ratio) => 1000 * (full?.tpot ?? NaN) * ratio, true),
    }];
  });
}

/**
 * Makes a figure of an interval, converted; of `value` alone if there is no interval.
 *
 * @param positive Whether zero stands for a figure that was not measured.
 */
function spreadOf(
  value: number,
  interval: Interval | undefined,
  convert: (end: number) => number,
  positive = false,
): Spread | undefined {
  if (interval !== undefined) {
    const [estimate, low, high] = [interval.estimate, interval.low, interval.high].map(convert) as [
      number,
      number,
      number,
    ];
    if ([estimate, low, high].every(Number.isFinite)) return { value: estimate, low, high };
    if (Number.isFinite(estimate)) return { value: estimate };
  }
  return Number.isFinite(value) && (!positive || value > 0) ? { value } : undefined;
}

/**
 * Tells whether a run has a method at several budgets, each with a figure: only then is there a line to draw.
 *
 * @param points From {@linkcode heldPoints}.
 * @param has Whether a configuration has what the picture shows.
 * @returns True if a series that is neither the baseline nor a control has two budgets.
 *
 * @example
 * ```ts
 * import { hasSeveralBudgets } from "./held_points.ts";
 *
 * console.log(hasSeveralBudgets([], () => true)); // false
 * ```
 */
export function hasSeveralBudgets(points: readonly HeldPoint[], has: (point: HeldPoint) => boolean): boolean {
  const methods = points.filter((point) => point.role === "method" && has(point));
  return [...Map.groupBy(methods, keyOf).values()].some((group) =>
    new Set(group.map(({ share, size }) => share ?? size)).size > 1
  );
}

/** What the points of one line have in common. */
function keyOf({ series, look }: HeldPoint): string {
  return `${series} ${look.color}`;
}

/**
 * Groups points into lines, one a series.
 *
 * @param points From {@linkcode heldPoints}.
 * @returns Series in the order of the table, each with its points.
 *
 * @example
 * ```ts
 * import { seriesIn } from "./held_points.ts";
 *
 * console.log(seriesIn([])); // []
 * ```
 */
export function seriesIn<T extends HeldPoint>(points: readonly T[]): { label: string; look: Look; points: T[] }[] {
  return [...Map.groupBy(points, keyOf).values()].map((group) => ({
    label: group.length === 1 ? group[0]!.name : group[0]!.series,
    look: group[0]!.look,
    points: group,
  }));
}
