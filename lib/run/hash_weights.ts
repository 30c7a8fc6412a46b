import { sha256OfFiles } from "../util/sha256.ts";
import type { BenchmarkOptions } from "./plan/options.ts";
import type { Plan } from "./plan/plan.ts";

/** Wait after which the user is told what is going on, ms. */
const NOTE_MS = 1000;

/**
 * Adds the hashes of the weights to the results: a checkpoint takes a second per GB. Starts once nothing is timed any
 * more. A run that is ended early has no hashes.
 */
export class WeightHashes {
  #work: Promise<void> | undefined;

  constructor(readonly plan: Plan, readonly options: BenchmarkOptions) {}

  /** Starts, if it has not started. */
  start(): void {
    this.#work ??= this.#hash();
  }

  /** Waits for the hashes. */
  async done(): Promise<void> {
    const { onNote } = this.options;
    this.start();
    const note = setTimeout(() => onNote?.("Everything is measured and saved; hashing the weights"), NOTE_MS);
    await this.#work;
    clearTimeout(note);
  }

  async #hash(): Promise<void> {
    const { results: { environment }, weights: { folder, files } } = this.plan;
    const { signal, onNote } = this.options;
    try {
      signal?.throwIfAborted();
      Object.assign(environment.model_sha256, await sha256OfFiles(folder, files, signal));
    } catch (error) {
      if (!signal?.aborted) onNote?.(`Cannot hash the weights: ${(error as Error).message}`);
    }
  }
}
