/** Invented results for tests: the figures mean nothing. */
import { aggregateAll } from "../../lib/report/results/stats.ts";
import type {
  Comparison,
  DivergenceFigures,
  HeldInPass,
  Interval,
  SpeedRun,
} from "../../lib/report/results/spread_types.ts";
import type { BenchmarkResults, QualitySample, RawResult, RunConfig } from "../../lib/report/results/types.ts";

/** An estimate with its ends. */
export function inventInterval(estimate: number, low: number, high: number, confidence = 0.95): Interval {
  return { estimate, low, high, confidence };
}

/** A comparison of times and quality with the baseline. */
export function inventComparison(given: Comparison = {}): Comparison {
  return {
    time: {
      rounds: 6,
      by: "wilcoxon",
      ttft: inventInterval(0.797, 0.781, 0.812),
      tpot: inventInterval(1.156, 1.149, 1.163),
      throughput: inventInterval(0.908, 0.901, 0.915),
    },
    quality: {
      ln_ppl_ratio: inventInterval(Math.log(1.065), Math.log(1.042), Math.log(1.088)),
      ln_ppl_ratio_evicted: null,
      accuracy: inventInterval(-0.0078, -0.0112, -0.0044),
      texts: 1,
    },
    ...given,
  };
}

/** Distance from the full cache. */
export function inventDivergence(given: Partial<DivergenceFigures> = {}): DivergenceFigures {
  return {
    mean_kl: inventInterval(0.001234, 0.001, 0.0015),
    median_kl: 0.0005,
    p99_kl: 0.01,
    max_kl: 0.1,
    same_top: inventInterval(0.9753, 0.97, 0.98),
    rms_token_probability: 0.01,
    steps: 2000,
    ...given,
  };
}

/** What a pass held of a model of two layers. */
export function inventHeld(given: Partial<HeldInPass> = {}): HeldInPass {
  return {
    mean_entries: 333,
    by_layer: [333, 333],
    share: 0.4,
    mean_kv_bytes: 2 ** 21,
    final_kv_bytes: 2 ** 22,
    ...given,
  };
}

/** Results of schema 2: all rows but the baseline compare with it, are 40 % of it, and are at some distance. */
export function inventRounds(
  run: Record<string, Partial<RawResult>[] | string>,
  config: Partial<RunConfig> = {},
): BenchmarkResults {
  const results = inventResults(run, { passes: "both", repetitions: 6, texts: 1, ...config });
  const measured = Object.keys(results.aggregated_stats);
  const others = measured.filter((name) => name !== "baseline");
  for (const record of results.configurations) {
    const quality = record.name === "baseline"
      ? inventHeld({ mean_entries: 640.5, by_layer: [640.5, 640.5], share: 1, mean_kv_bytes: 5 * 2 ** 20 })
      : inventHeld();
    record.held = { speed: quality, quality };
  }
  return {
    ...results,
    schema: 2,
    speed_runs: results.raw_results.flatMap(({ method, sample, ttft, tpot, throughput, step_times_s, ...raw }, place) =>
      [0.99, 1, 1.02].map((factor, round) => ({
        method,
        round,
        place,
        sample,
        ttft,
        tpot: tpot * factor,
        throughput,
        step_times_s,
        entries_copied: raw.entries_copied.speed,
        peak_vram_gb: raw.peak_vram_gb,
        memory: raw.memory!,
      }))
    ),
    comparisons: Object.fromEntries(others.map((name) => [name, inventComparison()])),
    divergence: Object.fromEntries(others.map((name) => [name, inventDivergence()])),
    drift: { tpot: [1, 0.969, 1.012] },
    evicted_from: 1,
  };
}

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
