/**
 * What results.json says of how well its figures are known: intervals, rounds, conditions.
 *
 * @module
 */
import type { MemoryFigures, VramMethod } from "./memory_types.ts";
import type { GpuConditions } from "../../nvml/conditions.ts";

export type { GpuConditions };

/** An estimate and its interval, in one unit. */
export interface Interval {
  /** The estimate. */
  estimate: number;
  /** Lower end. */
  low: number;
  /** Upper end. */
  high: number;
  /** Share of intervals made this way that hold the true value, 0..1. */
  confidence: number;
}

/** How an interval of times was made: by ranks of pairs (Wilcoxon), or by Student's t on logarithms. */
export type TimeMethod = "wilcoxon" | "t";

/** Times of a configuration against the baseline, paired by round. A ratio of 1.1 is 10 % more. */
export interface TimeComparison {
  /** Rounds in which both were measured. */
  rounds: number;
  /** How the intervals were made. */
  by: TimeMethod;
  /** TTFT over the baseline's. */
  ttft: Interval;
  /** TPOT over the baseline's. */
  tpot: Interval;
  /** Throughput over the baseline's. */
  throughput: Interval;
}

/** Quality of a configuration against the baseline on the same tokens. Intervals by block bootstrap over steps. */
export interface QualityComparison {
  /** ln(PPL / PPL of the baseline): mean difference of NLL, nats. */
  ln_ppl_ratio: Interval;
  /** The same over the steps after which every configuration has evicted; null if there are none. */
  ln_ppl_ratio_evicted: Interval | null;
  /** Accuracy less the baseline's, 0..1: 0.01 is one percentage point. */
  accuracy: Interval;
  /** Texts that the samples are taken from: intervals from one book say nothing about other books. */
  texts: number;
}

/** Greedily generated tokens of a configuration against the baseline's. */
export interface TokenComparison {
  /** By sample: index, from 0, of the first token that differs from the baseline's; null if none does. */
  first_difference: (number | null)[];
  /** Tokens generated in each sample. */
  tokens: number;
}

/** A configuration against the baseline. A part is left out if it was not measured. */
export interface Comparison {
  /** Time, over the rounds. */
  time?: TimeComparison;
  /** Quality, over the steps. */
  quality?: QualityComparison;
  /** Tokens of each sample's first speed pass, where they were recorded. */
  tokens?: TokenComparison;
}

/**
 * Distance of the next-token distributions from the full cache's at each step, on the same tokens. All in float32.
 */
export interface Divergence {
  /** KL(full cache || configuration) of each compared step, nats. */
  kl: number[];
  /** Change of the text token's probability at each compared step, -1..1. */
  token_probability: number[];
  /** Whether the most likely token is the same at each compared step, 1 or 0. */
  same_top: number[];
  /** Index of the first compared step, and the distance between compared steps: 1 if every step is compared. */
  first: number;
  /** Distance between compared steps. */
  stride: number;
}

/** Figures over all samples of {@linkcode Divergence}. */
export interface DivergenceFigures {
  /** Mean KL divergence, nats, with its interval by block bootstrap. */
  mean_kl: Interval;
  /** Median KL divergence, nats. */
  median_kl: number;
  /** 99th percentile, nats. */
  p99_kl: number;
  /** Largest, nats. */
  max_kl: number;
  /** Share of steps with the same most likely token, 0..1. */
  same_top: Interval;
  /** Root mean square change of the text token's probability, 0..1. */
  rms_token_probability: number;
  /** Steps compared. */
  steps: number;
}

/** What a pass held, over its whole length. Follows from the method's sizes alone. */
export interface HeldInPass {
  /** Mean number of entries in a layer, over layers and passes, after each eviction. */
  mean_entries: number;
  /** The same of each layer. */
  by_layer: number[];
  /** Share of what the full cache holds in the same passes, 0..1. */
  share: number;
  /** Bytes of keys and values, mean over the passes. */
  mean_kv_bytes: number;
  /** Bytes of keys and values at the end. */
  final_kv_bytes: number;
}

/** One speed pass: a sample in a round, in a process of its own. */
export interface SpeedRun {
  /** Name of the configuration. */
  method: string;
  /** Index of the round, from 0. */
  round: number;
  /** Place within the round, from 0: the order is shuffled. */
  place: number;
  /** Index of the text sample. */
  sample: number;
  /** Time to first token, s. */
  ttft: number;
  /** Mean time per output token after the first, s. */
  tpot: number;
  /** Tokens per second. */
  throughput: number;
  /** Time of every step, s. */
  step_times_s: number[];
  /** Cache entries copied within the cache, per head. */
  entries_copied: number;
  /** Ids of the generated tokens, where they were asked for. */
  tokens?: number[];
  /** Peak GPU memory over its level before the model was loaded, GiB; 0 on a CPU, null if it was not measured. */
  peak_vram_gb: number | null;
  /** On CUDA, what that figure covers. */
  vram_method?: VramMethod;
  /** Memory of the pass, bytes. */
  memory: MemoryFigures;
  /** What the machine did meanwhile; left out if nothing is known. */
  conditions?: Conditions;
}

/** What the machine did during a speed pass. */
export interface Conditions {
  /** Mean number of cores that other processes kept busy; null if unknown. */
  other_cores: number | null;
  /** Load average of the last minute when the pass began. */
  load_average: number;
  /** The GPU; left out on a CPU. */
  gpu?: GpuConditions;
}

/** Why a row's times are to be doubted. */
export type Mark = "throttled" | "shared" | "unsteady";
