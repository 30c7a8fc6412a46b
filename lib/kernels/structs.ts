/**
 * The structures that the kernels (cuda/) take, as callers pass them and as bytes. Pointers are to the GPU's memory;
 * `T` is the kernels' type.
 *
 * @module
 */

import { MAX_INSTRUCTIONS, MAX_SEGMENTS, SUM_FIELDS } from "./constants.ts";
import type { DropProgram } from "./drop_program.ts";
import { StructBytes } from "./struct_bytes.ts";

type Pointer = Deno.PointerValue;

/** Activation functions, applied to a product with its bias. */
export type KernelActivation = "gelu" | "gelu_tanh" | "relu" | "silu";

/** weight x input + bias: `[rows, width]`, `[width]`, `[rows]`. */
export interface LinearProduct {
  readonly weight: Pointer;
  readonly input: Pointer;
  readonly bias?: Pointer | undefined;
  readonly width: number;
  /** The weights are stored `[width, rows]`: all weights of a launch, or none. */
  readonly transposed?: boolean;
}

/** residual + combine(activation(first), second); the first product's input is normalized if `norm` is given. */
export interface LinearSegment {
  readonly rows: number;
  readonly products: readonly [LinearProduct, LinearProduct?];
  /** "sum": each product has its own input; "gated": activation(first) times second, of one input. */
  readonly combine?: "sum" | "gated" | undefined;
  readonly activation?: KernelActivation | undefined;
  readonly norm?: {
    readonly kind: "layer" | "rms";
    readonly scale?: Pointer | undefined;
    readonly shift?: Pointer | undefined;
    readonly eps: number;
    /** Weights are stored less 1. */
    readonly plusOne: boolean;
  } | undefined;
  readonly residual?: Pointer | undefined;
  readonly out: Pointer;
  /** The result is float32 rather than T. */
  readonly float32?: boolean;
}

/** `sizeof(Segment)`. */
const SEGMENT_BYTES = 128;
const COMBINE = { one: 0, sum: 1, gated: 2 } as const;
const ACTIVATION = { identity: 0, gelu: 1, gelu_tanh: 2, relu: 3, silu: 4 } as const;
const NORM = { none: 0, layer: 1, rms: 2 } as const;

/** `Linear`. `first`: the first block of each segment. */
export function linearBytes(segments: readonly LinearSegment[], first: readonly number[]): Uint8Array<ArrayBuffer> {
  if (segments.length > MAX_SEGMENTS) {
    throw new RangeError(`Cannot launch ${segments.length} segments: ${MAX_SEGMENTS} at most`);
  }
  const out = new StructBytes(MAX_SEGMENTS * SEGMENT_BYTES + 8);
  segments.forEach(({ products, norm, residual, out: result, rows, combine, activation, float32 }, i) => {
    for (const p of [products[0], products[1]]) {
      out.pointers(p?.weight, p?.input, p?.bias).longs(p?.width ?? 0);
    }
    out.pointers(norm?.scale, norm?.shift, residual, result);
    out.ints(rows, first[i]!, COMBINE[combine ?? "one"], ACTIVATION[activation ?? "identity"]);
    out.ints(NORM[norm?.kind ?? "none"], norm?.plusOne ? 1 : 0, float32 ? 1 : 0).floats(norm?.eps ?? 0);
  });
  return out.skipTo(MAX_SEGMENTS * SEGMENT_BYTES).longs(segments.length).bytes();
}

/** Where heads lie: head h begins `stride` elements after head h - 1. */
export interface HeadRows {
  readonly pointer: Pointer;
  readonly stride: number;
}

