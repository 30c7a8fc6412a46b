import type { HubClient } from "./client.ts";

/** Bytes within the time that a download may be silent, so that it is not: a server may send one now and then. */
export const LEAST_PROGRESS = 1024;

/** Ends a connection that gives next to nothing for too long: without a limit, one that is lost is waited for for ever. */
export class Watch implements Disposable {
  readonly #silence = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly signal: AbortSignal;
  /** When the bytes that are counted began to be. */
  #since = performance.now();
  #bytes = 0;

  /** @param client Says how long, and when all is to end. */
  constructor({ options: { signal, stallSeconds = 10 } }: HubClient) {
    this.signal = signal ? AbortSignal.any([signal, this.#silence.signal]) : this.#silence.signal;
    this.#timer = setInterval(() => {
      if (performance.now() - this.#since < stallSeconds * 1000) return;
      this.#silence.abort(new DOMException("next to nothing came", "TimeoutError"));
    }, stallSeconds * 250);
  }

  /** Counts bytes in. */
  feed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < LEAST_PROGRESS) return;
    this.#bytes = 0;
    this.#since = performance.now();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
