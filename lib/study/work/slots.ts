import { parseFlags } from "../../cli/flags/parse.ts";
import { InputError } from "../../util/errors.ts";
import { Inputs, type InputTools } from "../plan/inputs.ts";
import { findMachine, lengthsFor, type Machine } from "../plan/machine.ts";
import { argumentsOf } from "../plan/plan_jobs.ts";
import { refusalsOf } from "../plan/refusals.ts";
import { resolveJob } from "../plan/resolve_job.ts";
import type { Job, PlannedJob } from "../plan/types.ts";

/** A job as one worker runs it. */
export interface SlotJob {
  readonly job: Job;
  readonly machine: Machine;
  /** Why a cell cannot run, by its name in the job. */
  readonly refused: ReadonlyMap<string, string>;
}

/** One worker of this process: what it measures on, and its jobs. */
export interface Slot {
  /** The GPU, as CUDA_VISIBLE_DEVICES; undefined for what this process's environment says. */
  readonly visible: string | undefined;
  /** The GPU that it measures on, if it does. */
  readonly gpu: Machine["gpu"];
  readonly jobs: readonly SlotJob[];
}

/**
 * Opens models, texts and devices of a plan's jobs, and gives the jobs their keys: for each GPU asked for, or once.
 *
 * @example
 * ```ts
 * import { planJobs } from "../plan/plan_jobs.ts";
 * import { checkPlan } from "../plan/read_plan.ts";
 * import { openSlots } from "./slots.ts";
 *
 * const { jobs } = planJobs(checkPlan({ grid: { method: "tova", budget: 64, device: "cpu" } }, "a.json"));
 * const [slot] = await openSlots(jobs, undefined, {});
 * console.log(slot?.jobs[0]?.job.cells.length); // 2
 * ```
 *
 * @param planned The jobs.
 * @param devices Numbers of GPUs; undefined for the device that a run would take.
 * @param tools What is told meanwhile, and what ends it.
 * @throws {InputError} If a model, a text or a device cannot be found.
 */
export async function openSlots(
  planned: readonly PlannedJob[],
  devices: readonly number[] | undefined,
  tools: InputTools,
): Promise<Slot[]> {
  const inputs = new Inputs(tools);
  const slots: Slot[] = [];
  for (const number of devices ?? [undefined]) {
    const visible = number === undefined ? undefined : `${number}`;
    const machines = new Map<string, Machine>();
    const jobs: SlotJob[] = [];
    for (const one of planned) {
      const { device } = parseFlags(argumentsOf(one.terms));
      const machine = machines.get(device) ?? await findMachine(device, visible, tools.signal);
      if (!machines.has(device) && machine.note !== undefined) tools.onNote?.(machine.note);
      machines.set(device, machine);
      if (visible !== undefined && machine.device === "cpu") {
        throw new InputError(
          `Cannot use --devices ${devices?.join(",")}: a run would be on the CPU (device ${device} in the plan)` +
            "; leave the flag out, or set device to cuda",
        );
      }
      jobs.push({
        job: resolveJob(one, await inputs.of(one), machine.hardware),
        machine,
        refused: await refused(one, machine, inputs),
      });
      tools.signal?.throwIfAborted();
    }
    slots.push({ visible, gpu: [...machines.values()].find(({ gpu }) => gpu)?.gpu, jobs });
  }
  return slots;
}

/** Cells that the model refuses. */
async function refused(job: PlannedJob, { device }: Machine, inputs: Inputs): Promise<Map<string, string>> {
  const { spec: { layers } } = await inputs.modelOf(job);
  const { max_tokens } = { ...lengthsFor(device, job.flags), ...job.flags };
  return refusalsOf(job, layers, Number(max_tokens));
}
