/**
 * The functions of NVML that this project calls (nvml.h, CUDA 12 and 13; the suffixes are those nvml.h's defines map
 * the plain names to). All return an `nvmlReturn_t` (an enum: int), 0 for success, unless said otherwise.
 * `nvmlDevice_t` is a pointer.
 */
export const NVML_SYMBOLS = {
  nvmlInit_v2: { parameters: [], result: "i32" },
  nvmlShutdown: { parameters: [], result: "i32" },
  nvmlErrorString: { parameters: ["i32"], result: "pointer" }, // const char* (nvmlReturn_t)
  nvmlSystemGetDriverVersion: { parameters: ["buffer", "u32"], result: "i32" }, // char* version, unsigned length
  nvmlSystemGetCudaDriverVersion_v2: { parameters: ["buffer"], result: "i32" }, // int* cudaDriverVersion

  nvmlDeviceGetCount_v2: { parameters: ["buffer"], result: "i32" }, // unsigned* deviceCount
  nvmlDeviceGetHandleByIndex_v2: { parameters: ["u32", "buffer"], result: "i32" }, // unsigned index, nvmlDevice_t*
  nvmlDeviceGetHandleByUUID: { parameters: ["buffer", "buffer"], result: "i32" }, // const char* uuid, nvmlDevice_t*
  nvmlDeviceGetHandleByPciBusId_v2: { parameters: ["buffer", "buffer"], result: "i32" }, // const char*, nvmlDevice_t*

  nvmlDeviceGetName: { parameters: ["pointer", "buffer", "u32"], result: "i32" }, // device, char*, unsigned length
  nvmlDeviceGetUUID: { parameters: ["pointer", "buffer", "u32"], result: "i32" }, // device, char*, unsigned length
  nvmlDeviceGetIndex: { parameters: ["pointer", "buffer"], result: "i32" }, // device, unsigned* index
  nvmlDeviceGetMemoryInfo: { parameters: ["pointer", "buffer"], result: "i32" }, // device, nvmlMemory_t*
  nvmlDeviceGetClockInfo: { parameters: ["pointer", "i32", "buffer"], result: "i32" }, // device, nvmlClockType_t, unsigned* MHz
  nvmlDeviceGetMaxClockInfo: { parameters: ["pointer", "i32", "buffer"], result: "i32" }, // as above
  // device, unsigned* infoCount (in: room, out: entries), nvmlProcessInfo_t*
  nvmlDeviceGetComputeRunningProcesses_v3: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },

  // What the GPU does meanwhile. Optional: NVML renames and replaces these, and a run needs none of them.
  nvmlDeviceGetPowerUsage: { parameters: ["pointer", "buffer"], result: "i32", optional: true }, // device, unsigned* mW
  // device, nvmlTemperatureSensors_t, unsigned* degrees Celsius
  nvmlDeviceGetTemperature: { parameters: ["pointer", "i32", "buffer"], result: "i32", optional: true },
  // device, unsigned long long* reasons; the second is the name before driver 535
  nvmlDeviceGetCurrentClocksEventReasons: { parameters: ["pointer", "buffer"], result: "i32", optional: true },
  nvmlDeviceGetCurrentClocksThrottleReasons: { parameters: ["pointer", "buffer"], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

/** `nvmlReturn_t` values that this project distinguishes. */
export const NvmlReturn = {
  notSupported: 3,
  noPermission: 4,
  notFound: 6,
  insufficientSize: 7,
  driverNotLoaded: 9,
  libRmVersionMismatch: 18,
} as const;

/** `nvmlClockType_t`. */
export const NvmlClock = { sm: 1, memory: 2 } as const;

/** `NVML_TEMPERATURE_GPU` of `nvmlTemperatureSensors_t`. */
export const TEMPERATURE_GPU = 0;

/**
 * Bits of `nvmlClocksEventReasons` (before: `nvmlClocksThrottleReasons`), by the names that results.json has: what keeps
 * clocks from being as high as possible.
 */
export const CLOCK_REASONS = {
  gpu_idle: 0x1,
  applications_clocks_setting: 0x2,
  sw_power_cap: 0x4,
  hw_slowdown: 0x8,
  sync_boost: 0x10,
  sw_thermal_slowdown: 0x20,
  hw_thermal_slowdown: 0x40,
  hw_power_brake_slowdown: 0x80,
  display_clock_setting: 0x100,
} as const;

/**
 * `nvmlProcessInfo_t`: unsigned pid; (4 bytes of padding) unsigned long long usedGpuMemory; unsigned gpuInstanceId,
 * computeInstanceId. Offsets and size in bytes.
 */
export const PROCESS_INFO = { size: 24, pid: 0, usedGpuMemory: 8 } as const;

/** `NVML_VALUE_NOT_AVAILABLE`, -1, as an unsigned long long: memory of a process that NVML cannot determine. */
export const VALUE_NOT_AVAILABLE = 0xffff_ffff_ffff_ffffn;
