/** Jobs of a sweep that measures nothing. */
import { shortHash } from "../../../lib/study/plan/identity.ts";
import type { Job } from "../../../lib/study/plan/types.ts";

/** Returns jobs of `chunk` cells each. */
export function stubJobs(cells: number, chunk: number): Job[] {
  return Array.from({ length: Math.ceil(cells / chunk) }, (_, index) => ({
    ...{ index, id: `${index}`, terms: {}, flags: {}, inputs: {}, baseline: "b" },
    key: `${shortHash({ job: index })}-00000000`,
    cells: Array.from({ length: Math.min(chunk, cells - index * chunk) }, (_, i) => {
      const name = `cell_${index * chunk + i}`;
      return { id: name, name, nameInJob: name, configuration: {}, key: `${shortHash({ name })}-00000000` };
    }),
  }));
}
