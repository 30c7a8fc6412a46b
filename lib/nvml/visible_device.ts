import { InputError } from "../errors.ts";
import type { NvmlDevice } from "./device.ts";
import type { Nvml } from "./nvml.ts";

/**
 * The GPU that CUDA calls `ordinal`, as NVML's device: CUDA numbers what `CUDA_VISIBLE_DEVICES` lists, NVML all of the
 * machine. Entries are indices, or UUIDs (`GPU-…`, `MIG-…`) that may be cut short as long as they are unambiguous
 * (CUDA C++ Programming Guide, "CUDA Environment Variables"). CUDA stops at the first entry that names no GPU.
 *
 * Where the CUDA runtime is open, `nvml.deviceByPciBusId(cuda.pciBusId(ordinal))` is surer: without
 * `CUDA_DEVICE_ORDER=PCI_BUS_ID`, CUDA puts the fastest GPU first where a machine has several kinds.
 *
 * @param nvml NVML.
 * @param ordinal CUDA's number of the GPU, from 0.
 * @param visible The variable's value; undefined where it is not set.
 * @returns The GPU.
 *
 * @throws {InputError} If the variable hides that GPU, or there is none.
 *
 * @example
 * ```ts ignore
 * import { Nvml } from "./nvml.ts";
 * import { visibleDevice } from "./visible_device.ts";
 *
 * using nvml = new Nvml();
 * console.log(visibleDevice(nvml, 0, "2,3").index); // 2
 * ```
 */
export function visibleDevice(nvml: Nvml, ordinal: number, visible: string | undefined): NvmlDevice {
  const count = nvml.deviceCount;
  const entries = visible === undefined ? Array.from({ length: count }, (_, i) => `${i}`) : visible.split(",");
  const devices: NvmlDevice[] = [];
  for (const entry of entries.slice(0, ordinal + 1)) {
    const device = deviceOf(nvml, entry.trim(), count);
    if (device === null) break;
    devices.push(device);
  }
  const device = devices[ordinal];
  if (device !== undefined) return device;
  throw new InputError(
    visible === undefined
      ? `Cannot use GPU ${ordinal}: the machine has ${count}`
      : `Cannot use GPU ${ordinal}: CUDA_VISIBLE_DEVICES=${visible} shows ${devices.length} of ${count}`,
  );
}

function deviceOf(nvml: Nvml, entry: string, count: number): NvmlDevice | null {
  if (/^\d+$/.test(entry)) return Number(entry) < count ? nvml.deviceByIndex(Number(entry)) : null;
  if (entry.startsWith("MIG-")) return nvml.deviceByUuid(entry);
  if (!entry.startsWith("GPU-")) return null; // empty, -1, a typing error
  const matches = Array.from({ length: count }, (_, i) => nvml.deviceByIndex(i)).filter(({ uuid }) =>
    uuid.startsWith(entry)
  );
  return matches.length === 1 ? matches[0]! : null;
}
