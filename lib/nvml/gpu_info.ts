import type { NvmlDevice } from "./device.ts";
import { isUnavailable, type Nvml } from "./nvml.ts";

/** The GPU at the time of the run, as results.json shows it. */
export interface GpuDescription {
  /** Such as "NVIDIA H100 80GB HBM3". */
  name: string;
  /** NVML's index. */
  index: number;
  /** Such as "GPU-2f0d…". */
  uuid: string;
  /** Version of the driver. */
  driver: string;
  /** The newest CUDA version the driver can run. */
  cuda_driver: string;
  /** Memory of the GPU, bytes. */
  memory_bytes: number;
  /** Current and maximum clocks, MHz; 0 if the GPU does not report them (MIG). */
  clocks_mhz: { sm: number; memory: number; max_sm: number; max_memory: number };
}

/**
 * Describes a GPU for results.json. Clocks are those of the moment, so call it when the run begins, after the warm-up,
 * since an idle GPU clocks down.
 *
 * @param nvml NVML.
 * @param device The GPU, or NVML's index of it.
 * @returns The description.
 *
 * @throws {NvmlError} If NVML fails.
 *
 * @example
 * ```ts ignore
 * import { gpuInfo } from "./gpu_info.ts";
 * import { Nvml } from "./nvml.ts";
 *
 * using nvml = new Nvml();
 * console.log(gpuInfo(nvml, 0).name);
 * ```
 */
export function gpuInfo(nvml: Nvml, device: NvmlDevice | number): GpuDescription {
  const gpu = typeof device === "number" ? nvml.deviceByIndex(device) : device;
  return {
    name: gpu.name,
    index: orUnavailable(() => gpu.index, 0),
    uuid: gpu.uuid,
    driver: nvml.driverVersion,
    cuda_driver: nvml.cudaDriverVersion,
    memory_bytes: gpu.memory().total,
    clocks_mhz: orUnavailable(() => gpu.clocks(), { sm: 0, memory: 0, max_sm: 0, max_memory: 0 }),
  };
}

function orUnavailable<T>(get: () => T, otherwise: T): T {
  try {
    return get();
  } catch (error) {
    if (isUnavailable(error)) return otherwise;
    throw error;
  }
}
