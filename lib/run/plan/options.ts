import type { FloatType } from "../../util/dtype.ts";
import type { DownloadEvent } from "../../hub/hub.ts";
import type { AttentionForm } from "../../model/graph/attention/attention_form.ts";
import type { ProgressEvent } from "../progress_event.ts";
import type { Trace } from "../../report/results/trace_types.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import type { Configuration } from "./configuration.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { KernelChoice } from "../../engine/kernel_choice.ts";

/** What to measure. All but the configurations has a default. */
export interface BenchmarkOptions {
  /** What to compare, in the order of the table. A configuration named "baseline" is what changes are against. */
  readonly configurations: readonly Configuration[];
  /**
   * Text samples of each configuration.
   *
   * @default {2}
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
   * Runs before the clock starts.
   *
   * @default {device === "cuda" ? 3 : 1}
   */
  readonly num_warmup?: number | undefined;
  /**
   * The model: "novel-neox-8m", which comes with kvcompress; a Hugging Face model folder; an ONNX export's file in one;
   * or a model's id on the hub (`org/name`).
   *
   * @default {"novel-neox-8m"}
   */
  readonly model_id?: string;
  /**
   * Branch, tag or commit of a model of the hub.
   *
   * @default {"main"}
   */
  readonly revision?: string | undefined;
  /**
   * Take nothing from the net: what is not in the hub's cache is an error.
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
   * Which part of a data set that has parts.
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
   * Of a data set of several texts, those with fewer characters are passed over.
   *
   * @default {10000}
   */
  readonly min_chars?: number | undefined;
  /** What results.json calls the run; its methods, control groups aside, joined by "+" if left out. */
  readonly method?: string;
  /**
   * Indices of layers that are never compressed.
   *
   * @default {[0, 1]}
   */
  readonly skip_layers?: readonly number[];
  /**
   * Tokens of the speed pass's prompt that go in at a time, the method applied after each such chunk; all at once if left
   * out. A layer then needs room for what it keeps and one chunk, never for the whole prompt.
   */
  readonly prefill_chunk?: number | undefined;
  /**
   * What it runs on. "auto": the GPU where CUDA can be used, else the CPU, with a note why.
   *
   * @default {"auto"}
   */
  readonly device?: "auto" | "cuda" | "cpu";
  /**
   * Type of weights and cache. "auto": on CUDA as the weights are stored, float32 on a CPU, and that of its cache for an ONNX
   * export.
   *
   * @default {"auto"}
   */
  readonly dtype?: "auto" | FloatType;
  /**
   * Form of attention. "auto": fused where nothing but the output is wanted, explicit where a method reads attention.
   *
   * @default {"auto"}
   */
  readonly attention?: "auto" | AttentionForm;
  /**
   * Whose kernels run decode steps on CUDA. "auto": the project's own where they can, ONNX Runtime's elsewhere; "own"
   * fails where they cannot be used.
   *
   * @default {"auto"}
   */
  readonly kernels?: KernelChoice;
  /**
   * How tokens are numbered. Of several, every configuration is measured under each.
   *
   * @default {"absolute"}
   */
  readonly positions?: Positions | readonly Positions[];
  /**
   * Find out which places of the text each layer and head holds at the end of the first sample's quality pass.
   *
   * @default {false}
   */
  readonly trace?: boolean;
  /** The same, every this many tokens as well. */
  readonly trace_every?: number | undefined;
  /**
   * Draw perplexity along the text even where the text is no longer than what the model was trained for.
   *
   * @default {false}
   */
  readonly plot_nll?: boolean;
  /** How long a configuration may take, s; one that takes longer is ended, and recorded as failed. No limit if left out. */
  readonly timeout?: number | undefined;
  /**
   * The folder of an earlier run on the same terms, to go on with: what it finished is not measured again. `output` then
   * says nothing.
   */
  readonly resume?: string | undefined;
  /** The command line, for results.json. */
  readonly command?: readonly string[];
  /**
   * What random choices are drawn from.
   *
   * @default {0}
   */
  readonly seed?: number;
  /**
   * The folder that the run's own folder is made in; null writes nothing.
   *
   * @default {"results"}
   */
  readonly output?: string | null;
  /** Told how far the run is. */
  readonly onProgress?: (event: ProgressEvent) => void;
  /** Told how far a download from the hub is. */
  readonly onDownload?: (event: DownloadEvent) => void;
  /** Told what a person should know: a fallback to the CPU, a chart that could not be drawn. */
  readonly onNote?: (message: string) => void;
  /** Ends the run early: what is finished stays. */
  readonly signal?: AbortSignal;
}

/** What a run gives. */
export interface BenchmarkRun {
  /** What results.json holds. */
  readonly results: BenchmarkResults;
  /** The run's folder; null if none was asked for, nothing was measured, or it could not be written to the end. */
  readonly folder: string | null;
  /** The chart, if it was drawn. */
  readonly chart: string | null;
  /** The other pictures that were drawn: perplexity along the text, what traces hold. */
  readonly pictures: readonly string[];
  /** What the caches held, for configurations that ended well, if it was asked for. */
  readonly traces: readonly Trace[];
  /** Whether it was ended early. */
  readonly interrupted: boolean;
}
