import type { BoundComparison, LogitsComparison, LogitsDistance } from "../../engine/logits_comparison.ts";
import type { Sequence } from "../../engine/sequence.ts";
import type { Divergence } from "../../report/results/spread_types.ts";
import type { LogitsWatch } from "./logits_watch.ts";
import { type ReferencePlan, rowAt, rowsOf } from "./reference_plan.ts";
import { ReferenceReader } from "./reference_reader.ts";

/**
 * Measures how far a quality pass's predictions are from the full cache's, step by step, on the device. The full cache's
 * logits are those that {@linkcode ReferenceWriter} wrote in another process for the same text and plan.
 */
export class DivergenceMeter implements LogitsWatch, Disposable {
  readonly #reader: ReferenceReader;
  #bound: BoundComparison | undefined;
  #pending: (() => LogitsDistance) | undefined;
  readonly #distances: LogitsDistance[] = [];

  /**
   * @param comparison Compares on the device of the passes. Dispose of the meter first.
   * @param path The full cache's logits.
   * @param plan The steps that are in the file.
   * @param steps Steps of the pass.
   * @throws {Error} If the file cannot be read, or is not of that many steps.
   */
  constructor(readonly comparison: LogitsComparison, path: string, readonly plan: ReferencePlan, steps: number) {
    this.#reader = new ReferenceReader(path, comparison.vocab, rowsOf(plan, steps));
  }

  take(step: number, sequence: Sequence, target: number): void {
    const row = rowAt(this.plan, step);
    if (row === undefined) return;
    this.#bound ??= this.comparison.bind(sequence.logitsMemory);
    const queued = this.#bound.queue(this.#reader.row(row), target);
    this.#note();
    this.#pending = queued;
  }

  /** Waits for the last comparison. Returns those of all steps. */
  finish(): Divergence {
    this.#note();
    this[Symbol.dispose]();
    return {
      kl: this.#distances.map(({ kl }) => kl),
      token_probability: this.#distances.map(({ tokenProbability }) => tokenProbability),
      same_top: this.#distances.map(({ sameTop }) => Number(sameTop)),
      first: this.plan.first,
      stride: this.plan.stride,
    };
  }

  /** Takes the result that was queued last. */
  #note(): void {
    if (this.#pending) this.#distances.push(this.#pending());
    this.#pending = undefined;
  }

  [Symbol.dispose](): void {
    this.#pending = undefined;
    this.#bound?.[Symbol.dispose]();
    this.#bound = undefined;
    this.#reader[Symbol.dispose]();
  }
}
