import { openRegularSync } from "../../util/regular_file.ts";
import { rowBytes } from "./reference_plan.ts";

/** Reads rows of logits that {@linkcode ReferenceWriter} wrote, one at a time. */
export class ReferenceReader implements Disposable {
  readonly #file: Deno.FsFile;
  #isOpen = true;
  readonly #row: Uint8Array<ArrayBuffer>;

  /**
   * @param path The file.
   * @param vocab Number of logits.
   * @param rows Number of rows.
   * @throws {Error} If it cannot be opened, or has another size.
   */
  constructor(readonly path: string, readonly vocab: number, readonly rows: number) {
    this.#row = new Uint8Array(rowBytes(vocab));
    try {
      this.#file = openRegularSync(path);
    } catch (cause) {
      throw this.#error((cause as Error).message, cause);
    }
    const { size } = this.#file.statSync();
    const wanted = rows * rowBytes(vocab);
    if (size === wanted) return;
    this.#file.close();
    throw this.#error(`it has ${size} bytes; ${rows} rows of ${vocab} float32 numbers have ${wanted}`);
  }

  /**
   * Reads a row, float32 `[vocab]` as bytes. The next call overwrites it.
   *
   * @throws {RangeError} If there is no such row.
   * @throws {Error} If it cannot be read.
   */
  row(index: number): Uint8Array<ArrayBuffer> {
    if (!(index >= 0 && index < this.rows)) {
      throw new RangeError(`Cannot read row ${index} of ${this.path}: it has ${this.rows}`);
    }
    this.#file.seekSync(index * this.#row.length, Deno.SeekMode.Start);
    for (let done = 0; done < this.#row.length;) {
      const read = this.#file.readSync(this.#row.subarray(done));
      if (read === null) throw this.#error(`it ended within row ${index}`);
      done += read;
    }
    return this.#row;
  }

  #error(why: string, cause?: unknown): Error {
    return new Error(`Cannot read the full cache's logits from ${this.path}: ${why}`, { cause });
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) this.#file.close();
    this.#isOpen = false;
  }
}
