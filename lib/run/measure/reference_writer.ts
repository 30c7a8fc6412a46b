import type { Sequence } from "../../engine/sequence.ts";
import type { Device } from "../../ort/device.ts";
import type { PendingRead, SmallCopies } from "../../ort/small_copies.ts";
import type { LogitsWatch } from "./logits_watch.ts";
import { type ReferencePlan, rowAt, rowBytes } from "./reference_plan.ts";

/**
 * Writes the logits of a quality pass to a file, for {@linkcode DivergenceMeter}: a row for each step of the plan,
 * float32 `[vocab]`, little-endian, and nothing else. Each row is copied from the device while the next step runs.
 *
 * If the file cannot be written, for example on a full disk, it is emptied and the pass goes on.
 */
export class ReferenceWriter implements LogitsWatch, Disposable {
  #file: Deno.FsFile | undefined;
  #copies: SmallCopies | undefined;
  #pending: PendingRead | undefined;
  #problem: string | undefined;

  /**
   * Needs `--allow-write` for the file.
   *
   * @param device The device of the passes.
   * @param path The file; an existing one is replaced.
   * @param vocab Number of logits.
   * @param plan The steps to keep.
   */
  constructor(readonly device: Device, readonly path: string, readonly vocab: number, readonly plan: ReferencePlan) {
    this.#try(() => this.#file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o600 }));
  }

  take(step: number, sequence: Sequence): void {
    if (!this.#file || rowAt(this.plan, step) === undefined) return;
    const bytes = rowBytes(this.vocab);
    this.#copies ??= this.device.smallCopies(sequence.logitsMemory, bytes);
    const row = this.#copies.fetch(0, bytes);
    this.#write();
    this.#pending = row;
  }

  /**
   * Writes the last row and closes the file.
   *
   * @returns Why the file could not be written, in one line; undefined if it is complete.
   */
  finish(): string | undefined {
    this.#write();
    this[Symbol.dispose]();
    return this.#problem;
  }

  /** Writes the row that was copied last. */
  #write(): void {
    const row = this.#pending?.();
    this.#pending = undefined;
    if (row) this.#try(() => writeAll(this.#file!, row));
  }

  #try(act: () => void): void {
    if (this.#problem !== undefined) return;
    try {
      act();
    } catch (error) {
      this.#problem = `Cannot write the full cache's logits to ${this.path}: ${(error as Error).message}`;
      try {
        this.#file?.truncateSync(0); // makes room: nobody reads a part
      } catch {
        // The problem is reported already.
      }
      this.#close();
    }
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#pending = undefined;
    this.#copies?.[Symbol.dispose]();
    this.#copies = undefined;
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}
