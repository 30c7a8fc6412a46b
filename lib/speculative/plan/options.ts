import type { KernelChoice } from "../../engine/kernel_choice.ts";
import type { BenchmarkOptions } from "../../run/plan/options.ts";
import type { GammaChoice, Verification } from "../child/speculator.ts";

/** What a speculative run measures, and how. */
export interface SpeculativeOptions extends
  Pick<
    BenchmarkOptions,
    "revision" | "offline" | "split" | "text_column" | "min_chars" | "signal" | "onNote" | "onDownload"
  > {
  readonly model_id: string;
  readonly dataset: string;
  /** text, repeat, qa, or a file. */
  readonly workload: string;
  readonly draft: readonly string[];
  readonly gamma: readonly GammaChoice[];
  /** Tokens of the prompts; undefined for the device's default. */
  readonly lengths: readonly number[] | undefined;
  readonly max_new_tokens: number | undefined;
  readonly num_samples: number;
  readonly num_warmup: number;
  readonly repetitions: number;
  readonly temperature: number;
  readonly top_p: number;
  readonly verify: "auto" | Verification;
  readonly device: "auto" | "cuda" | "cpu";
  readonly dtype: NonNullable<BenchmarkOptions["dtype"]>;
  readonly attention: NonNullable<BenchmarkOptions["attention"]>;
  readonly kernels: KernelChoice;
  readonly seed: number;
  /** Folder in which the run's own folder is made; null writes nothing. */
  readonly output: string | null;
  /** Time limit of each process, s. */
  readonly timeout: number | undefined;
  readonly no_chart: boolean;
}

/** Defaults that depend on the device. */
export const SPECULATIVE_DEFAULTS = {
  cuda: { lengths: [2000, 8000], max_new_tokens: 256 },
  cpu: { lengths: [128, 512, 1536], max_new_tokens: 64 },
} as const satisfies Record<"cuda" | "cpu", Partial<SpeculativeOptions>>;
