import type { FloatType } from "../../util/dtype.ts";
import type { DownloadEvent } from "../../hub/hub.ts";
import type { AttentionForm } from "../../model/graph/attention/attention_form.ts";
import type { ProgressEvent } from "../progress_event.ts";
import type { Trace } from "../../report/results/trace_types.ts";
import type { BenchmarkResults, PassChoice } from "../../report/results/types.ts";
import type { Configuration } from "./configuration.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { KernelChoice } from "../../engine/kernel_choice.ts";

/** What to measure. All options except the configurations have a default. */
export interface BenchmarkOptions {
  /** What to compare, in the order of the table. Changes are relative to the one that `compared_with` names. */
  readonly configurations: readonly Configuration[];
  /**
   * Text samples of each configuration.
   *
   * @default {2}; on CUDA with more than 8 configurations 1
   */
  readonly num_samples?: number | undefined;
  /**
   * Tokens of the quality pass.
   *
   * @default {device === "cuda" ? 2000 : 1280}
   */
  readonly max_tokens?: number | undefined;
  /**
   * Tokens generated in the speed pass.
   *
   * @default {device === "cuda" ? 500 : 128}
   */
  readonly max_new_tokens?: number | undefined;
  /**
   * Tokens of the prompt of the speed pass.
   *
   * @default {device === "cuda" ? 1500 : 512}
   */
  readonly prompt_tokens?: number | undefined;
  /**
   * Runs before the clock starts, in each process.
   *
   * @default {device === "cuda" ? 3 : 1}
   */
  readonly num_warmup?: number | undefined;
  /**
   * Rounds of speed passes: in each, every configuration is timed in a process of its own, in random order.
   *
   * @default {device === "cuda" ? 3 : 4}; on CUDA with more than 8 configurations 2
   */
  readonly repetitions?: number | undefined;
  /**
   * Which passes to make.
   *
   * @default {"both"}
   */
  readonly passes?: PassChoice;
  /**
   * Whether to measure how far each step's next-token distribution is from the full cache's, in the quality pass.
   *
   * @default {true}
   */
  readonly divergence?: boolean;
  /**
   * Name of the configuration that the others are compared with. If it is a full cache, distances are from it, too.
   *
   * @default {"baseline"}
   */
  readonly compared_with?: string;
  /**
   * Whether to record the ids of the tokens generated in speed passes, and to tell the first that differs from those of
   * the configuration compared with.
   *
   * @default {false}
   */
  readonly tokens?: boolean;
  /**
   * The model: "novel-neox-8m", which comes with kvcompress; a Hugging Face model folder; an ONNX export's file in one;
   * or a model's id on the hub (`org/name`).
   *
   * @default {"novel-neox-8m"}
   */
  readonly model_id?: string;
  /**
   * Branch, tag or commit of a model from the hub.
   *
   * @default {"main"}
   */
  readonly revision?: string | undefined;
  /**
   * Use no network: a file that is not in the hub's cache is an error.
   *
   * @default {false}
   */
  readonly offline?: boolean;
  /**
   * A data set's name, such as `moby_dick`; the path of a file or folder; or `-` for standard input.
   *
   * @default {"moby_dick"}
   */
  readonly dataset?: string;
  /**
   * Part of a data set that has parts.
   *
   * @default {"test"}
   */
  readonly split?: string | undefined;
  /**
   * Column or field of the texts, where the data set is a table.
   *
   * @default {"text"}
   */
  readonly text_column?: string | undefined;
  /**
   * Skip texts with fewer characters, in a data set of several texts.
   *
   * @default {10000}
   */
  readonly min_chars?: number | undefined;
  /**
   * Take several samples of one text as successive stretches from its beginning, instead of spread over it.
   *
   * @default {false}
   */
  readonly successive?: boolean | undefined;
  /** Name of the run in results.json; if left out, its methods without control groups, joined by "+". */
  readonly method?: string;
  /**
   * Indices of layers that are never compressed.
   *
   * @default {[0, 1]}
   */
  readonly skip_layers?: readonly number[];
  /**
   * Tokens of each chunk of the speed pass's prompt, with the method applied after each chunk; the whole prompt at once
   * if left out. With chunks a layer needs room for what it keeps and one chunk, never for the whole prompt.
   */
  readonly prefill_chunk?: number | undefined;
  /**
   * Device to run on. "auto": the GPU if CUDA works, else the CPU, with a note on the reason.
   *
   * @default {"auto"}
   */
  readonly device?: "auto" | "cuda" | "cpu";
  /**
   * Type of weights and cache. "auto": on CUDA the type of the stored weights, on a CPU float32, for an ONNX export the
   * type of its cache.
   *
   * @default {"auto"}
   */
  readonly dtype?: "auto" | FloatType;
  /**
   * Form of attention. "auto": fused if only the output is needed, explicit if a method reads attention.
   *
   * @default {"auto"}
   */
  readonly attention?: "auto" | AttentionForm;
  /**
   * Whose kernels run decode steps on CUDA. "auto": the project's own if possible, else ONNX Runtime's. "own" fails if
   * they cannot be used.
   *
   * @default {"auto"}
   */
  readonly kernels?: KernelChoice;
  /**
   * How tokens are numbered. If several are given, every configuration is measured under each.
   *
   * @default {"absolute"}
   */
  readonly positions?: Positions | readonly Positions[];
  /**
   * Whether to record which text positions each layer and head holds at the end of the first sample's quality pass.
   *
   * @default {false}
   */
  readonly trace?: boolean;
  /** Record the same every this many tokens as well. */
  readonly trace_every?: number | undefined;
  /**
   * Whether to draw perplexity along the text even if the text is no longer than what the model was trained for.
   *
   * @default {false}
   */
  readonly plot_nll?: boolean;
  /**
   * Whether to draw the charts.
   *
   * @default {true}
   */
  readonly chart?: boolean;
  /**
   * Time limit of each process, s: a configuration's speed in one round, or its quality. A process that exceeds it is
   * ended, and its configuration recorded as failed. No limit if left out.
   */
  readonly timeout?: number | undefined;
  /**
   * Time limit of all processes of a configuration together, s; of a resumed run, those before it included. A
   * configuration that exceeds it is recorded as failed. No limit if left out.
   */
  readonly configuration_timeout?: number | undefined;
  /**
   * Folder of an earlier run on the same terms to continue: what it finished is not measured again. `output` is then
   * ignored.
   */
  readonly resume?: string | undefined;
  /**
   * Whether configurations that failed in the earlier run stay failed, instead of being tried again.
   *
   * @default {false}
   */
  readonly keep_failed?: boolean;
  /** The command line, for results.json. */
  readonly command?: readonly string[];
  /**
   * Seed of random choices.
   *
   * @default {0}
   */
  readonly seed?: number;
  /**
   * Folder in which the run's own folder is made; null writes nothing.
   *
   * @default {"results"}
   */
  readonly output?: string | null;
  /** Told of the run's progress. */
  readonly onProgress?: (event: ProgressEvent) => void;
  /** Told of each configuration that is measured to the end, with the run's results so far. */
  readonly onConfiguration?: (results: BenchmarkResults, name: string) => void;
  /** Told of the progress of a download from the hub. */
  readonly onDownload?: (event: DownloadEvent) => void;
  /** Told notes for the user: a fallback to the CPU, a chart that could not be drawn. */
  readonly onNote?: (message: string) => void;
  /** Ends the run early; finished samples stay. */
  readonly signal?: AbortSignal;
}

/** Result of a run. */
export interface BenchmarkRun {
  /** Content of results.json. */
  readonly results: BenchmarkResults;
  /** The run's folder; null if none was asked for, nothing was measured, or writing it failed. */
  readonly folder: string | null;
  /** The chart, if it was drawn. */
  readonly chart: string | null;
  /** The other pictures that were drawn, as PNG files; each has an SVG file of the same name. */
  readonly pictures: readonly string[];
  /** What the caches held, for configurations that ended well, if asked for. */
  readonly traces: readonly Trace[];
  /** Whether the run was ended early. */
  readonly interrupted: boolean;
}
