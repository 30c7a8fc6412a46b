import type { FloatType } from "../util/dtype.ts";
import type { AttendArguments, ChooseArguments, DropArguments, EmbedArguments } from "./structs.ts";
import type { HeadsArguments, LinearSegment } from "./structs.ts";

/** Arguments of an attention call. The kernels decide how blocks share the work. */
export type AttendCall = Omit<AttendArguments, "chunk" | "queries" | "partial" | "scores" | "counters">;

/**
 * The kernels of one decode step, and one of a prompt's pass, for tensors of one type. Each call does its work, or
 * queues it in the device's stream. Sums are in float32 for every type.
 */
export interface StepKernels extends Disposable {
  readonly dtype: FloatType;
  /** Computes matrix products of one vector each, for all rows of a matrix. */
  linear(segments: readonly LinearSegment[]): void;
  /** Computes one token's attention over a layer's cache, and appends its key and value. */
  attend(a: AttendCall): void;
  /** Looks up the token's embedding. */
  embed(a: EmbedArguments): void;
  /** Computes the negative log-likelihood of the target, nats, and the argmax. */
  choose(a: Omit<ChooseArguments, "partial" | "counter">): void;
  /** Drops one entry of each row; the newest takes its slot. */
  drop(a: DropArguments): void;
  /** Computes queries, keys and values of a prompt's tokens: adds biases and rotates. */
  heads(a: HeadsArguments): void;
  /** Attention of the step's query to every slot of every row, float32 `[rows, width]`, for {@linkcode drop}. */
  observed(rows: number, width: number): Deno.PointerObject;
}