/** One token's attention over a layer's cache. */
export interface AttendArguments {
  readonly query: HeadRows;
  readonly key: HeadRows;
  readonly value: HeadRows;
  /** RMS norms of each head's query and key, `[headDim]`. */
  readonly queryScale?: Pointer | undefined;
  readonly keyScale?: Pointer | undefined;
  readonly plusOne: boolean;
  readonly eps: number;
  /** `[kvHeads, capacity, headDim]`: the new entry is written after the `past` ones. */
  readonly keys: Pointer;
  readonly values: Pointer;
  /** Float32 `[positions, rotaryDim / 2]`. */
  readonly cosine?: Pointer | undefined;
  readonly sine?: Pointer | undefined;
  readonly rotaryDim: number;
  /** The token's position, int64. */
  readonly position: Pointer;
  /** Float32 `[kvHeads, capacity]`: keys are rotated when they are read, each to its entry's rank in text order. */
  readonly ranks?: Pointer | undefined;
  /** Entries before the token, int64. */
  readonly past: Pointer;
  /** Receives the attention to each slot, mean over a KV head's queries, float32 `[kvHeads, capacity]`. */
  readonly observed?: Pointer | undefined;
  /** `[heads * headDim]`. */
  readonly out: Pointer;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly capacity: number;
  /** Factor of the scores. */
  readonly scale: number;
  /** Entries per block. */
  readonly chunk: number;
  /** Queries of a KV head per block: all of them if attention is observed. */
  readonly queries: number;
  readonly partial: Pointer;
  readonly scores: Pointer;
  readonly counters: Pointer;
}

/** `Attend`. */
export function attendBytes(a: AttendArguments): Uint8Array<ArrayBuffer> {
  return new StructBytes(200)
    .pointers(a.query.pointer, a.key.pointer, a.value.pointer)
    .longs(a.query.stride, a.key.stride, a.value.stride)
    .pointers(a.queryScale, a.keyScale, a.keys, a.values, a.cosine, a.sine, a.position, a.ranks, a.past)
    .pointers(a.partial, a.scores, a.observed, a.counters, a.out)
    .ints(a.heads, a.kvHeads, a.headDim, a.capacity, a.rotaryDim, a.plusOne ? 1 : 0, a.chunk, a.queries)
    .floats(a.scale, a.eps)
    .bytes();
}

/** A token's embedding: table row times scale, plus the position's row if positions are learned. */
export interface EmbedArguments {
  readonly id: Pointer;
  readonly position?: Pointer | undefined;
  /** `[vocab, hidden]`. */
  readonly table: Pointer;
  /** `[positions, hidden]`. */
  readonly learned?: Pointer | undefined;
  readonly out: Pointer;
  readonly hidden: number;
  /** Added to the position. */
  readonly offset: number;
  readonly scale: number;
}

/** `Embed`. */
export function embedBytes(a: EmbedArguments): Uint8Array<ArrayBuffer> {
  return new StructBytes(64)
    .pointers(a.id, a.position, a.table, a.learned, a.out)
    .longs(a.hidden, a.offset)
    .floats(a.scale, 0)
    .bytes();
}

/** What to compute from the logits. */
export interface ChooseArguments {
  /** Float32 `[vocab]`. */
  readonly logits: Pointer;
  /** Int64. */
  readonly target: Pointer;
  readonly partial: Pointer;
  readonly counter: Pointer;
  /** Float32. */
  readonly nll: Pointer;
  /** Int64. */
  readonly argmax: Pointer;
  readonly vocab: number;
}

/** `Choose`. */
export function chooseBytes(a: ChooseArguments): Uint8Array<ArrayBuffer> {
  return new StructBytes(56)
    .pointers(a.logits, a.target, a.partial, a.counter, a.nll, a.argmax)
    .longs(a.vocab)
    .bytes();
}

