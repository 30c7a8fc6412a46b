/**
 * Readers of spread_types.ts.
 *
 * @module
 */
import { figure, type JsonReader, list, nullable, number, object, oneOf, optional, string } from "./json_reader.ts";
import { memoryFigures, vramMethod } from "./memory_reader.ts";
import type {
  Comparison,
  Conditions,
  Divergence,
  DivergenceFigures,
  GpuConditions,
  HeldInPass,
  Interval,
  QualityComparison,
  SpeedRun,
  TimeComparison,
  TokenComparison,
} from "./spread_types.ts";

const interval: JsonReader<Interval> = object<Interval>({
  estimate: figure,
  low: figure,
  high: figure,
  confidence: number,
});

/** Reads how a configuration compares with the baseline. */
export const comparison: JsonReader<Comparison> = object<Comparison>({
  time: optional(object<TimeComparison>({
    rounds: number,
    by: oneOf("wilcoxon", "t"),
    ttft: interval,
    tpot: interval,
    throughput: interval,
  })),
  quality: optional(object<QualityComparison>({
    ln_ppl_ratio: interval,
    ln_ppl_ratio_evicted: nullable(interval),
    accuracy: interval,
    texts: number,
  })),
  tokens: optional(object<TokenComparison>({ first_difference: list(nullable(number)), tokens: number })),
});

/** Reads the distance from the full cache at each step. */
export const divergence: JsonReader<Divergence> = object<Divergence>({
  kl: list(figure),
  token_probability: list(figure),
  same_top: list(number),
  first: number,
  stride: number,
});

/** Reads the distance from the full cache over all samples. */
export const divergenceFigures: JsonReader<DivergenceFigures> = object<DivergenceFigures>({
  mean_kl: interval,
  median_kl: figure,
  p99_kl: figure,
  max_kl: figure,
  same_top: interval,
  rms_token_probability: figure,
  steps: number,
});

/** Reads what a pass held. */
export const heldInPass: JsonReader<HeldInPass> = object<HeldInPass>({
  mean_entries: number,
  by_layer: list(number),
  share: number,
  mean_kv_bytes: number,
  final_kv_bytes: number,
});

const leastAndMean = nullable(object({ min: number, mean: number }));

const conditions: JsonReader<Conditions> = object<Conditions>({
  other_cores: nullable(number),
  load_average: number,
  gpu: optional(object<GpuConditions>({
    samples: number,
    sm_mhz: leastAndMean,
    memory_mhz: leastAndMean,
    power_w: nullable(object({ mean: number, max: number })),
    temperature_c: nullable(number),
    throttled_by: list(string),
    other_processes: nullable(number),
  })),
});

/** Reads one speed pass. */
export const speedRun: JsonReader<SpeedRun> = object<SpeedRun>({
  method: string,
  round: number,
  place: number,
  sample: number,
  ttft: figure,
  tpot: figure,
  throughput: figure,
  step_times_s: list(figure),
  entries_copied: number,
  tokens: optional(list(number)),
  peak_vram_gb: nullable(number),
  vram_method: optional(vramMethod),
  memory: memoryFigures,
  conditions: optional(conditions),
});

/** Reads why a row's times are to be doubted. */
export const mark = oneOf("throttled", "shared", "unsteady");
