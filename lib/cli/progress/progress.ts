import cliProgress from "cli-progress";
import { printableLines } from "../../util/printable.ts";
import type { ProgressEvent } from "../../run/progress_event.ts";
import { significant } from "../../report/tables/significant.ts";
import { terminalColumns } from "./terminal_columns.ts";
import { formatDuration, TimeLeft } from "./time_left.ts";

/** Time between two redraws of the bar, ms. */
const REDRAW_MS = 100;
/** Time between two lines if the output is not a terminal, ms. A log is read later, so few are enough. */
const LINE_MS = 10_000;
const BAR_WIDTH = 24;
/** ANSI sequences: bold, and its end. */
const BOLD = ["\x1b[1m", "\x1b[22m"] as const;

/** Output options of {@linkcode createProgress}. */
export interface ProgressOptions {
  /** Whether to redraw a bar in place; otherwise separate lines are written. */
  isTerminal: boolean;
  /** Writes text unchanged, line ends and control sequences included; usually to stderr. */
  write: (text: string) => void;
  /** Whether to use ANSI styles on a terminal; by default, unless NO_COLOR is set. */
  color?: boolean;
  /** Returns the terminal's width in characters; {@linkcode terminalColumns} by default. */
  columns?: () => number;
  /** A clock that only goes forward, ms. */
  now?: () => number;
}

/** Shows the progress of a run. */
export interface Progress extends Disposable {
  /** Takes an event. Cheap: most events only set a few fields. */
  update(event: ProgressEvent): void;
  /** Writes a line of text, above the bar if one is shown. */
  log(line: string): void;
  /** Clears the bar. Nothing is shown until the next event. */
  close(): void;
}

/**
 * Shows a run's progress: round or configuration, sample, phase, tokens, running perplexity, time left. On a terminal
 * this is a bar; otherwise a line at the beginning of each round and of each sample's quality pass, and at most one
 * every ten seconds.
 *
 * @param options Where to write.
 * @returns Takes events. Dispose of it at the end: a bar keeps the process alive.
 *
 * @example
 * ```ts
 * import { createProgress } from "./progress.ts";
 *
 * using progress = createProgress({ isTerminal: false, write: (text) => console.log(text.trimEnd()) });
 * progress.update({ type: "progress", configuration: "streaming_256", index: 1, count: 3, pass: "quality", rounds: 6,
 *   sample: 0, samples: 2, phase: "quality", done: 0, total: 2000, share: 0.5 });
 * // [2/3] streaming_256, sample 1/2: quality
 * ```
 */
export function createProgress(options: ProgressOptions): Progress {
  return options.isTerminal ? new BarProgress(options) : new LineProgress(options);
}

class LineProgress implements Progress {
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  readonly #left = new TimeLeft();
  #stage = "";
  #written = -Infinity;

  constructor({ write, now = () => performance.now() }: ProgressOptions) {
    this.#write = write;
    this.#now = now;
  }

  update(event: ProgressEvent): void {
    const now = this.#now();
    const left = this.#left.update(event, now / 1000);
    const stage = stageOf(event, false);
    if (stage !== this.#stage) {
      this.#write(`${stage}\n`);
    } else if (now - this.#written >= LINE_MS) {
      this.#write(`${[stage, ...figuresOf(event), ...timeOf(left)].join(", ")}\n`);
    } else {
      return;
    }
    this.#stage = stage;
    this.#written = now;
  }

  log(line: string): void {
    this.#write(`${printableLines(line)}\n`);
  }

  close(): void {}

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The part of cli-progress in use; the package has no types. */
interface Bar {
  start(total: number, value: number, payload: Shown): void;
  update(value: number, payload: Shown): void;
  setTotal(total: number): void;
  stop(): void;
}

/** Text shown next to the bar. */
interface Shown {
  event: ProgressEvent;
  left: number | undefined;
}

class BarProgress implements Progress {
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  readonly #left = new TimeLeft();
  readonly #bar: Bar;
  #active = false;
  #stage = "";
  #updated = -Infinity;
  #shown: { event: ProgressEvent; left: number | undefined } | undefined;