/** The step case of eviction: see emitDrop. */
export interface DropArguments {
  readonly rows: number;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly width: number;
  /** `[slots, headDim]`. */
  readonly keys: Pointer;
  readonly values: Pointer;
  /** Int64 `[rows]`. */
  readonly starts: Pointer;
  /** Float32 `[rows, width]`, these and those that follow. */
  readonly rank: Pointer;
  readonly keyNorm?: Pointer | undefined;
  readonly textPosition?: Pointer | undefined;
  /** `[rows, width]`, or `[rows, window, width]`. */
  readonly attention?: Pointer | undefined;
  readonly observed?: Pointer | undefined;
  /** Float32 `[4, layers]`. */
  readonly dropRanges: Pointer;
  /** Int64: where the window, a ring over its queries, keeps the attention of this step's query. */
  readonly ringIndex?: Pointer | undefined;
  readonly draw?: Pointer | undefined;
  /** Float32. */
  readonly textIndex?: Pointer | undefined;
  /** Queries whose attention is kept; 0 if it is summed over all queries. */
  readonly window: number;
  /** All rows of a layer get the layer's mean. */
  readonly shareLayer: boolean;
  readonly program: DropProgram;
  /** Float32 `[rows, means, headDim + SUM_FIELDS]`: see sumsOf; given if the program has means. */
  readonly sums?: Pointer | undefined;
}

/**
 * Returns how many float32 numbers a row of the eviction kernel keeps for the means of a program. They are zero if
 * nothing was summed yet, or the sum cannot be continued.
 */
export function sumsOf({ means }: DropProgram, headDim: number): number {
  return means * (headDim + SUM_FIELDS);
}

/** `offsetof(Drop, program)`. */
const DROP_HEAD = 140;

/** `sizeof(Drop)`. */
const DROP_BYTES = Math.ceil((DROP_HEAD + 8 * MAX_INSTRUCTIONS) / 8) * 8;

/** `Drop`. */
export function dropBytes(a: DropArguments): Uint8Array<ArrayBuffer> {
  const out = new StructBytes(DROP_BYTES)
    .pointers(a.keys, a.values, a.starts, a.rank, a.keyNorm, a.textPosition, a.attention, a.observed)
    .pointers(a.dropRanges, a.ringIndex, a.draw, a.textIndex, a.sums)
    .ints(a.kvHeads, a.headDim, a.width, a.layers, a.window, a.shareLayer ? 1 : 0, a.program.instructions.length)
    .ints(a.program.depth, a.program.means);
  out.skipTo(DROP_HEAD);
  for (const { op, number } of a.program.instructions) out.ints(op).floats(number);
  return out.skipTo(DROP_BYTES).bytes();
}

/** Queries, keys or values of a prompt: the projection's result, and where they are written. */
export interface PromptRows {
  /** First head of the first token; a head begins `headStride` elements after the one before, a token `tokenStride`. */
  readonly rows: Pointer;
  /** Bias of the first head; laid out as a token's heads. */
  readonly bias?: Pointer | undefined;
  readonly tokenStride: number;
  readonly headStride: number;
  /** `[tokens, heads, headDim]`. */
  readonly out: Pointer;
}

/** Queries, keys and values of a prompt's tokens, to which biases are added and which are rotated. */
export interface HeadsArguments {
  readonly query: PromptRows;
  readonly key: PromptRows;
  readonly value: PromptRows;
  /** Float32 `[positions, rotaryDim / 2]`; nothing is rotated without them. */
  readonly cosine?: Pointer | undefined;
  readonly sine?: Pointer | undefined;
  /** Int64 `[tokens]`. */
  readonly positions?: Pointer | undefined;
  readonly tokens: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly rotaryDim: number;
}

/** `Heads`. */
export function headsBytes(a: HeadsArguments): Uint8Array<ArrayBuffer> {
  const out = new StructBytes(160);
  for (const { rows, bias, out: result, tokenStride, headStride } of [a.query, a.key, a.value]) {
    out.pointers(rows, bias, result).longs(tokenStride, headStride);
  }
  return out.pointers(a.cosine, a.sine, a.positions).ints(a.heads, a.kvHeads, a.headDim, a.rotaryDim).bytes();
}
