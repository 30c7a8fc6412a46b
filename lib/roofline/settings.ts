import type { KernelChoice } from "../engine/kernel_choice.ts";
import type { FloatType } from "../util/dtype.ts";
import type { BudgetMethodName } from "./budget_methods.ts";

/** Settings of the engine benchmark; undefined stands for the device's default. */
export interface RooflineSettings {
  device: "auto" | "cuda" | "cpu";
  dtype: "auto" | FloatType;
  kernels: KernelChoice;
  /** Shape of a model with random weights. */
  shape: string | undefined;
  /** An existing model folder to use instead. */
  model_id: string | undefined;
  /** Methods next to the full cache. */
  methods: readonly BudgetMethodName[];
  /** Entries held by the full cache, budgets of the methods, tokens of the prompts. */
  lengths: readonly number[] | undefined;
  /** Further lengths of the full cache. */
  full_lengths: readonly number[] | undefined;
  /** Steps timed in each row. */
  steps: number | undefined;
  /** Prompts timed in each row. */
  prefills: number;
  /** Size of the buffer that is read to measure bandwidth, MiB. */
  read_mib: number | undefined;
  /** Whether each row has a process of its own. */
  isolate: boolean;
}

/** Defaults that depend on the device: a GPU's memory is large and fast, a CPU's time is short. */
export const ENGINE_DEFAULTS = {
  cuda: {
    shape: "pythia-2.8b",
    lengths: [256, 512, 2000],
    full_lengths: [1024, 4096, 8192, 16384],
    steps: 128,
    read_mib: 2048,
  },
  cpu: { shape: "pythia-70m", lengths: [128, 512], full_lengths: [1024, 2048], steps: 64, read_mib: 512 },
} as const satisfies Record<"cuda" | "cpu", Partial<RooflineSettings>>;
