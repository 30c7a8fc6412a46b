import type { EvictionOptions } from "../cache/eviction.ts";
import type { FloatType } from "../util/dtype.ts";
import type { RowKernels, StepKernels } from "../kernels/kernels.ts";
import type { AttentionForm } from "../model/graph/attention/attention_form.ts";
import { type ModelSpec, shortestWindow } from "../model/spec.ts";
import type { WeightBlock } from "../model/graph/weight_block.ts";
import type { KernelChoice } from "./kernel_choice.ts";
import { numberingOf, type Positions } from "./numbering.ts";

/** What an engine is made for: a policy as data, and how to run passes. */
export interface EngineOptions extends Omit<EvictionOptions, "stored" | "rankedPositions" | "window"> {
  /** Type that weights and activations have, and the cache is stored in. */
  readonly dtype: FloatType;
  readonly attention: AttentionForm | "export";
  /** The most tokens of any sequence: the length of the rotary table. */
  readonly maxPositions: number;
  /** "absolute" if left out. */
  readonly positions?: Positions | undefined;
  /** Threads of the CPU provider. */
  readonly threads?: number | undefined;
  /** Whose kernels run decode steps, "auto" if left out; or a function that supplies other kernels, for any device. */
  readonly kernels?: KernelChoice | ((dtype: FloatType) => StepKernels) | undefined;
  /** Whether sequences may verify drafted tokens with the project's own kernels: loads one more graph. Default false. */
  readonly verifies?: boolean;
  /** Supplies the kernels that verify, if {@linkcode kernels} supplies a step's. */
  readonly rowKernels?: ((dtype: FloatType) => RowKernels) | undefined;
  /** Whether weights go into one block of device memory, instead of ORT loading the files; by default on CUDA only. */
  readonly weightBlock?: boolean;
  /** The weights of another engine of the same model and type, to use instead of loading them again. */
  readonly sharedWeights?: WeightBlock | undefined;
  /** Whether to replay steps as CUDA graphs; default true. */
  readonly cudaGraphs?: boolean;
  /** Where to write a profile of an ONNX export's passes: see SessionOptions. */
  readonly profile?: string | undefined;
  /** Which logits passes return, if any: the last token's, which costs nothing, or with `true` every token's. */
  readonly logits?: boolean | "last";
}

/** The part of an engine's options that its eviction takes. */
export function evictionOptions(options: EngineOptions, spec: ModelSpec): EvictionOptions {
  const { dtype, table, score, attentionUse, trace } = options;
  const { ranked } = numberingFor(options);
  return {
    stored: dtype,
    table,
    score,
    attentionUse,
    trace,
    rankedPositions: ranked,
    window: windowUse(options, spec),
  };
}

/** Returns what an engine's numbering of tokens means. */
export function numberingFor({ positions = "absolute", attention }: EngineOptions) {
  return numberingOf(positions, attention === "export");
}

/** How the model's sliding windows count if a text is longer than one; an export does its own masking. */
export function windowUse(options: EngineOptions, spec: ModelSpec): "index" | "rank" | undefined {
  const { maxPositions, attention } = options;
  return attention === "export" || maxPositions <= shortestWindow(spec) ? undefined : numberingFor(options).windowBy;
}
