import type { PassGroup } from "../../cache/schedule.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Pass } from "../../engine/pass.ts";
import type { Sequence } from "../../engine/sequence.ts";
import type { Verifier } from "../../engine/verifier.ts";

/** What the target says about tokens that it has read. */
export interface Verified {
  /** The most likely token after each; it may end with the first that differs from the next one read. */
  readonly predicted: readonly number[];
  /** Waits for the logits after one of them, `[vocab]`; needs a target with logits. */
  readonly logits: (row: number) => Float32Array;
}

/** The model whose text is written. */
export interface Target {
  /** Reads tokens ahead. */
  verify(tokens: readonly number[]): Verified;
  /** Takes back all but the first so many of the tokens that were read last. */
  keep(tokens: number): void;
}

/** What an engine verifies. */
export interface EngineTargetOptions {
  readonly prompt: readonly number[];
  /** The most tokens that follow it. */
  readonly newTokens: number;
  /** Entries that there is room for beyond these: see {@linkcode roomFor}. */
  readonly room: number;
  /** What reads several tokens at once, ascending; with none, tokens are read step by step. */
  readonly verifiers: readonly Verifier[];
  /** Sizes of passes of the project's own kernels, in place of verifiers: see `Sequence.verification`. */
  readonly rows?: readonly number[];
  /** Whether logits are read: of every token, not only up to the first that differs. */
  readonly logits: boolean;
}

/**
 * An engine that verifies drafts. It has read the prompt. Several tokens are read in one pass, padded to the next size
 * that there is one for; a single one in a step.
 */
export class EngineTarget implements Target, Disposable {
  readonly sequence: Sequence;
  /** The most likely token after the prompt. */
  readonly first: number;
  /** The prompt's last logits, `[vocab]`, if logits are read. */
  readonly firstLogits: Float32Array | undefined;
  /** Time of reading the prompt, until the first token is on the host, s. */
  readonly ttft_s: number;
  /** Passes so far, by number of tokens. */
  readonly passes = new Map<number, number>();
  readonly #passes: readonly Pass[];
  /** Tokens that the last verification read, padding included. */
  #read = 0;
  /** Whether the project's own kernels read them. */
  #isOpen = false;

  /**
   * Reads the prompt.
   *
   * @param engine Holds the full cache; dispose of it after the target.
   * @param options What it verifies.
   */
  constructor(readonly engine: Engine, readonly options: EngineTargetOptions) {
    const { prompt, newTokens, room, verifiers, logits, rows = [] } = options;
    this.sequence = engine.sequence(targetPasses(prompt.length, newTokens, room), 0, rows);
    this.#passes = verifiers.map((verifier) => this.sequence.addPass(verifier, verifier.rows));
    engine.runtime.device.synchronize();
    const start = performance.now();
    this.sequence.forward(prompt, 0);
    this.first = this.sequence.read().argmax;
    this.ttft_s = (performance.now() - start) / 1000;
    this.firstLogits = logits ? this.sequence.logits() : undefined;
    this.sequence.evict();
  }

  verify(tokens: readonly number[]): Verified {
    const { rows = [] } = this.options;
    if (rows.length > 0 && tokens.length > 1) return this.#rows(tokens, rows.find((size) => size >= tokens.length)!);
    const pass = tokens.length > 1 ? this.#passes.find((pass) => pass.tokens >= tokens.length) : undefined;
    if (!pass) return this.#steps(tokens);
    const { sequence } = this;
    const { tokens: size } = pass;
    this.#count(size);
    sequence.run(pass, [...tokens, ...new Array(size - tokens.length).fill(0)]);
    sequence.evict();
    this.#read = size;
    const predicted = pass.predicted();
    predicted.length = tokens.length;
    let all: Float32Array | undefined;
    return {
      predicted,
      logits: (row) => {
        all ??= pass.logits();
        const { vocab } = this.engine.model.spec;
        return all.subarray(row * vocab, (row + 1) * vocab);
      },
    };
  }

  /** Reads tokens with the project's own kernels for several. */
  #rows(tokens: readonly number[], size: number): Verified {
    const { verification } = this.sequence;
    this.#count(size);
    verification.run(tokens);
    this.#read = tokens.length;
    this.#isOpen = true;
    const predicted = verification.argmaxes();
    let all: Float32Array | undefined;
    const { vocab } = this.engine.model.spec;
    return {
      predicted,
      logits: (row) => (all ??= verification.logits()).subarray(row * vocab, (row + 1) * vocab),
    };
  }

  /** Reads tokens step by step; without logits only up to the first that is not the one predicted. */
  #steps(tokens: readonly number[]): Verified {
    const { sequence, options } = this;
    const predicted: number[] = [];
    const logits: Float32Array[] = [];
    for (const [i, id] of tokens.entries()) {
      sequence.forward([id], 0);
      predicted.push(sequence.read().argmax);
      sequence.evict();
      this.#count(1);
      if (options.logits) logits.push(sequence.logits());
      else if (predicted[i] !== tokens[i + 1]) break;
    }
    this.#read = predicted.length;
    return { predicted, logits: (row) => logits[row]! };
  }

  #count(tokens: number): void {
    this.passes.set(tokens, (this.passes.get(tokens) ?? 0) + 1);
  }

  keep(tokens: number): void {
    if (this.#isOpen) this.sequence.verification.accept(tokens);
    else this.sequence.rewind(this.#read - tokens);
    this.#isOpen = false;
    this.#read = 0;
  }

  [Symbol.dispose](): void {
    this.sequence[Symbol.dispose]();
  }
}

/**
 * Returns the passes of a sequence that writes a text and has room for tokens that are read ahead. Plain decoding has
 * the same room: in the explicit form of attention, the bits of sums depend on the slots of the cache.
 *
 * @example
 * ```ts
 * import { targetPasses } from "./target.ts";
 *
 * console.log(targetPasses(100, 20, 8)); // [ { tokens: 100, times: 1 }, { tokens: 1, times: 28 } ]
 * ```
 *
 * @param prompt Tokens of the prompt.
 * @param newTokens Tokens that follow it.
 * @param room More tokens.
 */
export function targetPasses(prompt: number, newTokens: number, room: number): PassGroup[] {
  return [{ tokens: prompt, times: 1 }, { tokens: 1, times: newTokens + room }];
}

/**
 * Returns the room that passes of up to so many tokens need: the last round of the warm-up and that of the text may write this many more than are wanted,
 * and reads as many ahead.
 *
 * @example
 * ```ts
 * import { roomFor } from "./target.ts";
 *
 * console.log(roomFor(5)); // 17
 * ```
 *
 * @param widest The most tokens of a pass that verifies; 0 for none.
 */
export function roomFor(widest: number): number {
  return 3 * widest + 2;
}
