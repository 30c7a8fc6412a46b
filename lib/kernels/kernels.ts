import type { FloatType } from "../util/dtype.ts";
import type { AttendArguments, ChooseArguments, DropArguments, EmbedArguments } from "./structs.ts";
import type { HeadsArguments, LinearSegment } from "./structs.ts";

/** Attention as it is asked for: how it is shared out among blocks is the kernels' business. */
export type AttendCall = Omit<AttendArguments, "chunk" | "queries" | "partial" | "scores" | "counters">;

/**
 * The kernels of one decode step, and one of a prompt's, for tensors of one type. Each call does its work, or queues it in
 * the device's stream; sums are in float32 whatever the type.
 */
export interface StepKernels extends Disposable {
  readonly dtype: FloatType;
  /** Matrix products of one vector each, for all of a matrix's rows. */
  linear(segments: readonly LinearSegment[]): void;
  /** Attention of one token over a layer's cache, to which its key and value are appended. */
  attend(a: AttendCall): void;
  /** The token's embedding. */
  embed(a: EmbedArguments): void;
  /** Negative log-likelihood of the target, nats, and the argmax. */
  choose(a: Omit<ChooseArguments, "partial" | "counter">): void;
  /** One entry of each row leaves, and the newest takes its slot. */
  drop(a: DropArguments): void;
  /** Queries, keys and values of a prompt's tokens, with biases and rotated. */
  heads(a: HeadsArguments): void;
  /** Attention of the step's query to every slot of every row, float32 `[rows, width]`, for {@linkcode drop}. */
  observed(rows: number, width: number): Deno.PointerObject;
}
