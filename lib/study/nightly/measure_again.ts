import { dirname, join } from "@std/path";
import { readJson } from "../../report/results/read_json.ts";
import { MEASURE_AGAIN } from "../compare/compare_nights.ts";
import type { ComparisonOfSets } from "../compare/types.ts";
import { shortHash } from "../plan/identity.ts";
import { meaningOf } from "../plan/plan_jobs.ts";
import type { PlannedJob } from "../plan/types.ts";
import { CELL_FILE } from "../store/cells.ts";
import { readCellRecord } from "../store/records.ts";

/**
 * Returns the files of tonight's cells that more rounds would decide: a change that some of the rounds show.
 *
 * @example
 * ```ts
 * import { doubtedFiles } from "./measure_again.ts";
 *
 * console.log(doubtedFiles({ cells: [] })); // []
 * ```
 *
 * @param comparison Of tonight with earlier nights.
 */
export function doubtedFiles({ cells }: Pick<ComparisonOfSets, "cells">): string[] {
  return cells
    .filter(({ metrics }) => metrics.some(({ reason }) => reason?.endsWith(MEASURE_AGAIN)))
    .flatMap(({ b }) => b.files);
}

/**
 * Finds the jobs of a plan that measured some cells.
 *
 * @example
 * ```ts
 * import { jobsOf } from "./measure_again.ts";
 *
 * console.log(await jobsOf([], [])); // []
 * ```
 *
 * @param files results.json of cells, in a sweep's folder.
 * @param jobs The plan's jobs.
 * @returns Indices, as for `--jobs`.
 */
export async function jobsOf(files: readonly string[], jobs: readonly PlannedJob[]): Promise<number[]> {
  const found = new Set<number>();
  for (const file of files) {
    const { terms, configuration } = await readJson(join(dirname(file), CELL_FILE), readCellRecord);
    const id = shortHash({ terms: meaningOf(terms), configuration });
    const job = jobs.find(({ cells }) => cells.some((cell) => cell.id === id));
    if (job !== undefined) found.add(job.index);
  }
  return [...found].sort((a, b) => a - b);
}
