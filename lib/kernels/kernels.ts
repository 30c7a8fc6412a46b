import type { FloatType } from "../util/dtype.ts";
import type { AttendArguments, ChooseArguments, DropArguments, EmbedArguments } from "./structs.ts";
import type { HeadsArguments, LinearSegment } from "./structs.ts";
import type { ArgmaxArguments } from "./row_structs.ts";

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

/** Arguments of {@linkcode RowKernels.attend}. */
export interface RowsAttendCall extends Omit<AttendCall, "observed"> {
  /** Elements from a token's heads to those of the next. */
  readonly tokenStrides: Readonly<Record<"query" | "key" | "value", number>>;
}

/**
 * The kernels of a pass of several consecutive tokens of one sequence: what {@linkcode StepKernels} compute for one.
 * Inputs, residuals and results have one row per token. Each token's results have the bits of a step's.
 */
export interface RowKernels extends Disposable {
  readonly dtype: FloatType;
  /** Computes matrix products with each token's vector. */
  linear(tokens: number, segments: readonly LinearSegment[]): void;
  /**
   * Computes the tokens' attention over a layer's cache, and appends their keys and values: token i comes after `past`
   * entries and i tokens, at `position` and i more.
   */
  attend(tokens: number, a: RowsAttendCall): void;
  /** Looks up the tokens' embeddings; positions follow the first token's. */
  embed(tokens: number, a: EmbedArguments): void;
  /** Computes each token's argmax. */
  argmax(tokens: number, a: Omit<ArgmaxArguments, "partial" | "counters">): void;
}
