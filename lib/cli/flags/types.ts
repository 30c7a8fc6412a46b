import type { MethodName } from "../../policies/registry.ts";
import type { Undecided } from "../../run/plan/device_defaults.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { FlagReader } from "./values.ts";
import type { KernelChoice } from "../../engine/kernel_choice.ts";

/** Flags of the command line. Defaults are filled in, except those that depend on the device. */
export interface Flags extends Undecided {
  model_id: string;
  revision: string | undefined;
  offline: boolean;
  dataset: string;
  split: string | undefined;
  text_column: string | undefined;
  min_chars: number | undefined;
  method: MethodName;
  compare_all: boolean;
  compare_new: boolean;
  compare_papers: boolean;
  no_baseline: boolean;
  no_recent_only: boolean;
  skip_layers: readonly number[];
  positions: readonly Positions[];
  seed: number;
  device: "auto" | "cuda" | "cpu";
  dtype: "auto" | "float32" | "float16" | "bfloat16";
  prefill_chunk: number | undefined;
  attention: "auto" | "fused" | "explicit";
  kernels: KernelChoice;
  window_sizes: readonly number[];
  start_size: number;
  recent_sizes: readonly number[];
  keep_ratios: readonly number[];
  fix_kv_sizes: readonly number[];
  strategies: readonly string[];
  prune_after: number;
  heavy_hitter_sizes: readonly number[];
  h2o_recent_size: number;
  observation_windows: readonly number[];
  snapkv_keep_sizes: readonly number[];
  base_sizes: readonly number[];
  layer_decay: number;
  min_size: number;
  pyramid_profile: string;
  target_sizes: readonly number[];
  soft_limit: number;
  hard_limit: number;
  cache_sizes: readonly number[];
  heavy_ratio: number;
  sink_size: number;
  query_window: number;
  pooling: string;
  pooling_kernel: number | undefined;
  pyramid_beta: number;
  keydiff_recent_ratio: number;
  trace: boolean;
  trace_every: number | undefined;
  plot_nll: boolean;
  output: string;
  resume: string | undefined;
  timeout: number | undefined;
  memory: boolean;
  json: boolean;
  help: boolean;
  version: boolean;
  /** Flags that were given and have no effect, one line each. */
  warnings: readonly string[];
}

/** Name of a flag, with underscores. */
export type FlagName = Exclude<keyof Flags, "warnings">;

/** One flag: its reader, its default and its help. */
export interface FlagSpec<T> {
  /** Heading under which the help lists it. */
  readonly group: string;
  /** What it does; the default is added to it. */
  readonly help: string;
  /** Placeholder of the value in the help; omitted for a switch. */
  readonly value?: string;
  /** Reads the value; omitted for a switch. */
  readonly read?: FlagReader<T>;
  /** Value if the flag is not given; undefined where it depends on the device or on another flag. */
  readonly default: T;
  /** Text of the help for a default that depends on another flag. */
  readonly defaultText?: string;
  /** The methods it belongs to; omitted if it belongs to all. */
  readonly methods?: readonly MethodName[];
  /** Its one-letter form. */
  readonly short?: string;
}
