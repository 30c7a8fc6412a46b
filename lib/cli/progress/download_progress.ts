import { byteCount } from "../../util/byte_count.ts";
import type { DownloadEvent } from "../../hub/hub.ts";
import { terminalColumns } from "./terminal_columns.ts";
import { formatDuration } from "./time_left.ts";

/** Between two lines, where there is no terminal: a log is read later. */
const LINE_MS = 10_000;
/** Before that many seconds an estimate of the time left is a guess. */
const LEAST_SECONDS = 2;
const BAR_WIDTH = 24;

/** Where the progress of downloads goes, and how. */
export interface DownloadProgressOptions {
  /** A line that is redrawn in place; otherwise lines. */
  readonly isTerminal: boolean;
  /** Takes text as it is, control sequences included; stderr as a rule. */
  readonly write: (text: string) => void;
  /** Width of the terminal, characters. */
  readonly columns?: () => number;
  /** A clock that only goes forward, ms. */
  readonly now?: () => number;
}

/**
 * Shows people how far a download is: on a terminal as a bar, otherwise as a line at the beginning, one every ten seconds
 * and one at the end. Nothing is shown where nothing has to be downloaded.
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

  /** Takes the bar away, so that something else can be written; the next event draws it again. */
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
    // Without the last column, where some terminals begin a new line.
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
