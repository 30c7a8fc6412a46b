import type { HubClient } from "./client.ts";

/** Bytes a download must deliver within its longest silence. A single byte now and then does not count as progress. */
export const LEAST_PROGRESS = 1024;

/**
 * Ends a connection that delivers next to nothing for too long. Without a limit, a lost connection would wait for ever.
 */
export class Watch implements Disposable {
  readonly #silence = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly signal: AbortSignal;
  /** Start of the current count of bytes. */
  #since = performance.now();
  #bytes = 0;

  /** @param client Its options give the longest silence and the signal. */
  constructor({ options: { signal, stallSeconds = 10 } }: HubClient) {
    this.signal = signal ? AbortSignal.any([signal, this.#silence.signal]) : this.#silence.signal;
    this.#timer = setInterval(() => {
      if (performance.now() - this.#since < stallSeconds * 1000) return;
      this.#silence.abort(new DOMException("next to nothing was received", "TimeoutError"));
    }, stallSeconds * 250);
  }

  /** Counts received bytes. */
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
