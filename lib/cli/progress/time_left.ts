import type { ProgressEvent } from "../../run/progress_event.ts";

/** Share of the run before which an estimate is a guess. */
const LEAST_SHARE = 0.01;
/** Seconds before which an estimate is a guess. */
const LEAST_SECONDS = 3;

/**
 * Estimates the time left of a whole run from the share that is done and the time it took.
 *
 * @example
 * ```ts
 * import { TimeLeft } from "./time_left.ts";
 *
 * const left = new TimeLeft();
 * left.update({ share: 0 }, 0);
 * console.log(left.update({ share: 0.25 }, 60)); // 180
 * ```
 */
export class TimeLeft {
  #began: number | undefined;

  /**
   * @param event The run's latest event.
   * @param now A clock that only goes forward, s.
   * @returns Seconds left; undefined while it is too early to tell.
   */
  update({ share }: Pick<ProgressEvent, "share">, now: number): number | undefined {
    this.#began ??= now;
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
