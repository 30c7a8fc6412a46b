import type { Interval } from "../../results/spread_types.ts";
import type { AveragedFigures, BenchmarkResults, ConfigurationRecord } from "../../results/types.ts";
import { rowFigures } from "../row_figures.ts";

/** A value of a field. null: there is none. */
export type FieldValue = string | number | null | readonly string[] | Readonly<Record<string, string | number>>;

/**
 * Lists a configuration's fields for programs: the same names in the same order for every configuration and run. Names
 * end in the unit; figures have full precision. docs/metrics.md describes each field.
 *
 * @param results A run's results, or those so far.
 * @param record The configuration.
 * @returns The fields by name.
 *
 * @example
 * ```ts
 * import { rowFields } from "./row_fields.ts";
 * import type { BenchmarkResults } from "../../results/types.ts";
 *
 * const rows = (results: BenchmarkResults) => results.configurations.map((record) => rowFields(results, record));
 * ```
 */
export function rowFields(results: BenchmarkResults, record: ConfigurationRecord): Record<string, FieldValue> {
  const { config, aggregated_stats, comparisons, divergence, failures } = results;
  const { name, method, status, positions, params, dropped, notes = [], marks = [] } = record;
  const stats = aggregated_stats[name];
  const mean = (figure: keyof AveragedFigures) => stats?.[figure] ?? null;
  const std = (figure: keyof AveragedFigures) => stats?.std[figure] ?? null;
  const figures = rowFigures(results, name);
  const { time, quality } = comparisons?.[name] ?? {};
  const distance = divergence?.[name];
  return {
    name,
    method,
    params,
    positions,
    status,
    reason: failures.find((failure) => failure.method === name)?.reason ?? null,
    model: config.model_id,
    dataset: config.dataset,
    device: config.device,
    dtype: record.dtype ?? config.dtype,
    timestamp: config.timestamp,
    samples: stats?.n ?? null,
    rounds: time?.rounds ?? null,
    ttft_s: mean("ttft"),
    ttft_std_s: std("ttft"),
    ...around("ttft_ratio", time?.ttft),
    tpot_s: mean("tpot"),
    tpot_std_s: std("tpot"),
    ...around("tpot_ratio", time?.tpot),
    first_step_s: figures.first_step,
    step_median_s: figures.tpot_median,
    step_p95_s: figures.tpot_p95,
    throughput_tokens_per_s: mean("throughput"),
    throughput_std_tokens_per_s: std("throughput"),
    ...around("throughput_ratio", time?.throughput),
    perplexity: mean("perplexity"),
    perplexity_std: std("perplexity"),
    perplexity_evicted: figures.perplexity_evicted,
    ...around("perplexity_ln_ratio", quality?.ln_ppl_ratio),
    ...around("perplexity_evicted_ln_ratio", quality?.ln_ppl_ratio_evicted),
    accuracy: mean("accuracy"),
    accuracy_std: std("accuracy"),
    ...around("accuracy_difference", quality?.accuracy),
    ...around("kl_nats", distance?.mean_kl),
    ...around("same_top", distance?.same_top),
    peak_vram_gib: mean("peak_vram_gb"),
    decode_vram_bytes: figures.decode_vram_bytes,
    cache_entries: mean("cache_size"),
    held_entries: figures.held_entries,
    held_share: figures.held_share,
    kv_mean_bytes: figures.mean_kv_bytes,
    kv_final_bytes: figures.final_kv_bytes,
    dropped_entries: dropped?.quality ?? null,
    dropped_speed_entries: dropped?.speed ?? null,
    marks,
    notes,
  };
}

/** An estimate and the ends of its interval. */
function around(name: string, interval: Interval | null | undefined): Record<string, number | null> {
  return {
    [name]: interval?.estimate ?? null,
    [`${name}_low`]: interval?.low ?? null,
    [`${name}_high`]: interval?.high ?? null,
  };
}
