import type { KeepTable } from "../../cache/schedule.ts";
import type { FloatType } from "../../util/dtype.ts";
import type { AttentionForm } from "../../model/graph/attention/attention_form.ts";
import type { AttentionUse } from "../../policies/policy.ts";
import type { Score } from "../../policies/score.ts";
import type { Positions } from "../../engine/numbering.ts";
import type { TraceSnapshot } from "../../report/results/trace_types.ts";
import type { GpuInfo, RawResult } from "../../report/results/types.ts";
import type { KernelChoice, KernelsUsed } from "../../engine/kernel_choice.ts";

/** What the parent says to a child that has reported a sample, once it is saved: a line of its standard input. */
export const GO_ON = "go on";

/** What the parent asks of the child: one JSON document, the first line of its standard input. */
export type ChildRequest = ProbeRequest | MeasureRequest;

/** Find out what there is to run on. */
export interface ProbeRequest {
  readonly type: "probe";
  readonly device: "auto" | "cuda" | "cpu";
}

/** Measure one configuration. */
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
  /** The policy as data: sizes for every layer and count the run meets, the score, the attention it reads. */
  readonly table: KeepTable;
  readonly score?: Score;
  readonly attentionUse?: AttentionUse;
  readonly skipLayers: readonly number[];
  /** Token ids of each sample. */
  readonly samples: readonly (readonly number[])[];
  /** Indices of the samples to measure: the others were measured before. */
  readonly wanted: readonly number[];
  readonly maxTokens: number;
  readonly promptTokens: number;
  /** Tokens of the prompt that go in at a time; all of them if left out. */
  readonly prefillChunk?: number | undefined;
  readonly maxNewTokens: number;
  readonly warmup: number;
  readonly seed: number;
  /** Report what the cache holds at the end of the first sample's quality pass, and every so many tokens. */
  readonly trace?: { readonly every: number | null };
}

/** What the child says, one JSON document per line on its standard output. */
export type ChildEvent =
  | ({ readonly type: "probe" } & Probe)
  | {
    readonly type: "progress";
    readonly phase: "load" | "warmup" | "speed" | "quality";
    readonly sample: number;
    readonly done: number;
    readonly total: number;
    readonly perplexity?: number;
  }
  /** The child waits for {@linkcode GO_ON} before it does anything else. */
  | { readonly type: "sample"; readonly result: RawResult }
  /** Whose kernels run decode steps, and on CUDA why not the project's own. */
  | ({ readonly type: "kernels" } & KernelsUsed)
  | { readonly type: "trace"; readonly snapshot: TraceSnapshot }
  | { readonly type: "note"; readonly message: string }
  /** `mistake`: the user's, which no other configuration would fare better with. */
  | { readonly type: "error"; readonly mistake: boolean; readonly message: string };

/** What there is to run on. */
export interface Probe {
  readonly device: "cuda" | "cpu";
  /** Why not CUDA, where "auto" settled for the CPU. */
  readonly note: string | null;
  readonly onnxruntime: string;
  readonly onnxruntimePath: string;
  readonly providers: readonly string[];
  readonly gpu: GpuInfo | null;
}
