import type { KvCache } from "../cache/kv_cache.ts";
import type { DeviceMemory } from "../ort/device.ts";
import type { PassResult } from "./pass.ts";

/** What verification needs of a sequence: see Sequence. */
export interface VerifiedSequence {
  readonly cache: KvCache;
  begin(tokens: number): number;
  forward(ids: readonly number[], target: number): void;
  evict(): void;
  rewind(tokens: number): void;
  read(): PassResult;
  logits(): Float32Array;
}

/**
 * Verification of drafted tokens: one pass computes 1 to {@linkcode maxRows} consecutive tokens of a sequence, each as a
 * step would. It writes their entries ahead and evicts nothing; what is not accepted is taken back.
 *
 * Use: `run(ids)`, then `argmaxes()` or `logits()`, then `accept(count)`, and again. Between them the sequence runs no
 * other pass. A sequence that was made with `rows` has one: `engine.sequence(passGroups, seed, rows).verification`.
 */
export interface Verification extends Disposable {
  /** Most tokens of a pass. */
  readonly maxRows: number;
  /** Whether each row's logits have the bits of a step's over the same entries. */
  readonly bitEqual: boolean;
  /** Whether a pass is one pass; if not, it is as many steps, and {@linkcode reason} says why. */
  readonly onePass: boolean;
  /** Why the pass is not one pass; undefined if it is. */
  readonly reason: string | undefined;
  /**
   * Queues a pass. Row i attends to all entries held and to rows 0 to i.
   *
   * @param ids The tokens, 1 to {@linkcode maxRows}: the last one that is sure, then the drafted ones. A number of tokens
   * instead: their ids already lie in {@linkcode ids}, where a draft wrote them.
   * @throws {RangeError} For another number of tokens, or if the last pass was not accepted or taken back yet.
   */
  run(ids: readonly number[] | number): void;
  /** Where the pass reads its tokens on the device, int64 `[maxRows]`, at byte `offset` of `memory`. */
  readonly ids: { readonly memory: DeviceMemory; readonly offset: number };
  /** Waits for the pass. Returns the most likely token after each of its rows; the first of equal ones, as a step does. */
  argmaxes(): number[];
  /** Waits for the pass. Returns its logits, `[tokens, vocab]`. */
  logits(): Float32Array;
  /** Where the pass writes its logits, float32 `[tokens, vocab]`. What reads it has to be queued before the next pass. */
  readonly logitsMemory: DeviceMemory;
  /**
   * Keeps the entries of the pass's first tokens and takes the others back: the next pass writes over them.
   *
   * @param tokens How many, 0 to those of the pass.
   * @throws {RangeError} For another number.
   */
  accept(tokens: number): void;
}
