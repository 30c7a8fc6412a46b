import type { ProgressEvent } from "../../run/progress_event.ts";

/**
 * Tokens of the quality pass per token of the speed pass, from the default settings. Used until the run shows its own
 * ratio.
 */
const QUALITY_PER_SPEED = 4;
/** Share of the run before which an estimate is a guess. */
const LEAST_SHARE = 0.01;
/** Seconds before which an estimate is a guess. */
const LEAST_SECONDS = 3;

/**
 * Estimates the time left of a whole run from the average time per token so far.
 *
 * @example
 * ```ts
 * import { TimeLeft } from "./time_left.ts";
 *
 * const left = new TimeLeft();
 * const event = { type: "progress", configuration: "baseline", index: 0, count: 2, sample: 0, samples: 1,
 *   phase: "speed", done: 0, total: 500 } as const;
 * left.update(event, 0);
 * console.log(left.update({ ...event, phase: "quality", done: 2000, total: 2000 }, 60)); // 60
 * ```
 */
export class TimeLeft {
  #began: number | undefined;
  #speed = 0;
  #quality = 0;

  /**
   * @param event The run's latest event.
   * @param now A clock that only goes forward, s.
   * @returns Seconds left; undefined while it is too early to tell.
   */
  update(event: ProgressEvent, now: number): number | undefined {
    this.#began ??= now;
    if (event.phase === "speed") this.#speed = event.total;
    if (event.phase === "quality") this.#quality = event.total;
    // The length of a pass not seen yet follows from the other one's.
    const speed = this.#speed || this.#quality / QUALITY_PER_SPEED;
    const quality = this.#quality || this.#speed * QUALITY_PER_SPEED;
    const whole = speed + quality || 1;
    const part = event.phase === "speed" ? event.done : event.phase === "quality" ? speed + event.done : 0;
    const share = (event.index * event.samples + event.sample + part / whole) / (event.count * event.samples);
    const elapsed = now - this.#began;
    return share < LEAST_SHARE || elapsed < LEAST_SECONDS ? undefined : Math.max(0, elapsed * (1 - share) / share);
  }
}

/**
 * Formats a duration for people, no more precisely than an estimate is.
 *
 * @param seconds The time.
 * @returns For example "40 s", "12 min" or "1 h 20 min".
 *
 * @example
 * ```ts
 * import { formatDuration } from "./time_left.ts";
 *
 * console.log(formatDuration(4800)); // "1 h 20 min"
 * ```
 */
export function formatDuration(seconds: number): string {
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