  constructor(options: ProgressOptions) {
    const { write, now = () => performance.now(), color = !Deno.noColor, columns = terminalColumns } = options;
    this.#write = write;
    this.#now = now;
    this.#bar = new cliProgress.SingleBar({
      // formatBar() already cuts the line to the terminal; it knows which characters take no room.
      stream: { isTTY: true, columns: 10_000, write: (text: string) => write(text) },
      linewrap: true,
      fps: 1000 / REDRAW_MS,
      clearOnComplete: true,
      emptyOnZero: true,
      barsize: BAR_WIDTH,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      format: (barOptions: unknown, { progress }: { progress: number }, { event, left }: Shown) =>
        formatBar(event, cliProgress.Format.BarFormat(progress, barOptions), left, columns(), color),
    });
  }

  update(event: ProgressEvent): void {
    const now = this.#now();
    const stage = event.phase + event.round + event.sample + event.configuration;
    if (this.#active && stage === this.#stage && now - this.#updated < REDRAW_MS && event.done < event.total) return;
    const shown = { event, left: this.#left.update(event, now / 1000) };
    if (this.#active) {
      this.#bar.setTotal(event.total);
      this.#bar.update(event.done, shown);
    } else {
      this.#bar.start(event.total, event.done, shown);
    }
    this.#active = true;
    this.#stage = stage;
    this.#updated = now;
    this.#shown = shown;
  }

  log(line: string): void {
    const shown = this.#shown;
    const active = this.#active;
    this.close();
    this.#write(`${printableLines(line)}\n`);
    if (!active || shown === undefined) return;
    this.#bar.start(shown.event.total, shown.event.done, shown);
    this.#active = true;
  }

  close(): void {
    if (this.#active) this.#bar.stop();
    this.#active = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * "[2/7] streaming_256, sample 1/2: quality", or "round 3/6: speed". A round has many short processes: whose turn it is
 * is shown in the bar only.
 */
function stageOf(
  { configuration, index, count, sample, samples, phase, ...event }: ProgressEvent,
  all: boolean,
): string {
  if (event.pass === "speed") {
    const round = `round ${(event.round ?? 0) + 1}/${event.rounds}`;
    return all
      ? `${round}, ${configuration}: ${phase}`
      : `${round}: speed of ${count} configuration${count === 1 ? "" : "s"}`;
  }
  const place = hasSamples(phase) && samples > 1 ? `, sample ${sample + 1}/${samples}` : "";
  return `[${index + 1}/${count}] ${configuration}${place}: ${phase}`;
}

/** The model is loaded and warmed up once, for all samples. */
function hasSamples(phase: ProgressEvent["phase"]): boolean {
  return phase === "speed" || phase === "quality";
}

/** "812/2000 tokens", "PPL 43.12"; nothing for a phase without a count. */
function figuresOf({ phase, done, total, perplexity }: ProgressEvent): string[] {
  const figures = total > 0 ? [`${done}/${total}${hasSamples(phase) ? " tokens" : ""}`] : [];
  if (perplexity !== undefined) figures.push(`PPL ${significant(perplexity, 4)}`);
  return figures;
}

function timeOf(left: number | undefined): string[] {
  return left === undefined ? [] : [`about ${formatDuration(left)} left`];
}

/** Formats the bar's line. The least important part comes last: a narrow terminal cuts it off first. */
function formatBar(
  event: ProgressEvent,
  bar: string,
  left: number | undefined,
  columns: number,
  color: boolean,
): string {
  const line = [stageOf(event, true), bar, ...figuresOf(event), ...timeOf(left)].join("  ");
  // Leave the last column free: some terminals begin a new line there.
  const cut = [...line].slice(0, Math.max(0, columns - 1)).join("");
  return color ? cut.replace(event.configuration, `${BOLD[0]}$&${BOLD[1]}`) : cut;
}
