import type { DatabaseSync } from "node:sqlite";

/** Files with the cells of a night. */
export interface EarlierNight {
  /** `YYYY-MM-DD`, name of its folder. */
  readonly night: string;
  /** Paths of its results.json. */
  readonly files: readonly string[];
}

/**
 * Looks up the nights that tonight is compared with: of each of tonight's cells, the last ones that have it on the same
 * kind of hardware, however long ago. Runs outside of the folder of nights do not count: they may be of an experiment.
 * The last night is there whole, so that it can be told what tonight lacks.
 *
 * @example
 * ```ts
 * import { earlierNights } from "./earlier_nights.ts";
 * import { openHistory } from "../history/open_history.ts";
 *
 * const week = () => earlierNights(openHistory("results/history.sqlite", "read"), "/data/nightly", "2026-11-24", 7);
 * ```
 *
 * @param history An open history.
 * @param nights Absolute path of the folder of all nights, as it was given to the history.
 * @param tonight `YYYY-MM-DD`.
 * @param count Nights for each cell.
 * @returns The oldest first.
 */
export function earlierNights(history: DatabaseSync, nights: string, tonight: string, count: number): EarlierNight[] {
  const prefix = `${nights}/`;
  const found = history.prepare(`
    WITH own AS (
      SELECT DISTINCT series || hardware AS cell, file, substr(file, length(:prefix) + 1, 10) AS night
      FROM rows JOIN runs ON run = id
      WHERE status = 'done' AND substr(file, 1, length(:prefix)) = :prefix
    ), earlier AS (
      SELECT *, DENSE_RANK() OVER (PARTITION BY cell ORDER BY night DESC) AS place FROM own
      WHERE night < :tonight AND night GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'
    )
    SELECT DISTINCT night, file FROM earlier
    WHERE place <= :count AND cell IN (SELECT cell FROM own WHERE night = :tonight)
      OR night = (SELECT max(night) FROM earlier)
    ORDER BY night, file`).all({ prefix, tonight, count });
  return [...Map.groupBy(found, ({ night }) => String(night))]
    .map(([night, rows]) => ({ night, files: rows.map(({ file }) => String(file)) }));
}
