import {
  boolean,
  either,
  figure,
  type JsonReader,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  string,
} from "./json_reader.ts";
import type {
  AggregatedStats,
  BenchmarkResults,
  ConfigurationRecord,
  DroppedEntries,
  Environment,
  Failure,
  QualitySample,
  RawResult,
  RunConfig,
} from "./types.ts";
import { memoryFigures, vramMethod } from "./memory_reader.ts";
import { comparison, divergence, divergenceFigures, heldInPass, mark, speedRun } from "./spread_reader.ts";

const rawResult: JsonReader<RawResult> = object<RawResult>({
  method: string,
  sample: number,
  ttft: figure,
  tpot: figure,
  throughput: figure,
  perplexity: figure,
  accuracy: figure,
  peak_vram_gb: nullable(number),
  vram_method: optional(vramMethod),
  final_cache_size: figure,
  layer_cache_sizes: list(number),
  step_times_s: list(figure),
  nll: list(figure),
  memory: optional(memoryFigures),
  entries_copied: object({ speed: figure, quality: figure }),
  tpot_median: optional(figure),
  tpot_p95: optional(figure),
  first_step_s: optional(figure),
  right: optional(list(number)),
  divergence: optional(divergence),
});

const qualitySample: JsonReader<QualitySample> = object<QualitySample>({
  method: string,
  sample: number,
  perplexity: figure,
  accuracy: figure,
  nll: list(figure),
  final_cache_size: figure,
  layer_cache_sizes: list(number),
  right: optional(list(number)),
  divergence: optional(divergence),
  entries_copied: number,
});

const averages = {
  ttft: figure,
  tpot: figure,
  throughput: figure,
  perplexity: figure,
  accuracy: figure,
  peak_vram_gb: nullable(number),
  cache_size: figure,
};

const config: JsonReader<RunConfig> = object<RunConfig>({
  model_id: string,
  revision: optional(string),
  weights: optional(string),
  method: string,
  num_samples: number,
  max_tokens: number,
  max_new_tokens: number,
  prompt_tokens: number,
  prefill_chunk: optional(nullable(number)),
  skip_layers: list(number),
  timestamp: string,
  resumed: optional(list(string)),
  command: optional(list(string)),
  kernels: optional(string),
  dataset: string,
  split: optional(string),
  text_column: optional(string),
  min_chars: optional(number),
  device: oneOf("cuda", "cpu"),
  dtype: string,
  tf32: optional(boolean),
  positions: string,
  num_warmup: number,
  seed: number,
  max_positions: optional(number),
  repetitions: optional(number),
  passes: optional(oneOf("speed", "quality", "both")),
  successive: optional(boolean),
  divergence: optional(boolean),
  compared_with: optional(string),
  texts: optional(number),
});

const environment: JsonReader<Environment> = object<Environment>({
  gpu: nullable(object({
    name: string,
    index: number,
    uuid: string,
    driver: string,
    cuda_driver: string,
    memory_bytes: number,
    clocks_mhz: object({ sm: number, memory: number, max_sm: number, max_memory: number }),
  })),
  cpu: object({ model: string, cores: number }),
  memory_bytes: number,
  os: string,
  deno: string,
  onnxruntime: string,
  onnxruntime_path: string,
  providers: list(string),
  git_commit: nullable(string),
  kvcompress: string,
  model_commit: optional(string),
  model_sha256: record(string),
  weights_fingerprint: optional(record(string)),
  code_sha256: optional(nullable(string)),
  host: optional(string),
  time_zone: optional(string),
  duration_s: optional(number),
  text_commit: optional(string),
  text_sha256: string,
  samples_sha256: optional(list(string)),
});

const failure: JsonReader<Failure> = object<Failure>({
  method: string,
  reason: string,
  log: string,
  code: number,
  samples: optional(list(rawResult)),
  quality: optional(list(qualitySample)),
});

/**
 * Reads a parsed results.json: the counterpart of {@linkcode BenchmarkResults} at run time. Unknown fields are kept.
 *
 * @example
 * ```ts
 * import { benchmarkResults } from "./results_reader.ts";
 *
 * try {
 *   benchmarkResults({ config: { model_id: 3 } }, "");
 * } catch (error) {
 *   console.log((error as Error).message); // "config.model_id is 3, a string is needed"
 * }
 * ```
 */
export const benchmarkResults: JsonReader<BenchmarkResults> = object<BenchmarkResults>({
  config,
  raw_results: list(rawResult),
  aggregated_stats: record(object<AggregatedStats>({ ...averages, n: number, std: object(averages) })),
  baseline_stats: nullable(object({ perplexity: figure, accuracy: figure, throughput: figure, tpot: figure })),
  configurations: list(object<ConfigurationRecord>({
    name: string,
    method: string,
    params: record(either(number, string)),
    positions: string,
    attention: oneOf("fused", "explicit", "export"),
    dtype: optional(oneOf("float32", "float16", "bfloat16")),
    weight_bytes: optional(number),
    kernels: optional(oneOf("own", "ort")),
    kernels_reason: optional(string),
    dropped: optional(object<DroppedEntries>({ speed: number, quality: number })),
    policy_sha256: optional(string),
    notes: optional(list(string)),
    process_s: optional(object({ speed: number, quality: number })),
    held: optional(object({ speed: heldInPass, quality: heldInPass })),
    marks: optional(list(mark)),
    doubts: optional(list(string)),
    budget: optional(object({ asked: string, entries: number, held_entries: number })),
    status: oneOf("done", "failed", "not run"),
  })),
  failures: list(failure),
  environment,
  schema: optional(number),
  speed_runs: optional(list(speedRun)),
  comparisons: optional(record(comparison)),
  divergence: optional(record(divergenceFigures)),
  drift: optional(nullable(object({ tpot: list(figure) }))),
  evicted_from: optional(nullable(number)),
});
