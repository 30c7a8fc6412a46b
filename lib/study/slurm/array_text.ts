/**
 * Writes the tasks of a job array as Slurm reads them.
 *
 * @example
 * ```ts
 * import { arrayText } from "./array_text.ts";
 *
 * console.log(arrayText([0, 1, 2, 7, 9, 10])); // 0-2,7,9-10
 * ```
 *
 * @param indices Indices, in any order, each once.
 */
export function arrayText(indices: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const index of indices.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([first, last]) => first === last ? `${first}` : `${first}-${last}`).join(",");
}

/** How a plan's jobs are shared out among the tasks of an array. */
export interface Shares {
  /** Jobs of a task's share; the last task may have fewer. */
  readonly perTask: number;
  /** Tasks whose share has a job that is to be measured, in ascending order. */
  readonly tasks: readonly number[];
}

/**
 * Shares jobs out among tasks: task `t` has the jobs from `t * perTask` on.
 *
 * @example
 * ```ts
 * import { sharesOf } from "./array_text.ts";
 *
 * console.log(sharesOf({ jobs: 10, open: [0, 1, 9], most: 4 })); // { perTask: 3, tasks: [ 0, 3 ] }
 * ```
 *
 * @param plan `jobs`: how many the plan has; `open`: indices of those that are to be measured; `most`: tasks at most.
 */
export function sharesOf(
  { jobs, open, most }: { readonly jobs: number; readonly open: readonly number[]; readonly most: number },
): Shares {
  const perTask = Math.max(1, Math.ceil(jobs / most));
  const tasks = new Set(open.map((index) => Math.floor(index / perTask)));
  return { perTask, tasks: [...tasks].sort((a, b) => a - b) };
}
