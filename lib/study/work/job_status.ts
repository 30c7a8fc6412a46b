import type { Job } from "../plan/types.ts";

/** Cells of a job, counted. */
export interface JobStatus {
  /** "done": all cells are stored; "failed": the others have failed; "running": it is claimed; "waiting": it is not. */
  readonly status: "done" | "failed" | "running" | "waiting";
  readonly cells: number;
  readonly done: number;
  readonly failed: number;
}

/** What a sweep's folder says of all its cells and jobs, by keys. */
export interface SweepState {
  readonly done: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
  /** Claims that are held; may be left out. */
  readonly claimed?: ReadonlySet<string>;
}

/**
 * Returns how far a job is.
 *
 * @example
 * ```ts
 * import { jobStatus } from "./job_status.ts";
 *
 * const job = { key: "j", cells: [{ key: "a" }, { key: "b" }] };
 * console.log(jobStatus(job, { done: new Set(["a"]), failed: new Set() }).status); // waiting
 * ```
 *
 * @param job A job with its keys.
 * @param state The state of the sweep's folder.
 */
export function jobStatus(
  { key, cells }: { readonly key: string; readonly cells: readonly Pick<Job["cells"][number], "key">[] },
  { done, failed, claimed }: SweepState,
): JobStatus {
  const stored = cells.filter((cell) => done.has(cell.key)).length;
  const lost = cells.filter((cell) => !done.has(cell.key) && failed.has(cell.key)).length;
  const isOver = stored + lost === cells.length;
  const status = isOver ? (lost > 0 ? "failed" : "done") : claimed?.has(key) ? "running" : "waiting";
  return { status, cells: cells.length, done: stored, failed: lost };
}
