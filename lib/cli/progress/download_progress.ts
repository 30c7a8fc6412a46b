import { byteCount } from "../../util/byte_count.ts";
import type { DownloadEvent } from "../../hub/hub.ts";
import { terminalColumns } from "./terminal_columns.ts";
import { formatDuration } from "./time_left.ts";

/** Time between two lines if the output is not a terminal, ms. A log is read later, so few are enough. */
const LINE_MS = 10_000;
/** Seconds before which an estimate of the time left is a guess. */
const LEAST_SECONDS = 2;
const BAR_WIDTH = 24;

/** Output options of {@linkcode DownloadProgress}. */
export interface DownloadProgressOptions {
  /** Whether to redraw one line in place; otherwise separate lines are written. */
  readonly isTerminal: boolean;
  /** Writes text unchanged, control sequences included; usually to stderr. */
  readonly write: (text: string) => void;
  /** Width of the terminal, characters. */
  readonly columns?: () => number;
  /** A clock that only goes forward, ms. */
  readonly now?: () => number;
}

/**
 * Shows the progress of a download: on a terminal as a bar, otherwise as a line at the beginning, one every ten seconds
 * and one at the end. Shows nothing if nothing has to be downloaded.
 *
 * @example
 * ```ts
 * import { DownloadProgress } from "./download_progress.ts";
 *
 * using progress = new DownloadProgress({ isTerminal: false, write: (text) => console.log(text.trimEnd()) });
 * progress.update({ type: "download", repo: "org/name", files: 4, filesDone: 0, done: 1e6, fetched: 1e6, total: 166e6 });
 * // Downloading org/name: 4 files, 166 MB
 * ```
 */
export class DownloadProgress implements Disposable {
  readonly #options: DownloadProgressOptions;
  readonly #now: () => number;
  #began: { readonly at: number; readonly repo: string } | undefined;
  #written = -Infinity;
  #drawn = false;

  constructor(options: DownloadProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  update(event: DownloadEvent): void {
    if (event.fetched === 0) return;
    const now = this.#now();
    const isFirst = this.#began?.repo !== event.repo;
    if (isFirst) this.#began = { at: now, repo: event.repo };
    const seconds = (now - this.#began!.at) / 1000;
    const isLast = event.filesDone === event.files;
    if (this.#options.isTerminal) this.#draw(event, seconds);
    if (isLast) this.close();
    if (isLast) this.#write(`Downloaded ${event.repo}: ${byteCount(event.fetched)} in ${formatDuration(seconds)}\n`);
    else if (!this.#options.isTerminal && (isFirst || now - this.#written >= LINE_MS)) {
      this.#written = now;
      const what = isFirst ? [filesOf(event), ...total(event)] : figures(event, seconds);
      this.#write(`Downloading ${event.repo}: ${what.join(", ")}\n`);
    }
  }

  /** Clears the bar, so that something else can be written. The next event draws it again. */
  close(): void {
    if (this.#drawn) this.#write("\r\x1b[2K");
    this.#drawn = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #draw(event: DownloadEvent, seconds: number): void {
    const share = event.total ? Math.min(1, event.done / event.total) : 0;
    const full = Math.round(share * BAR_WIDTH);
    const bar = "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
    const line = [`Downloading ${event.repo}`, ...(event.total ? [bar] : []), ...figures(event, seconds)].join("  ");
    // Leave the last column free: some terminals begin a new line there.
    const columns = (this.#options.columns ?? terminalColumns)() - 1;
    this.#write(`\r\x1b[2K${[...line].slice(0, Math.max(0, columns)).join("")}`);
    this.#drawn = true;
  }

  #write(text: string): void {
    this.#options.write(text);
  }
}

/** "75 MB of 166 MB", "12 MB/s", "about 8 s left" */
function figures({ done, fetched, total }: DownloadEvent, seconds: number): string[] {
  const amount = total === undefined ? byteCount(done) : `${byteCount(done)} of ${byteCount(total)}`;
  if (seconds < LEAST_SECONDS) return [amount];
  const rate = fetched / seconds;
  const left = total === undefined ? [] : [`about ${formatDuration((total - done) / rate)} left`];
  return [amount, `${byteCount(rate)}/s`, ...left];
}

function filesOf({ files }: DownloadEvent): string {
  return `${files} ${files === 1 ? "file" : "files"}`;
}

function total({ total }: DownloadEvent): string[] {
  return total === undefined ? [] : [byteCount(total)];
}
