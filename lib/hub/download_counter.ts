import type { DownloadEvent } from "./protocol.ts";

/** One file of a download. */
interface Part {
  /** Bytes present now, and bytes present at the beginning; undefined before the file is opened. */
  done?: number;
  first?: number;
  total: number | undefined;
  finished: boolean;
}

/**
 * Counts the bytes of a download of several files.
 *
 * @example
 * ```ts
 * import { DownloadCounter } from "./download_counter.ts";
 *
 * const counter = new DownloadCounter("org/name", ({ done, fetched, total }) => console.log(done, fetched, total));
 * counter.expect("a", 100);
 * counter.bytes("a", 40, 100); // 40 0 100: it was there already
 * counter.bytes("a", 90, 100); // 90 50 100
 * ```
 */
export class DownloadCounter {
  readonly #parts = new Map<string, Part>();

  /**
   * @param repo The repository's id.
   * @param onProgress Called after every change.
   */
  constructor(readonly repo: string, readonly onProgress: (event: DownloadEvent) => void) {}

  /** Adds a file to the download. */
  expect(path: string, total: number | undefined): void {
    this.#parts.set(path, { total, finished: false });
  }

  /** Records how much of a file is present. The first call gives what was present before. */
  bytes(path: string, done: number, total: number | undefined): void {
    const part = this.#parts.get(path)!;
    part.first ??= done;
    part.done = done;
    part.total ??= total;
    this.#report();
  }

  /** Records that a file is complete. */
  finish(path: string): void {
    const part = this.#parts.get(path)!;
    part.finished = true;
    part.total ??= part.done;
    part.done = part.total ?? 0;
    part.first ??= part.done;
    this.#report();
  }

  #report(): void {
    const parts = [...this.#parts.values()];
    const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0);
    this.onProgress({
      type: "download",
      repo: this.repo,
      files: parts.length,
      filesDone: sum(({ finished }) => Number(finished)),
      done: sum(({ done = 0 }) => done),
      // A server without Range support may send present bytes again.
      fetched: sum(({ done = 0, first = 0 }) => Math.max(0, done - first)),
      total: parts.some(({ total }) => total === undefined) ? undefined : sum(({ total }) => total!),
    });
  }
}
