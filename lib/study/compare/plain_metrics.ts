/**
 * Metrics that need no statistics: whether a configuration was measured, and memory.
 *
 * @module
 */
import type { CellRun } from "./cells.ts";
import type { Effect } from "./statistics/effect.ts";
import type { CompareOptions } from "./types.ts";
import type { JudgedMetric } from "./verdict.ts";

/**
 * Compares how a configuration ended: one that failed on a side has no figures there.
 *
 * @example
 * ```ts
 * import { statusMetric } from "./plain_metrics.ts";
 * import type { CellPair } from "./cells.ts";
 *
 * const failsNow = ({ a, b }: CellPair) => statusMetric(a.runs.at(-1)!, b.runs.at(-1)!)?.fixed === "worse";
 * ```
 *
 * @param a Before.
 * @param b Now.
 * @returns undefined if it was measured on both sides.
 */
export function statusMetric(a: CellRun, b: CellRun): JudgedMetric | undefined {
  const [before, after] = [a.record.status === "done", b.record.status === "done"];
  if (before && after) return undefined;
  const of = ({ results, record }: CellRun) => results.failures.find(({ method }) => method === record.name)?.reason;
  const base = { metric: "status", a: Number(!before), b: Number(!after), is_ratio: false, effect: null, margin: 0 };
  if (before) return { ...base, metric: "status", fixed: "worse", reason: `it fails now: ${of(b)}` };
  if (after) return { ...base, metric: "status", fixed: "better", reason: `it failed before: ${of(a)}` };
  return { ...base, metric: "status", fixed: "same", reason: `it fails on both sides: ${of(b)}` };
}

/**
 * Compares memory: bytes of keys and values, which follow from sizes alone and are exact, and the peak of GPU memory,
 * which is sampled and repeats to about a hundredth.
 *
 * @example
 * ```ts
 * import { memoryMetrics } from "./plain_metrics.ts";
 * import type { CellRun } from "./cells.ts";
 *
 * const names = (a: CellRun, b: CellRun) =>
 *   memoryMetrics(a, b, { min_memory: 0.01 }).map(({ metric }) => metric);
 * ```
 *
 * @param a Before.
 * @param b Now.
 * @param options The smallest change of GPU memory that matters, as a share.
 * @returns Those that both have.
 */
export function memoryMetrics(
  a: CellRun,
  b: CellRun,
  { min_memory }: Pick<CompareOptions, "min_memory">,
): JudgedMetric[] {
  const held = ({ record }: CellRun) => record.held?.quality.mean_kv_bytes;
  const peak = ({ results, record }: CellRun) => {
    const gib = results.aggregated_stats[record.name]?.peak_vram_gb;
    return gib == null ? undefined : gib * 2 ** 30;
  };
  const metric = (metric: "kv_bytes" | "vram", a: number | undefined, b: number | undefined, margin: number) =>
    a === undefined || b === undefined || !(a > 0) || !(b > 0)
      ? []
      : [{ metric, a, b, is_ratio: false, effect: exact(Math.log(b / a)), margin }];
  return [...metric("kv_bytes", held(a), held(b), 0), ...metric("vram", peak(a), peak(b), Math.log1p(min_memory))];
}

function exact(estimate: number): Effect {
  return { estimate, low: estimate, high: estimate, confidence: 1, by: "exact", p: null };
}
