import type { DownloadEvent } from "./protocol.ts";

/** One file of a download. */
interface Part {
  /** Bytes that are there, and that were when it began; undefined before. */
  done?: number;
  first?: number;
  total: number | undefined;
  finished: boolean;
}

/**
 * Counts what has come of a download of several files.
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
   * @param onProgress Told after every change.
   */
  constructor(readonly repo: string, readonly onProgress: (event: DownloadEvent) => void) {}

  /** Counts a file in. */
  expect(path: string, total: number | undefined): void {
    this.#parts.set(path, { total, finished: false });
  }

  /** Notes how much of a file is there; what the first call says was there before. */
  bytes(path: string, done: number, total: number | undefined): void {
    const part = this.#parts.get(path)!;
    part.first ??= done;
    part.done = done;
    part.total ??= total;
    this.#report();
  }

  /** Notes that all of a file is there. */
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
      // A server without Range may send again what was there.
      fetched: sum(({ done = 0, first = 0 }) => Math.max(0, done - first)),
      total: parts.some(({ total }) => total === undefined) ? undefined : sum(({ total }) => total!),
    });
  }
}
