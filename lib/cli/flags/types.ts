import type { MethodFlags } from "../../methods/records.ts";
import type { Budget } from "../../policies/budget.ts";
import type { MethodName } from "../../policies/registry.ts";
import type { PassChoice } from "../../report/results/types.ts";
import type { Undecided } from "../../run/plan/device_defaults.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { KernelChoice } from "../../engine/kernel_choice.ts";

/** Formats that results are printed in, by the names of `--format`. */
export const OUTPUT_FORMATS = ["md", "csv", "json", "jsonl"] as const;
/** One of them. */
export type OutputFormat = typeof OUTPUT_FORMATS[number];

/** Flags of the command line. Defaults are filled in, except those that depend on the device. */
export interface Flags extends Undecided, MethodFlags {
  model_id: string;
  revision: string | undefined;
  offline: boolean;
  dataset: string;
  split: string | undefined;
  text_column: string | undefined;
  min_chars: number | undefined;
  method: readonly MethodName[];
  /** In the place of the methods' own sizes, if given. */
  budget: readonly Budget[] | undefined;
  compare_all: boolean;
  compare_new: boolean;
  compare_papers: boolean;
  /** Names of the configurations to measure; undefined for all. */
  only: readonly string[] | undefined;
  no_baseline: boolean;
  no_recent_only: boolean;
  aa: boolean;
  skip_layers: readonly number[];
  positions: readonly Positions[];
  seed: number;
  device: "auto" | "cuda" | "cpu";
  dtype: "auto" | "float32" | "float16" | "bfloat16";
  prefill_chunk: number | undefined;
  passes: PassChoice;
  successive: boolean;
  no_divergence: boolean;
  attention: "auto" | "fused" | "explicit";
  kernels: KernelChoice;
  trace: boolean;
  trace_every: number | undefined;
  plot_nll: boolean;
  no_chart: boolean;
  output: string;
  resume: string | undefined;
  keep_failed: boolean;
  timeout: number | undefined;
  configuration_timeout: number | undefined;
  memory: boolean;
  /** How results are printed; undefined for the table made for reading. */
  format: OutputFormat | undefined;
  /** The same as the format "json". */
  json: boolean;
  help: boolean;
  version: boolean;
  /** Flags that were given and have no effect, one line each. */
  warnings: readonly string[];
}

/** Name of a flag, with underscores. */
export type FlagName = Exclude<keyof Flags, "warnings">;
