import { hostEnvironment } from "../../report/results/environment.ts";
import { probe } from "../../run/child/child.ts";
import type { DeviceDefaults } from "../../run/plan/device_defaults.ts";
import { DEFAULTS } from "../../run/plan/device_defaults.ts";
import { hardwareOf } from "./inputs.ts";

/** Where a worker measures. */
export interface Machine {
  /** The device that runs use. */
  readonly device: "cuda" | "cpu";
  /** What times depend on, as in keys. */
  readonly hardware: string;
  /** The GPU, on CUDA. */
  readonly gpu?: { readonly name: string; readonly uuid: string };
  /** What the user should know: a fallback to the CPU. */
  readonly note?: string;
}

/**
 * Finds out what a worker measures on: starts ONNX Runtime in a process of its own.
 *
 * @example
 * ```ts
 * import { findMachine } from "./machine.ts";
 *
 * console.log((await findMachine("cpu")).device); // cpu
 * ```
 *
 * @param device The device that the plan asks for.
 * @param visible The GPU to use, as CUDA_VISIBLE_DEVICES; that of the environment if left out.
 * @param signal Ends it early.
 * @throws {InputError} If the device is not available.
 */
export async function findMachine(
  device: "auto" | "cuda" | "cpu",
  visible?: string,
  signal?: AbortSignal,
): Promise<Machine> {
  const before = Deno.env.get(VISIBLE);
  // Child processes get the variable from this process's environment.
  if (visible !== undefined) Deno.env.set(VISIBLE, visible);
  try {
    const { device: found, gpu, note } = await probe(device, signal);
    return {
      device: found,
      hardware: hardwareOf(found, { ...hostEnvironment(), gpu }),
      ...(found === "cuda" && gpu ? { gpu: { name: gpu.name, uuid: gpu.uuid } } : {}),
      ...(note ? { note } : {}),
    };
  } finally {
    if (visible !== undefined) {
      if (before === undefined) Deno.env.delete(VISIBLE);
      else Deno.env.set(VISIBLE, before);
    }
  }
}

const VISIBLE = "CUDA_VISIBLE_DEVICES";

/**
 * Returns the lengths that a run would choose by its device, for flags that a plan does not give: a run with many
 * configurations would choose others, and its cells would not be those of a run with few.
 *
 * @example
 * ```ts
 * import { lengthsFor } from "./machine.ts";
 *
 * console.log(lengthsFor("cpu", { max_tokens: "40" }).repetitions); // 4
 * ```
 *
 * @param device The run's device.
 * @param flags Flags that are given.
 * @returns Texts of the other flags, by name.
 */
export function lengthsFor(device: "cuda" | "cpu", flags: Readonly<Record<string, string>>): Record<string, string> {
  const names = Object.keys(DEFAULTS[device]) as (keyof DeviceDefaults)[];
  return Object.fromEntries(
    names.filter((name) => flags[name] === undefined).map((name) => [name, `${DEFAULTS[device][name]}`]),
  );
}
