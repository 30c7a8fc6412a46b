import type { FloatType } from "../../util/dtype.ts";
import type { DownloadEvent } from "../../hub/hub.ts";
import type { AttentionForm } from "../../model/graph/attention/attention_form.ts";
import type { ProgressEvent } from "../progress_event.ts";
import type { Trace } from "../../report/results/trace_types.ts";
import type { BenchmarkResults } from "../../report/results/types.ts";
import type { Configuration } from "./configuration.ts";
import type { Undecided } from "./device_defaults.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { KernelChoice } from "../../engine/kernel_choice.ts";

/** What to measure. All but the configurations has a default. */
export interface BenchmarkOptions extends Partial<Undecided> {
  /** What to compare, in the order of the table. A configuration named "baseline" is what changes are against. */
  readonly configurations: readonly Configuration[];
  /** A Hugging Face model folder, an ONNX export's file in one, or a model's id on the hub (`org/name`); the embedded model if left out. */
  readonly model_id?: string;
  /** Branch, tag or commit of a model of the hub; `main` if left out. */
  readonly revision?: string | undefined;
  /** Take nothing from the net: what is not in the hub's cache is an error. */
  readonly offline?: boolean;
  /** A data set's name, such as `moby_dick`; the path of a file or folder; or `-` for standard input. */
  readonly dataset?: string;
  /** Which part of a data set that has parts; `test` if left out. */
  readonly split?: string | undefined;
  /** Column or field of the texts, where the data set is a table; `text` if left out. */
  readonly text_column?: string | undefined;
  /** Of a data set of several texts, those with fewer characters are passed over; 10000 if left out. */
  readonly min_chars?: number | undefined;
  /** What results.json calls the run; its methods, control groups aside, joined by "+" if left out. */
  readonly method?: string;
  /** Layers never compressed; 0 and 1 if left out. */
  readonly skip_layers?: readonly number[];
  /**
   * Tokens of the speed pass's prompt that go in at a time, the method applied after each such chunk; all at once if left
   * out. A layer then needs room for what it keeps and one chunk, never for the whole prompt.
   */
  readonly prefill_chunk?: number | undefined;
  readonly device?: "auto" | "cuda" | "cpu";
  readonly dtype?: "auto" | FloatType;
  readonly attention?: "auto" | AttentionForm;
  /**
   * Whose kernels run decode steps on CUDA: "auto", the project's own where they can and ONNX Runtime's elsewhere, if left
   * out; "own", which fails where they cannot be used; or "ort".
   */
  readonly kernels?: KernelChoice;
  /** How tokens are numbered: "absolute" if left out. Of several, every configuration is measured under each. */
  readonly positions?: Positions | readonly Positions[];
  /** Find out which places of the text each layer and head holds at the end of the first sample's quality pass. */
  readonly trace?: boolean;
  /** The same, every so many tokens as well. */
  readonly trace_every?: number | undefined;
  /** Draw perplexity along the text even where the text is no longer than what the model was trained for. */
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
  /** What random choices are drawn from. */
  readonly seed?: number;
  /** The folder that the run's own folder is made in; null writes nothing. */
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
