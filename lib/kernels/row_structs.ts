/**
 * The structures that the kernels of several tokens (cuda/rows.cu) take, as callers pass them and as bytes: see
 * structs.ts.
 *
 * @module
 */

import { StructBytes } from "./struct_bytes.ts";
import { type AttendArguments, attendBytes, linearBytes, type LinearSegment } from "./structs.ts";

type Pointer = Deno.PointerValue;

/** Returns a structure followed by more fields. */
function followed(head: Uint8Array<ArrayBuffer>, tail: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}

/** `RowsLinear`. `first`: the first block of each segment. */
export function rowsLinearBytes(
  segments: readonly LinearSegment[],
  first: readonly number[],
  tokens: number,
): Uint8Array<ArrayBuffer> {
  return followed(linearBytes(segments, first), new StructBytes(8).longs(tokens).bytes());
}

/** Attention of several tokens: the first one's, and what the others add. */
export interface RowsAttendArguments extends AttendArguments {
  /** Elements from a token's heads to those of the next. */
  readonly tokenStrides: Readonly<Record<"query" | "key" | "value", number>>;
  readonly tokens: number;
}

/** `RowsAttend`. */
export function rowsAttendBytes(a: RowsAttendArguments): Uint8Array<ArrayBuffer> {
  const { tokenStrides: { query, key, value }, tokens } = a;
  return followed(attendBytes(a), new StructBytes(32).longs(query, key, value, tokens).bytes());
}

/** What to compute from several tokens' logits. */
export interface ArgmaxArguments {
  /** Float32 `[tokens, vocab]`. */
  readonly logits: Pointer;
  readonly partial: Pointer;
  readonly counters: Pointer;
  /** Int64 `[tokens]`. */
  readonly argmax: Pointer;
  readonly vocab: number;
}

/** `Argmax`. */
export function argmaxBytes(a: ArgmaxArguments): Uint8Array<ArrayBuffer> {
  return new StructBytes(40).pointers(a.logits, a.partial, a.counters, a.argmax).longs(a.vocab).bytes();
}
