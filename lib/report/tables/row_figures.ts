import { mean, median, p95 } from "../results/stats.ts";
import type { BenchmarkResults, ConfigurationRecord, RawResult } from "../results/types.ts";
import { average } from "./phase_table.ts";

/** Fields of results.json that {@linkcode rowFigures} reads. */
export type FiguredResults =
  & Pick<BenchmarkResults, "aggregated_stats" | "speed_runs" | "divergence" | "evicted_from">
  & {
    /** What was measured, by configuration and text sample. */
    raw_results: readonly RawResult[];
    /** Every configuration. */
    configurations: readonly ConfigurationRecord[];
  };

/**
 * Figures of a configuration that the first table does not have: means over the samples. null: there is none in these
 * results. NaN or infinite: it was measured so, or a sample was.
 */
export interface RowFigures {
  /** Time per output token after the first, s: median over the rounds. */
  tpot: number | null;
  /** Time of the first step, eviction after the prompt included, s. */
  first_step: number | null;
  /** Median of the other steps' times, s. */
  tpot_median: number | null;
  /** Their 95th percentile, s. */
  tpot_p95: number | null;
  /** exp(mean NLL) over the steps after which every configuration that ever evicts has evicted. */
  perplexity_evicted: number | null;
  /** Mean KL divergence from the full cache, nats. */
  mean_kl: number | null;
  /** Share of steps with the full cache's most likely token, 0..1. */
  same_top: number | null;
  /** Entries of a layer, mean over layers and steps of the quality pass. */
  held_entries: number | null;
  /** Share of the full cache in the same steps, 0..1. */
  held_share: number | null;
  /** Bytes of keys and values, mean over the quality pass. */
  mean_kv_bytes: number | null;
  /** The same at its end. */
  final_kv_bytes: number | null;
  /** Peak of the process's GPU memory in the decode phase over its level before the model was loaded, bytes. */
  decode_vram_bytes: number | null;
}

/**
 * Computes a configuration's figures for the second table and the formats. Results of schema 1 have those of times too:
 * from their steps.
 *
 * @param results A run's results.
 * @param name The configuration's name.
 * @returns Its figures; times in s, memory in bytes.
 *
 * @example
 * ```ts
 * import { rowFigures } from "./row_figures.ts";
 * import type { BenchmarkResults } from "../results/types.ts";
 *
 * const heldPercent = (results: BenchmarkResults) => (rowFigures(results, "streaming_256").held_share ?? NaN) * 100;
 * ```
 */
export function rowFigures(results: FiguredResults, name: string): RowFigures {
  const samples = results.raw_results.filter(({ method }) => method === name);
  const over = (figure: (raw: RawResult) => number | null) =>
    samples.length === 0 ? null : average(samples.map(figure));
  const held = results.configurations.find((record) => record.name === name)?.held?.quality;
  const distance = results.divergence?.[name];
  return {
    tpot: medianOfRounds(results, name),
    first_step: over((raw) => raw.first_step_s ?? raw.step_times_s[0] ?? null),
    tpot_median: over((raw) => raw.tpot_median ?? ofSteps(raw, median)),
    tpot_p95: over((raw) => raw.tpot_p95 ?? ofSteps(raw, p95)),
    perplexity_evicted: over((raw) => perplexityFrom(raw, results.evicted_from ?? null)),
    mean_kl: distance?.mean_kl.estimate ?? null,
    same_top: distance?.same_top.estimate ?? null,
    held_entries: held?.mean_entries ?? null,
    held_share: held?.share ?? null,
    mean_kv_bytes: held?.mean_kv_bytes ?? null,
    final_kv_bytes: held?.final_kv_bytes ?? null,
    decode_vram_bytes: over(({ memory }) => memory?.phases?.decode.process.peak ?? null),
  };
}

/** The median over the rounds of each sample, averaged over the samples as every figure is. */
function medianOfRounds({ speed_runs = [], aggregated_stats }: FiguredResults, name: string): number | null {
  const runs = Map.groupBy(speed_runs.filter(({ method }) => method === name), ({ sample }) => sample);
  if (runs.size === 0) return aggregated_stats[name]?.tpot ?? null;
  return mean([...runs.values()].map((rounds) => median(rounds.map(({ tpot }) => tpot))));
}

/** The first step is left out: it includes the eviction after the prompt. */
function ofSteps({ step_times_s: [, ...times] }: RawResult, of: (times: readonly number[]) => number): number | null {
  return times.length === 0 ? null : of(times);
}

function perplexityFrom({ nll }: RawResult, first: number | null): number | null {
  return first === null || first >= nll.length ? null : Math.exp(mean(nll.slice(first)));
}
