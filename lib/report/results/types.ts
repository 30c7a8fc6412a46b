/**
 * Output of a run: the shape of results.json. The names and the nesting of `config`, `raw_results`, `aggregated_stats`
 * and `baseline_stats` are fixed: scripts read them. All other fields are additions.
 *
 * @module
 */

import type { Environment } from "./environment_types.ts";
import type { MemoryFigures, VramMethod } from "./memory_types.ts";
import type { Comparison, Divergence, DivergenceFigures, HeldInPass, Mark, SpeedRun } from "./spread_types.ts";

export type { Environment, GpuInfo } from "./environment_types.ts";
export type { VramMethod } from "./memory_types.ts";

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
  /** Share of the quality pass's steps whose argmax is the next token, 0..1; NaN if a step's logits are not numbers. */
  accuracy: number;
  /** Peak GPU memory over its level before the model was loaded, GiB; 0 on a CPU, null if it was not measured. */
  peak_vram_gb: number | null;
  /** On CUDA, what that figure covers; not in earlier results. */
  vram_method?: VramMethod;
  /** Entries held at the end of the quality pass by the first layer that is not skipped. */
  final_cache_size: number;
  /** Entries held at the end of the quality pass, per layer. */
  layer_cache_sizes: number[];
  /** Time of every step of the speed pass after the first token, s. */
  step_times_s: number[];
  /** Negative log-likelihood of every step of the quality pass, nats. */
  nll: number[];
  /** Memory of the run, bytes; left out if there was no speed pass. */
  memory?: MemoryFigures;
  /** Cache entries copied within the cache (per head) in each pass: by single-slot steps and by compactions. */
  entries_copied: { speed: number; quality: number };
  /** Median of the step times after the first, s; not in results of schema 1. */
  tpot_median?: number;
  /** 95th percentile of the step times after the first, s. */
  tpot_p95?: number;
  /** Time of the first step, s: it includes the eviction after the prompt. */
  first_step_s?: number;
  /** Whether the most likely token of each step of the quality pass is the text's, 1 or 0. */
  right?: number[];
  /** Distance from the full cache at each step; left out if it was not measured. */
  divergence?: Divergence;
}

/** A configuration that was not measured to the end, and why. */
export interface Failure {
  /** Name of the configuration. */
  method: string;
  /** One line for the user. */
  reason: string;
  /** The last lines the process wrote to stderr. */
  log: string;
  /** Exit code of the process. */
  code: number;
  /**
   * Samples it had finished. No average includes them: it would cover other samples than the other configurations'. A
   * configuration that is being measured, or was when the run ended, has the reason "interrupted".
   */
  samples?: RawResult[];
  /** Finished samples of its quality pass, if its speed passes are not finished or were not asked for. */
  quality?: QualitySample[];
}

/** One text sample's quality pass. */
export type QualitySample =
  & Pick<RawResult, "method" | "sample" | "perplexity" | "accuracy" | "nll" | "final_cache_size" | "layer_cache_sizes">
  & Pick<RawResult, "right" | "divergence">
  & { entries_copied: number };

/** The figures that have a mean over samples. */
export interface AveragedFigures {
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
  /** Peak GPU memory over its level before the model was loaded, GiB; 0 on a CPU, null if unmeasured in a sample. */
  peak_vram_gb: number | null;
  /** Entries held at the end of the quality pass by the first layer that is not skipped. */
  cache_size: number;
}

/** Which passes a run makes. */
export type PassChoice = "speed" | "quality" | "both";

/**
 * Means over samples; `std` is the sample standard deviation (n - 1; 0 for n = 1). Not finite if a sample's figure is
 * not.
 */
export interface AggregatedStats extends AveragedFigures {
  /** Number of samples. */
  n: number;
  /** Sample standard deviation of each, in the same units. */
  std: AveragedFigures;
}

/** Content of results.json. */
export interface BenchmarkResults {
  /** The options given, with defaults filled in. */
  config: RunConfig;
  /** One for each measured configuration and text sample. */
  raw_results: RawResult[];
  /** Configuration → averages over its samples. */
  aggregated_stats: Record<string, AggregatedStats>;
  /** Averages of the configuration that the others are compared with, "baseline"; null without it. */
  baseline_stats: { perplexity: number; accuracy: number; throughput: number; tpot: number } | null;
  /** Every configuration of the run in the order of the table: what it is, and how it ended. */
  configurations: ConfigurationRecord[];
  /** Configurations that were not measured to the end. */
  failures: Failure[];
  /** Machine, software, and hashes of what was measured. */
  environment: Environment;
  /** Version of this file's shape: 2; left out in results of schema 1. */
  schema?: number;
  /** Every speed pass; not in results of schema 1, nor are the fields below. */
  speed_runs?: SpeedRun[];
  /** Configuration → how it compares with the baseline; without the baseline. */
  comparisons?: Record<string, Comparison>;
  /** Configuration → distance from the full cache. */
  divergence?: Record<string, DivergenceFigures>;
  /** How the machine changed from round to round: the median TPOT of each round over that of all, by round. */
  drift?: { tpot: number[] } | null;
  /** First step of the quality pass after which every configuration that ever evicts has evicted; null if none do. */
  evicted_from?: number | null;
}

