import type { KeepTable } from "../../cache/schedule.ts";
import type { FloatType } from "../../util/dtype.ts";
import type { AttentionForm } from "../../model/graph/attention/attention_form.ts";
import type { AttentionUse } from "../../policies/policy.ts";
import type { Score } from "../../policies/score.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { TraceSnapshot } from "../../report/results/trace_types.ts";
import type { SpeedRun } from "../../report/results/spread_types.ts";
import type { ReferencePlan } from "../measure/reference_plan.ts";
import type { Phase } from "../progress_event.ts";
import type { GpuInfo, QualitySample } from "../../report/results/types.ts";
import type { KernelChoice, KernelsUsed } from "../../engine/kernel_choice.ts";

/** Line on the child's standard input that tells it that its sample is saved. */
export const GO_ON = "go on";

/** A request to the child: one JSON document, the first line of its standard input. */
export type ChildRequest = ProbeRequest | MeasureOrder;

/** Find out which runtime and device are available. */
export interface ProbeRequest {
  readonly type: "probe";
  readonly device: "auto" | "cuda" | "cpu";
}

/** A pass over samples: generation with a clock, or the text token by token. */
export type PassName = "speed" | "quality";

/** What a child process measures of a configuration. */
export interface Work {
  /** Which pass it makes. */
  readonly pass: PassName;
  /** Indices of the samples to measure. */
  readonly wanted: readonly number[];
  /** In a quality pass: the full cache's logits, to write or to compare with. */
  readonly reference?: ReferenceUse;
}

/** The full cache's logits in files, one for each sample. */
export interface ReferenceUse {
  readonly role: "write" | "compare";
  /** By index of the sample. */
  readonly paths: readonly string[];
  /** The steps whose logits are in the files. */
  readonly plan: ReferencePlan;
}

/** Measure one pass of a configuration. */
export interface MeasureOrder extends MeasureRequest, Work {}

/** What a run measures of one configuration, in one or several child processes. */
export interface MeasureRequest {
  readonly type: "measure";
  /** Name of the configuration. */
  readonly name: string;
  /** The model's folder, or an ONNX export's file. */
  readonly model: string;
  readonly device: "cuda" | "cpu";
  readonly dtype: FloatType;
  readonly attention: AttentionForm | "export";
  readonly positions: Positions;
  /** Whose kernels run decode steps. */
  readonly kernels: KernelChoice;
  /** The policy as data: sizes for every layer and count that the run meets, the score, and the attention it reads. */
  readonly table: KeepTable;
  readonly score?: Score;
  readonly attentionUse?: AttentionUse;
  readonly skipLayers: readonly number[];
  /** Token ids of each sample. */
  readonly samples: readonly (readonly number[])[];
  readonly maxTokens: number;
  readonly promptTokens: number;
  /** Tokens of each prompt chunk; the whole prompt at once if left out. */
  readonly prefillChunk?: number | undefined;
  readonly maxNewTokens: number;
  readonly warmup: number;
  readonly seed: number;
  /** Report the ids of generated tokens. */
  readonly tokens?: boolean;
  /** Report what the cache holds at the end of the first sample's quality pass, and every `every` tokens. */
  readonly trace?: { readonly every: number | null };
}

/** An event of the child, one JSON document per line on its standard output. */
export type ChildEvent =
  | ({ readonly type: "probe" } & Probe)
  | {
    readonly type: "progress";
    readonly phase: Phase;
    readonly sample: number;
    readonly done: number;
    readonly total: number;
    readonly perplexity?: number;
  }
  /** The child waits for {@linkcode GO_ON} before it continues. */
  | { readonly type: "sample"; readonly pass: "speed"; readonly result: SpeedPass }
  | { readonly type: "sample"; readonly pass: "quality"; readonly result: QualitySample }
  /** Whose kernels run decode steps; on CUDA, if not the project's own, the reason. */
  | ({ readonly type: "kernels" } & KernelsUsed)
  | { readonly type: "trace"; readonly snapshot: TraceSnapshot }
  | { readonly type: "note"; readonly message: string }
  /** `mistake`: the user's, which would stop every other configuration too. */
  | { readonly type: "error"; readonly mistake: boolean; readonly message: string };

/** A speed pass as the child knows it: the parent knows its round. */
export type SpeedPass = Omit<SpeedRun, "round" | "place">;

/** Available runtime and device. */
export interface Probe {
  readonly device: "cuda" | "cpu";
  /** Why not CUDA, if "auto" settled for the CPU. */
  readonly note: string | null;
  readonly onnxruntime: string;
  readonly onnxruntimePath: string;
  readonly providers: readonly string[];
  readonly gpu: GpuInfo | null;
}
