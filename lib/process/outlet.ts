/** Most characters kept for a slow reader; text beyond that is dropped. */
const MOST_WAITING = 4 << 20;

/** Where text goes: standard output or error. */
export interface TextTarget {
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Writes text to standard output or error, in order, without waiting. A closed reader, a full disk or a halted terminal
 * does not end a measurement, and does not block signals.
 *
 * @example
 * ```ts
 * import { Outlet } from "./outlet.ts";
 *
 * const outlet = new Outlet(Deno.stdout);
 * outlet.write("a line\n");
 * console.log(await outlet.flushed()); // undefined
 * ```
 */
export class Outlet {
  readonly #target: TextTarget;
  #written: Promise<void> = Promise.resolve();
  #waiting = 0;
  #error: Error | undefined;

  constructor(target: TextTarget) {
    this.#target = target;
  }

  /** Queues text, which is written after all earlier text. */
  write(text: string): void {
    if (this.#waiting > MOST_WAITING) return;
    this.#waiting += text.length;
    this.#written = this.#written.then(async () => {
      try {
        let rest = new TextEncoder().encode(text);
        while (rest.length > 0) rest = rest.subarray(await this.#target.write(rest));
      } catch (error) {
        // A full disk may have room for the next line, so each is tried.
        this.#error ??= error as Error;
      }
      this.#waiting -= text.length;
    });
  }

  /** Queues a line; see {@linkcode write}. */
  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** Waits until all text is written, for at most `patience` ms. Returns the first error, if any. */
  async flushed(patience = Infinity): Promise<Error | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      if (Number.isFinite(patience)) timer = setTimeout(resolve, patience);
    });
    await Promise.race([this.#written, late]);
    clearTimeout(timer);
    return this.#error;
  }
}
