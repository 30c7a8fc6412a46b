import type { EvictionOptions } from "../cache/eviction.ts";
import type { FloatType } from "../util/dtype.ts";
import type { StepKernels } from "../kernels/kernels.ts";
import type { AttentionForm } from "../model/graph/attention/attention_form.ts";
import { type ModelSpec, shortestWindow } from "../model/spec.ts";
import type { KernelChoice } from "./kernel_choice.ts";
import { numberingOf, type Positions } from "./numbering.ts";

/** What an engine is made for: a policy as data, and how passes run. */
export interface EngineOptions extends Omit<EvictionOptions, "rankedPositions" | "window"> {
  readonly attention: AttentionForm | "export";
  /** The most tokens any sequence has: what the rotary table has to cover. */
  readonly maxPositions: number;
  /** "absolute" if left out. */
  readonly positions?: Positions | undefined;
  /** Threads of the CPU provider. */
  readonly threads?: number | undefined;
  /** Whose kernels run decode steps, "auto" if left out; or kernels from elsewhere, for any device. */
  readonly kernels?: KernelChoice | ((dtype: FloatType) => StepKernels) | undefined;
  /** Whether weights go into one block of the device's memory, or ORT takes them from the files; a block on CUDA. */
  readonly weightBlock?: boolean;
  /** Replay steps as CUDA graphs; on unless false. */
  readonly cudaGraphs?: boolean;
  /** Have an ONNX export's passes profiled: see SessionOptions. */
  readonly profile?: string | undefined;
  /** Also compute the logits of every token; see Sequence.logits. */
  readonly logits?: boolean;
}

/** The part of an engine's options that its eviction takes. */
export function evictionOptions(options: EngineOptions, spec: ModelSpec): EvictionOptions {
  const { dtype, table, score, attentionUse, trace } = options;
  const { ranked } = numberingFor(options);
  return { dtype, table, score, attentionUse, trace, rankedPositions: ranked, window: windowUse(options, spec) };
}

/** What an engine's way of numbering tokens means. */
export function numberingFor({ positions = "absolute", attention }: EngineOptions) {
  return numberingOf(positions, attention === "export");
}

/** How the model's sliding windows count, where a text is longer than one; an export masks in its own way. */
export function windowUse(options: EngineOptions, spec: ModelSpec): "index" | "rank" | undefined {
  const { maxPositions, attention } = options;
  return attention === "export" || maxPositions <= shortestWindow(spec) ? undefined : numberingFor(options).windowBy;
}
