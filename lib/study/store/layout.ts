import { join } from "@std/path";

/** Paths within a sweep's folder. */
export interface Layout {
  /** The sweep's folder. */
  readonly folder: string;
  /** The latest plan, resolved: paths are absolute. */
  readonly plan: string;
  /** Earlier plans of the same folder. */
  readonly plans: string;
  /** Working folders of jobs. */
  readonly jobs: string;
  /** Claims of jobs and of GPUs. */
  readonly claims: string;
  /** Finished cells. */
  readonly cells: string;
  /** Cells that failed. */
  readonly failed: string;
  /** Quality of baselines, by what they depend on. */
  readonly baselines: string;
  /** Locks of the processes that work on it. */
  readonly workers: string;
  /** What each worker did. */
  readonly logs: string;
}

/**
 * Returns the paths within a sweep's folder.
 *
 * @example
 * ```ts
 * import { layoutOf } from "./layout.ts";
 *
 * console.log(layoutOf("/data/sweep").cells); // /data/sweep/cells
 * ```
 *
 * @param folder The sweep's folder.
 */
export function layoutOf(folder: string): Layout {
  return {
    folder,
    plan: join(folder, "plan.json"),
    plans: join(folder, "plans"),
    jobs: join(folder, "jobs"),
    claims: join(folder, "claims"),
    cells: join(folder, "cells"),
    failed: join(folder, "failed"),
    baselines: join(folder, "baselines"),
    workers: join(folder, "workers"),
    logs: join(folder, "logs"),
  };
}
