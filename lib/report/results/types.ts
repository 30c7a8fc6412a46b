/**
 * What a run leaves behind: the shape of results.json. The names and the nesting of `config`, `raw_results`,
 * `aggregated_stats` and `baseline_stats` are fixed: scripts read them. Other fields are in addition to these.
 *
 * @module
 */

import type { GpuDescription } from "../../nvml/gpu_info.ts";
import type { MemoryFigures } from "./memory_types.ts";

/** The GPU at the time of the run. */
export type GpuInfo = GpuDescription;

/** One text sample measured under one configuration. */
export interface RawResult {
  /** Name of the configuration, as in the table. */
  method: string;
  /** Index of the text sample, from 0. */
  sample: number;
  /** Time to first token: prefill until the first new token's id is on the host, s. */
  ttft: number;
  /** Time per output token after the first, s. */
  tpot: number;
  /** Generated tokens / total generation time, tokens/s. */
  throughput: number;
  /** exp(mean NLL) of the quality pass. */
  perplexity: number;
  /** Share of the quality pass's steps whose argmax is the next token, 0..1; NaN where a step's logits are not numbers. */
  accuracy: number;
  /** Peak GPU memory over what was in use before the model was loaded, GiB; 0 on a CPU, null where it was not measured. */
  peak_vram_gb: number | null;
  /** On CUDA, what that figure is of; not in earlier results. */
  vram_method?: VramMethod;
  /** Entries held at the end of the quality pass by the first layer that is not skipped. */
  final_cache_size: number;
  /** Entries held at the end of the quality pass, per layer. */
  layer_cache_sizes: number[];
  /** Time of every step of the speed pass after the first token, s. */
  step_times_s: number[];
  /** Negative log-likelihood of every step of the quality pass, nats. */
  nll: number[];
  /** Memory of the run, bytes. */
  memory: MemoryFigures;
  /** Cache entries copied within the cache (per head) in each pass: by single-slot steps and by compactions. */
  entries_copied: { speed: number; quality: number };
}

/**
 * "process": NVML's figure of the process itself. "device": NVML does not list the process, so the whole GPU's over what
 * was in use at the start, other processes included. "unavailable": none.
 */
export type VramMethod = "process" | "device" | "unavailable";

/** A configuration that did not end: what it was doing and why it stopped. */
export interface Failure {
  /** Name of the configuration. */
  method: string;
  /** One line for people. */
  reason: string;
  /** The last lines the process wrote to stderr. */
  log: string;
  /** Exit code of the process. */
  code: number;
  /**
   * Samples it had finished. They count in no average: it would not be that of the other configurations' samples. Those of
   * a configuration that is being measured, or was when the run ended, are here with the reason "interrupted".
   */
  samples?: RawResult[];
}

/** Mean over samples; `std` the sample standard deviation (n - 1; 0 for n = 1). Not finite where a sample's figure is not. */
export interface AggregatedStats {
  /** Time to first token, s. */
  ttft: number;
  /** Time per output token after the first, s. */
  tpot: number;
  /** Generated tokens per second. */
  throughput: number;
  /** exp(mean NLL) of the quality pass. */
  perplexity: number;
  /** Share of the quality pass's steps whose argmax is the next token, 0..1. */
  accuracy: number;
  /** Peak GPU memory over what was in use before the model was loaded, GiB; 0 on CPU, null where not measured in every sample. */
  peak_vram_gb: number | null;
  /** Entries held at the end of the quality pass by the first layer that is not skipped. */
  cache_size: number;
  /** Samples. */
  n: number;
  /** Sample standard deviation of each, in the same units. */
  std: {
    /** Time to first token, s. */
    ttft: number;
    /** Time per output token after the first, s. */
    tpot: number;
    /** Generated tokens per second. */
    throughput: number;
    /** exp(mean NLL) of the quality pass. */
    perplexity: number;
    /** Share of the quality pass's steps whose argmax is the next token, 0..1. */
    accuracy: number;
    /** Peak GPU memory, GiB; null where not measured in every sample. */
    peak_vram_gb: number | null;
    /** Entries held at the end of the quality pass by the first layer that is not skipped. */
    cache_size: number;
  };
}

/** results.json */
export interface BenchmarkResults {
  /** What was asked for, defaults filled in. */
  config: RunConfig;
  /** One for each configuration and text sample that was measured. */
  raw_results: RawResult[];
  /** Configuration → averages over its samples. */
  aggregated_stats: Record<string, AggregatedStats>;
  /** Averages of the configuration named "baseline"; null without one. */
  baseline_stats: { perplexity: number; accuracy: number; throughput: number; tpot: number } | null;
  /** Every configuration of the run in the order of the table: what it is, whether it ended. */
  configurations: ConfigurationRecord[];
  /** Configurations that did not end. */
  failures: Failure[];
  /** Machine, software and hashes of what was measured. */
  environment: Environment;
}

