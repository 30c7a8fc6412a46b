import type { MethodFlags } from "../../methods/records.ts";
import type { MethodName } from "../../policies/registry.ts";
import type { Undecided } from "../../run/plan/device_defaults.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { KernelChoice } from "../../engine/kernel_choice.ts";

/** Flags of the command line. Defaults are filled in, except those that depend on the device. */
export interface Flags extends Undecided, MethodFlags {
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
