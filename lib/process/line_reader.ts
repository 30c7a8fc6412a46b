/** Source of lines, usually standard input. */
export interface SyncSource {
  /** Waits for bytes; null at the end. */
  readSync(into: Uint8Array): number | null;
}

/**
 * Reads lines and blocks until each arrives: for a process with nothing else to do meanwhile.
 *
 * @example
 * ```ts
 * import { LineReader } from "./line_reader.ts";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "one\ntwo\nthr");
 * {
 *   using file = await Deno.open(path);
 *   const lines = new LineReader(file);
 *   console.log(lines.next(), lines.next(), lines.next()); // one two undefined
 * }
 * await Deno.remove(path);
 * ```
 */
export class LineReader {
  readonly #source: SyncSource;
  readonly #buffer = new Uint8Array(64 * 1024);
  /** Bytes of the buffer not yet returned. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: SyncSource) {
    this.#source = source;
  }

  /** Returns the next line, without its end; undefined if the source ends first. */
  next(): string | undefined {
    const decoder = new TextDecoder();
    const parts: string[] = [];
    while (true) {
      const end = this.#rest.indexOf(10);
      parts.push(decoder.decode(end < 0 ? this.#rest : this.#rest.subarray(0, end), { stream: true }));
      if (end >= 0) {
        this.#rest = this.#rest.subarray(end + 1);
        return parts.join("");
      }
      const read = this.#source.readSync(this.#buffer);
      if (read === null) return undefined;
      this.#rest = this.#buffer.subarray(0, read);
    }
  }
}
