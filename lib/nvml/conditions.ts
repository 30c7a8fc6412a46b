import { CLOCK_REASONS } from "./symbols.ts";

/** What a GPU does at one moment. What it does not offer (MIG, vGPU, old drivers) is null. */
export interface GpuMoment {
  /** Clock of the multiprocessors, MHz. */
  readonly sm_mhz: number | null;
  /** Clock of the memory, MHz. */
  readonly memory_mhz: number | null;
  /** Power, mW. */
  readonly power_mw: number | null;
  /** Temperature, degrees Celsius. */
  readonly temperature_c: number | null;
  /** Bits of {@linkcode CLOCK_REASONS}: why clocks are not higher. */
  readonly reasons: number | null;
  /** Other processes that compute on the GPU. */
  readonly other_processes: number | null;
}

/** What a GPU did over some time, sampled many times. */
export interface GpuConditions {
  /** Samples taken. */
  samples: number;
  /** Clock of the multiprocessors, MHz: least and mean. */
  sm_mhz: { min: number; mean: number } | null;
  /** Clock of the memory, MHz. */
  memory_mhz: { min: number; mean: number } | null;
  /** Power, W: mean and most. */
  power_w: { mean: number; max: number } | null;
  /** Highest temperature, degrees Celsius. */
  temperature_c: number | null;
  /** Reasons for lower clocks that were seen, by NVML's names, such as "sw_power_cap"; without idle. */
  throttled_by: string[];
  /** Most other processes that computed on the GPU at one time; null if unknown. */
  other_processes: number | null;
}

/**
 * Summarizes what a GPU did over some time. A figure is over the moments that have it.
 *
 * @param moments Moments, sampled evenly; may be empty.
 * @returns Least, mean and most of each figure.
 *
 * @example
 * ```ts
 * import { summarizeMoments } from "./conditions.ts";
 *
 * const moment = { sm_mhz: 1980, memory_mhz: 2619, power_mw: 400_000, temperature_c: 50, reasons: 0, other_processes: 0 };
 * const { sm_mhz, throttled_by } = summarizeMoments([moment, { ...moment, sm_mhz: 1700, reasons: 4 }]);
 * console.log(sm_mhz, throttled_by); // { min: 1700, mean: 1840 } [ "sw_power_cap" ]
 * ```
 */
export function summarizeMoments(moments: readonly GpuMoment[]): GpuConditions {
  const sm = rangeOf(moments, "sm_mhz");
  const memory = rangeOf(moments, "memory_mhz");
  const power = rangeOf(moments, "power_mw");
  const reasons = moments.reduce((bits, moment) => bits | (moment.reasons ?? 0), 0);
  return {
    samples: moments.length,
    sm_mhz: sm && { min: sm.min, mean: sm.mean },
    memory_mhz: memory && { min: memory.min, mean: memory.mean },
    power_w: power && { mean: power.mean / 1000, max: power.max / 1000 },
    temperature_c: rangeOf(moments, "temperature_c")?.max ?? null,
    throttled_by: clockReasons(reasons).filter((name) => name !== "gpu_idle"),
    other_processes: rangeOf(moments, "other_processes")?.max ?? null,
  };
}

/**
 * Names the reasons for lower clocks.
 *
 * @param bits Bits of {@linkcode CLOCK_REASONS}, at most 31 of them.
 * @returns Their names; a bit that a newer driver added is named by its value, such as "reason_0x200".
 *
 * @example
 * ```ts
 * import { clockReasons } from "./conditions.ts";
 *
 * console.log(clockReasons(0x24)); // [ "sw_power_cap", "sw_thermal_slowdown" ]
 * ```
 */
export function clockReasons(bits: number): string[] {
  const names = new Map<number, string>(Object.entries(CLOCK_REASONS).map(([name, bit]) => [bit, name]));
  return Array.from({ length: 31 }, (_, i) => 2 ** i)
    .filter((bit) => (bits & bit) !== 0)
    .map((bit) => names.get(bit) ?? `reason_0x${bit.toString(16)}`);
}

function rangeOf(moments: readonly GpuMoment[], figure: keyof GpuMoment) {
  let min = Infinity, max = -Infinity, sum = 0, known = 0;
  for (const moment of moments) {
    const value = moment[figure];
    if (value === null) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    known++;
  }
  return known === 0 ? null : { min, max, mean: sum / known };
}