/** The run's settings. */
export interface RunConfig {
  /** As given: a name, a folder or an id on the hub. */
  model_id: string;
  /**
   * For a model from the hub: the branch, tag or commit asked for. environment.model_commit is the commit it stood for.
   */
  revision?: string;
  /**
   * What runs: "safetensors", the types of a GGUF file's weights ("Q4_K, Q6_K, F32 (GGUF)"), or the path of an ONNX
   * export in the model's folder.
   */
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
  /** Tokens of each prompt chunk in the speed pass, with eviction between chunks; null for the whole prompt at once. */
  prefill_chunk?: number | null;
  /** Indices of layers that are never compressed. */
  skip_layers: number[];
  /** Local time, YYYYMMDD_HHMMSS. */
  timestamp: string;
  /**
   * Times at which a run that had ended early was resumed, in the same form: its figures are from several processes.
   */
  resumed?: string[];
  /** The command line of `deno task bench`, with absolute paths; left out for a script's run. */
  command?: string[];
  /** Whose kernels were asked for; not in earlier results. */
  kernels?: string;
  /** As given: a name, a path, or "-". */
  dataset: string;
  /** The part of the data set, if it has parts. */
  split?: string;
  /** Column or field of the texts, if the data set is a table. */
  text_column?: string;
  /** Texts with fewer characters are skipped. */
  min_chars?: number;
  /** The run's device. */
  device: "cuda" | "cpu";
  /** Type of weights and cache: "float32", "float16" or "bfloat16"; several are joined by commas. */
  dtype: string;
  /**
   * Whether CUDA computes products of float32 in TF32: only if NVIDIA_TF32_OVERRIDE=1 asks for it; not in earlier results.
   */
  tf32?: boolean;
  /** How tokens are numbered; several are joined by commas. */
  positions: string;
  /** Runs before the clock starts. */
  num_warmup: number;
  /** Seed of random choices. */
  seed: number;
  /** Tokens of the longest text the model was trained on, if its config.json says so. */
  max_positions?: number;
  /** Speed passes of each configuration, each in a process of its own; not in results of schema 1. */
  repetitions?: number;
  /** Which passes were made. */
  passes?: PassChoice;
  /** Whether samples of one text follow each other; otherwise they are spread over it. */
  successive?: boolean;
  /** Whether the distance from the full cache was measured. */
  divergence?: boolean;
  /** Name of the configuration that the others are compared with; "baseline" if left out. */
  compared_with?: string;
  /** Number of different texts that the samples are taken from. */
  texts?: number;
}

/** One configuration of a run. */
export interface ConfigurationRecord {
  /** Name in the table; unique within a run. */
  name: string;
  /** Name of the method. */
  method: string;
  /** Parameters of the method, by name. */
  params: Record<string, number | string>;
  /** How tokens are numbered. */
  positions: string;
  /** The form of attention; "export" is that of an ONNX export, whatever it may be. */
  attention: "fused" | "explicit" | "export";
  /** Type of its weights and cache; left out if config.dtype is that of all configurations. */
  dtype?: "float32" | "float16" | "bfloat16";
  /** Bytes of the weights in that type, whatever type is stored; left out with it, and for an ONNX export. */
  weight_bytes?: number;
  /** Whose kernels ran decode steps: the project's own or ONNX Runtime's. Set after loading; not in earlier results. */
  kernels?: "own" | "ort";
  /** On CUDA, why not the project's own. */
  kernels_reason?: string;
  /** Entries dropped in each pass, by the sizes known before the run; not in earlier results. */
  dropped?: DroppedEntries;
  /** SHA-256 of what the method keeps in this run and of its score; not in earlier results. */
  policy_sha256?: string;
  /** How it ended; "not run" until it does. */
  status: "done" | "failed" | "not run";
  /** What a reader of its figures must know, one sentence each; left out if empty. */
  notes?: string[];
  /** Time that its processes took, start and loading included, s; not in results of schema 1. */
  process_s?: { speed: number; quality: number };
  /** What each pass holds. */
  held?: { speed: HeldInPass; quality: HeldInPass };
  /** Why its times are to be doubted; left out if nothing is known against them. */
  marks?: Mark[];
  /** What was seen, one sentence each. */
  doubts?: string[];
  /** The budget that it was made for, if one was asked for: entries a layer, or a share of the full cache's bytes. */
  budget?: { asked: string; entries: number; held_entries: number };
}

/** Entries dropped by the end of each pass, summed over all layers; all KV heads of a layer drop equally many. */
export interface DroppedEntries {
  /** In the speed pass. */
  speed: number;
  /** In the quality pass. */
  quality: number;
}
