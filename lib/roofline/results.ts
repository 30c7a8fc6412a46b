import type { FloatType } from "../util/dtype.ts";
import type { AttentionForm } from "../model/graph/attention/attention_form.ts";
import type { ModelSpec } from "../model/spec.ts";
import { mean, median, p95 } from "../report/results/stats.ts";
import type { Environment } from "../report/results/types.ts";
import { type BreakEven, breakEven, type FullCachePoint } from "./break_even.ts";
import type { BudgetMethodName } from "./budget_methods.ts";
import { floorSeconds, type ModelCost, modelCost, prefillFlops } from "./floor.ts";
import { type MedianInterval, medianInterval } from "./median_interval.ts";
import type { Bandwidth, RawRow, StartFigures } from "./protocol.ts";

/** A measured row, and the method and form it belongs to. */
export interface NamedRow {
  readonly method: BudgetMethodName | "baseline";
  readonly attention: AttentionForm;
  readonly row: RawRow;
}

/** A row of the table. Times in s, memory in bytes, shares of the time per token. */
export interface RooflineRow {
  /** "baseline" is the full cache. */
  readonly method: NamedRow["method"];
  readonly attention: AttentionForm;
  /** Entries held by the full cache; the method's budget. */
  readonly length: number;
  /** Bytes that a step must read. */
  readonly bytes: { readonly weights: number; readonly kv: number };
  readonly floor_s: number;
  readonly tpot_s: MedianInterval & { readonly p95: number; readonly mean: number; readonly n: number };
  /** The median over the floor. */
  readonly ratio: number;
  /**
   * Relative to the full cache of the same form and length; null for the full cache itself, and if it ran other
   * kernels.
   */
  readonly eviction_share: number | null;
  /** Work of a step alone: on CUDA its time if others are queued after it; on a CPU its time in ONNX Runtime. */
  readonly device_s: number;
  /** The rest of the time per token. */
  readonly host_share: number;
  /** Null if no prompt was timed. */
  readonly ttft:
    | { readonly median_s: number; readonly n: number; readonly flops: number; readonly flops_per_s: number }
    | null;
  readonly memory: {
    /** Bytes of the weights and the entries held. */
    readonly theory: number;
    /** The process's peak over its level before the model; null on a CPU. */
    readonly peak: number | null;
    readonly rest: number | null;
  };
  readonly raw: RawRow;
}

/**
 * One row measured in two processes, at the beginning and at the end: smaller differences between rows mean nothing.
 */
export interface Control {
  readonly length: number;
  /** Median steps, s. */
  readonly first_s: number;
  readonly again_s: number;
  /** The absolute difference, relative to the smaller. */
  readonly drift: number;
  readonly raw: RawRow;
}

/** What the engine benchmark prints with `--json`. */
export interface RooflineResults {
  readonly config: {
    readonly model: string;
    readonly random_weights: boolean;
    readonly device: "cuda" | "cpu";
    readonly dtype: FloatType;
    readonly lengths: readonly number[];
    readonly full_lengths: readonly number[];
    readonly methods: readonly string[];
    readonly steps: number;
    readonly prefills: number;
    /** Whether each row had a process of its own, so that each peak of memory belongs to its row alone. */
    readonly isolated: boolean;
    readonly timestamp: string;
  };
  readonly model: ModelCost;
  /** The faster of `bandwidths`, which the floors use. */
  readonly bandwidth: Bandwidth;
  /** Measured before the rows and after them. */
  readonly bandwidths: readonly Bandwidth[];
  readonly rows: readonly RooflineRow[];
  /** The first row, measured again after all others; null if that failed. */
  readonly control: Control | null;
  /** Time from the start of a process to the first token; null if that failed. */
  readonly start: StartFigures | null;
  readonly break_even: readonly ({ readonly method: BudgetMethodName; readonly budget: number } & BreakEven)[];
  readonly failures: readonly { readonly method: string; readonly length: number; readonly reason: string }[];
  readonly environment: Environment;
}

/**
 * Derives the rows of the table from measured rows.
 *
 * @param measured The rows, including the full cache's.
 * @param spec The decoder.
 * @param dtype The type computed in.
 * @param bandwidth Bytes per second.
 * @returns The rows, by length and then in the order given.
 */