/** The run's settings. */
export interface RunConfig {
  /** As it was asked for: a name, a folder or an id of the hub. */
  model_id: string;
  /** Of a model of the hub: the branch, tag or commit that was asked for. What it stood for is environment.model_commit. */
  revision?: string;
  /** What is run: "safetensors", or the path of an ONNX export in the model's folder. */
  weights?: string;
  /** Name of the main method. */
  method: string;
  /** Text samples of each configuration. */
  num_samples: number;
  /** Tokens of the quality pass. */
  max_tokens: number;
  /** Tokens generated in the speed pass. */
  max_new_tokens: number;
  /** Tokens of the prompt of the speed pass. */
  prompt_tokens: number;
  /** Tokens of the prompt that went in at a time in the speed pass, with eviction between; null for all at once. */
  prefill_chunk?: number | null;
  /** Indices of layers that are never compressed. */
  skip_layers: number[];
  /** Local time, YYYYMMDD_HHMMSS. */
  timestamp: string;
  /** When a run that had ended early was gone on with, in the same form: its figures are from several processes. */
  resumed?: string[];
  /** The command line of `deno task bench`, with absolute paths; not of a script's run. */
  command?: string[];
  /** Whose kernels were asked for; not in earlier results. */
  kernels?: string;
  /** As it was asked for: a name, a path, or "-". */
  dataset: string;
  /** The part of the data set that is taken, where it has parts. */
  split?: string;
  /** Column or field of the texts, where the data set is a table. */
  text_column?: string;
  /** Texts with fewer characters are passed over. */
  min_chars?: number;
  /** What it ran on. */
  device: "cuda" | "cpu";
  /** Type of weights and cache: "float32", "float16" or "bfloat16". */
  dtype: string;
  /** How tokens are numbered; several are joined by commas. */
  positions: string;
  /** Runs before the clock starts. */
  num_warmup: number;
  /** What random choices are drawn from. */
  seed: number;
  /** Tokens of the longest text the model was trained on, where its config.json says so. */
  max_positions?: number;
}

/** One configuration as the run knew it. */
export interface ConfigurationRecord {
  /** Name in the table; no two of a run are equal. */
  name: string;
  /** Name of the method. */
  method: string;
  /** Parameters of the method, by name. */
  params: Record<string, number | string>;
  /** How tokens are numbered. */
  positions: string;
  /** The form of attention; "export": that of an ONNX export, whatever it is. */
  attention: "fused" | "explicit" | "export";
  /** Whose kernels ran decode steps, the project's own or ONNX Runtime's, once it was loaded; not in earlier results. */
  kernels?: "own" | "ort";
  /** On CUDA, why not the project's own. */
  kernels_reason?: string;
  /** What each pass drops, by the sizes known before the run; not in earlier results. */
  dropped?: DroppedEntries;
  /** SHA-256 of what the method keeps in this run and by which score, as the run hands it on; not in earlier results. */
  policy_sha256?: string;
  /** How it ended; "not run" while it has not. */
  status: "done" | "failed" | "not run";
  /** What a reader of its figures must know, a sentence each; left out where there is nothing. */
  notes?: string[];
}

/** Entries a configuration has dropped by the end of each pass, summed over all layers; a layer's KV heads drop alike. */
export interface DroppedEntries {
  /** In the speed pass. */
  speed: number;
  /** In the quality pass. */
  quality: number;
}

/** What was measured on, and what was measured. */
export interface Environment {
  /** NVIDIA name, or null on CPU. */
  gpu: GpuInfo | null;
  /** Name of the CPU, and the cores that this process may use. */
  cpu: { model: string; cores: number };
  /** Memory of the machine, bytes. */
  memory_bytes: number;
  /** System, its release and the architecture. */
  os: string;
  /** Version of Deno. */
  deno: string;
  /** Version of ONNX Runtime. */
  onnxruntime: string;
  /** Path of its library. */
  onnxruntime_path: string;
  /** Its execution providers, such as "CUDAExecutionProvider". */
  providers: string[];
  /** Commit of the project's checkout, with "-dirty" unknown; null outside a checkout. */
  git_commit: string | null;
  /** Version of kvcompress. */
  kvcompress: string;
  /** Of a model of the hub: the commit of its repository that the files are of. */
  model_commit?: string;
  /** SHA-256 of config.json, tokenizer.json and, once all is measured, of the weight files, by file name. */
  model_sha256: Record<string, string>;
  /**
   * Of each weight file, a hash of its size and pieces of it, which tells files apart before anything is measured; the
   * whole file where it is small. Not in earlier results.
   */
  weights_fingerprint?: Record<string, string>;
  /** SHA-256 over the project's own code; null where it is not in files. Not in earlier results. */
  code_sha256?: string | null;
  /** Of a data set of the hub: the commit of its repository that the files are of. */
  text_commit?: string;
  /** SHA-256 of the text's file; of a text from several files, of their hashes one after another. */
  text_sha256: string;
  /** SHA-256 of each sample's token ids, as little-endian 32-bit integers. */
  samples_sha256?: string[];
}
