/** Invented results for tests: the figures mean nothing. */
import { aggregateAll } from "../../lib/report/results/stats.ts";
import type { SpeedRun } from "../../lib/report/results/spread_types.ts";
import type { BenchmarkResults, QualitySample, RawResult, RunConfig } from "../../lib/report/results/types.ts";

/** One invented sample. */
export function inventSample(method: string, given: Partial<RawResult> = {}): RawResult {
  return {
    method,
    sample: 0,
    ttft: 0.0123,
    tpot: 0.0045,
    throughput: 156.78,
    perplexity: 42.35,
    accuracy: 0.3567,
    peak_vram_gb: 5.23,
    final_cache_size: 2000,
    layer_cache_sizes: [2000, 2000],
    step_times_s: [0.0045, 0.0046],
    nll: [3.7, 3.8],
    memory: {
      kv_held: 0,
      kv_allocated: 0,
      weights: 0,
      allocator_peak: 0,
      process_peak: 0,
      process_before: 0,
    },
    entries_copied: { speed: 0, quality: 0 },
    ...given,
  };
}

/** One invented speed pass. */
export function inventRun(method: string, given: Partial<SpeedRun> = {}): SpeedRun {
  const { ttft, tpot, throughput, step_times_s, peak_vram_gb, memory } = inventSample(method);
  const times = { ttft, tpot, throughput, step_times_s };
  return {
    method,
    round: 0,
    place: 0,
    sample: 0,
    ...times,
    entries_copied: 0,
    peak_vram_gb,
    memory: memory!,
    ...given,
  };
}

/** One invented sample of a quality pass. */
export function inventQuality(method: string, given: Partial<QualitySample> = {}): QualitySample {
  const { sample, perplexity, accuracy, nll, final_cache_size, layer_cache_sizes } = inventSample(method);
  const figures = { sample, perplexity, accuracy, nll, final_cache_size, layer_cache_sizes };
  return { method, ...figures, entries_copied: 0, ...given };
}

/** A run by configuration: its samples, or the reason why it has none ("" for not run). */
export function inventResults(
  run: Record<string, Partial<RawResult>[] | string>,
  config: Partial<RunConfig> = {},
): BenchmarkResults {
  const raw = Object.entries(run).flatMap(([name, samples]) =>
    typeof samples === "string" ? [] : samples.map((given, sample) => inventSample(name, { sample, ...given }))
  );
  const stats = aggregateAll(raw);
  const baseline = stats["baseline"];
  const cpu = config.device === "cpu";
  return {
    config: {
      model_id: "EleutherAI/pythia-2.8b",
      method: "streaming_llm",
      num_samples: 2,
      max_tokens: 2000,
      max_new_tokens: 500,
      prompt_tokens: 128,
      skip_layers: [0, 1],
      timestamp: "20241230_153045",
      dataset: "pg19",
      device: "cuda",
      dtype: "float16",
      positions: "absolute",
      num_warmup: 3,
      seed: 0,
      ...config,
    },
    raw_results: raw,
    aggregated_stats: stats,
    baseline_stats: baseline === undefined ? null : {
      perplexity: baseline.perplexity,
      accuracy: baseline.accuracy,
      throughput: baseline.throughput,
      tpot: baseline.tpot,
    },
    configurations: Object.entries(run).map(([name, samples]) => ({
      name,
      method: name.replace(/_\d+$/, ""),
      params: {},
      positions: "absolute",
      attention: "fused",
      status: typeof samples !== "string" ? "done" : samples === "" ? "not run" : "failed",
    })),
    failures: Object.entries(run).flatMap(([method, reason]) =>
      typeof reason === "string" && reason !== "" ? [{ method, reason, log: "", code: 1 }] : []
    ),
    environment: {
      gpu: cpu ? null : {
        name: "NVIDIA Invented 80GB",
        index: 0,
        uuid: "GPU-0",
        driver: "580.0",
        cuda_driver: "13.0",
        memory_bytes: 80 * 2 ** 30,
        clocks_mhz: { sm: 1980, memory: 2619, max_sm: 1980, max_memory: 2619 },
      },
      cpu: { model: "Invented CPU", cores: 8 },
      memory_bytes: 64 * 2 ** 30,
      os: "linux x86_64",
      deno: "2.9.6",
      onnxruntime: "1.29.0",
      onnxruntime_path: "libonnxruntime.so.1",
      providers: ["CPUExecutionProvider"],
      git_commit: null,
      kvcompress: "0.1.0",
      model_sha256: { "config.json": "0" },
      text_sha256: "0",
    },
  };
}
