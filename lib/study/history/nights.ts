/** Parts of config.timestamp. */
const STAMP = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/;

/** When a run began. */
export interface Moment {
  /** Local time, `YYYY-MM-DD HH:MM:SS`. */
  started: string;
  /** The same in UTC, with a `Z`; null if the time zone is not known. */
  started_utc: string | null;
  /** The night it belongs to, `YYYY-MM-DD`: from noon of that day to noon of the next, local time. */
  night: string;
}

/**
 * Reads when a run began. A night has the date of its evening: what begins at 22:00 and what goes on at 2:00 belong
 * together.
 *
 * @example
 * ```ts
 * import { momentOf } from "./nights.ts";
 *
 * console.log(momentOf("20261125_020000", "Europe/Zurich"));
 * // { started: "2026-11-25 02:00:00", started_utc: "2026-11-25 01:00:00Z", night: "2026-11-24" }
 * ```
 *
 * @param timestamp As in `config.timestamp`.
 * @param timeZone As in `environment.time_zone`.
 * @returns The moment; undefined if the timestamp has another form.
 */
export function momentOf(timestamp: string, timeZone?: string): Moment | undefined {
  const [, year, month, day, hour, minute, second] = STAMP.exec(timestamp) ?? [];
  if (year === undefined) return undefined;
  const date = `${year}-${month}-${day}`, time = `${hour}:${minute}:${second}`;
  const noonBefore = new Date(Date.parse(`${date}T${time}Z`) - 12 * 3600_000);
  if (Number.isNaN(noonBefore.getTime())) return undefined;
  return {
    started: `${date} ${time}`,
    started_utc: timeZone === undefined ? null : inUtc(`${date}T${time}`, timeZone),
    night: noonBefore.toISOString().slice(0, 10),
  };
}

/** Converts a local time; null for a time zone that this system does not know. */
function inUtc(local: string, timeZone: string): string | null {
  try {
    const instant = Temporal.PlainDateTime.from(local).toZonedDateTime(timeZone).toInstant();
    return instant.toString({ smallestUnit: "second" }).replace("T", " ");
  } catch {
    return null;
  }
}
