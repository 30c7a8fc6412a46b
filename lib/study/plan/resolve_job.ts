import { shortHash } from "./identity.ts";
import type { JobInputs } from "./inputs.ts";
import { NAMES, WAYS } from "./plan_flags.ts";
import { meaningOf } from "./plan_jobs.ts";
import type { Job, PlannedJob } from "./types.ts";

/**
 * Gives a job and its cells their keys: hashes of model, text, terms, code and hardware.
 *
 * @example
 * ```ts
 * import { baseOf, resolveJob } from "./resolve_job.ts";
 *
 * const cell = { id: "1", name: "tova_64", nameInJob: "tova_64", configuration: { method: "tova" } };
 * const planned = { index: 0, id: "2", terms: { max_tokens: "40" }, flags: {}, cells: [cell] };
 * const job = resolveJob(planned, { model: "m", text: "t", code: "c" }, "NVIDIA H100");
 * console.log(job.cells[0]?.key.length, baseOf(job.key).length); // 25 16
 * ```
 *
 * @param planned The job.
 * @param inputs Its model, text and code.
 * @param hardware What its times depend on.
 */
export function resolveJob(planned: PlannedJob, inputs: JobInputs, hardware: string): Job {
  const machine = shortHash(hardware, 8);
  const own = Object.entries(planned.terms).filter(([flag]) => !NAMES.includes(flag) && !WAYS.includes(flag));
  const shared = { terms: meaningOf(Object.fromEntries(own)), ...inputs };
  const cells = planned.cells.map((cell) => ({
    ...cell,
    key: `${shortHash({ ...shared, configuration: cell.configuration })}-${machine}`,
  }));
  return {
    ...planned,
    key: `${shortHash({ flags: planned.flags, cells: cells.map(({ key }) => baseOf(key)) })}-${machine}`,
    cells,
    inputs: { ...inputs, hardware },
    // The full cache is measured under the first numbering of the run; others give the same up to rounding.
    baseline: `${shortHash({ ...shared, positions: planned.flags.positions?.split(",")[0] ?? "" })}-${machine}`,
  };
}

/**
 * Returns the part of a key that is known without the hardware: on the login node of a cluster, say.
 *
 * @example
 * ```ts
 * import { baseOf } from "./resolve_job.ts";
 *
 * console.log(baseOf("0123456789abcdef-01234567")); // 0123456789abcdef
 * ```
 *
 * @param key A job's or a cell's key.
 */
export function baseOf(key: string): string {
  return key.split("-")[0]!;
}