export function deriveRows(
  measured: readonly NamedRow[],
  spec: ModelSpec,
  dtype: FloatType,
  bandwidth: number,
): RooflineRow[] {
  const cost = modelCost(spec, dtype);
  const full = (attention: AttentionForm, length: number) =>
    measured.find((other) =>
      other.method === "baseline" && other.attention === attention && other.row.length === length
    );
  return measured.map(({ method, attention, row }): RooflineRow => {
    const bytes = { weights: cost.stepWeightBytes, kv: row.kv_read };
    const floor_s = floorSeconds(bytes.weights + bytes.kv, bandwidth);
    const interval = medianInterval(row.step_s);
    const tpot_s = { ...interval, p95: p95(row.step_s), mean: mean(row.step_s), n: row.step_s.length };
    const baseline = method === "baseline" ? undefined : full(attention, row.length);
    const reference = baseline?.row.kernels === row.kernels ? baseline : undefined;
    const queued = row.queued_step_s.length > 0;
    const device_s = median(queued ? row.queued_step_s : row.run_s);
    const host = queued ? tpot_s.median - device_s : median(row.step_s.map((step, i) => step - row.run_s[i]!));
    const flops = prefillFlops(spec, row.length);
    const ttft = row.ttft_s.length === 0 ? null : median(row.ttft_s);
    const theory = cost.weightBytes + row.kv_held;
    const peak = row.vram?.peak ?? null;
    return {
      method,
      attention,
      length: row.length,
      bytes,
      floor_s,
      tpot_s,
      ratio: tpot_s.median / floor_s,
      eviction_share: reference ? (tpot_s.median - median(reference.row.step_s)) / tpot_s.median : null,
      device_s,
      host_share: host / tpot_s.median,
      ttft: ttft === null ? null : { median_s: ttft, n: row.ttft_s.length, flops, flops_per_s: flops / ttft },
      memory: { theory, peak, rest: peak === null ? null : peak - theory },
      raw: row,
    };
  }).sort((a, b) => a.length - b.length);
}

/**
 * Compares two measurements of one row.
 *
 * @example
 * ```ts
 * import { deriveControl } from "./results.ts";
 *
 * const row = (...step_s: number[]) => ({
 *   length: 256, step_s, queue_s: [], run_s: [], queued_step_s: [], ttft_s: [],
 *   kv_held: 0, kv_read: 0, kv_allocated: 0, entries_copied: 0, vram: null, kernels: "ort" as const,
 * });
 * console.log(deriveControl(row(2, 2, 9), row(1, 3, 3)).drift); // 0.5
 * ```
 *
 * @param first The row in the table.
 * @param again The same row, measured last.
 * @returns The control.
 */
export function deriveControl(first: RawRow, again: RawRow): Control {
  const [first_s, again_s] = [median(first.step_s), median(again.step_s)];
  const drift = Math.abs(again_s - first_s) / Math.min(first_s, again_s);
  return { length: first.length, first_s, again_s, drift, raw: again };
}

/**
 * Finds from which length on each method is faster than the full cache in its default form of attention.
 *
 * @param rows All rows.
 * @param own That form.
 * @param drift Relative difference between rows of different processes: intervals are widened by it.
 * @returns One result for each method and budget, in the order of the rows; empty for fewer than two full caches.
 */
export function deriveBreakEven(
  rows: readonly RooflineRow[],
  own: AttentionForm,
  drift: number,
): RooflineResults["break_even"] {
  const widened = ({ median, low, high }: MedianInterval) => ({
    median,
    low: low * (1 - Math.min(1, drift)),
    high: high * (1 + drift),
  });
  const full: FullCachePoint[] = rows
    .filter(({ method, attention }) => method === "baseline" && attention === own)
    .map(({ length, tpot_s }) => ({ length, ...widened(tpot_s) }));
  if (full.length < 2) return [];
  return rows.flatMap(({ method, length: budget, tpot_s }) =>
    method === "baseline" ? [] : [{ method, budget, ...breakEven(full, widened(tpot_s), budget) }]
  );
}
