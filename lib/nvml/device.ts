import type { GpuMoment } from "./conditions.ts";
import {
  type NVML_SYMBOLS,
  NvmlClock,
  NvmlReturn,
  PROCESS_INFO,
  TEMPERATURE_GPU,
  VALUE_NOT_AVAILABLE,
} from "./symbols.ts";

/** The parts of {@linkcode Nvml} that a device uses. */
export interface NvmlCalls {
  readonly c: Deno.DynamicLibrary<typeof NVML_SYMBOLS>["symbols"];
  /** Throws if an `nvmlReturn_t` is not 0. */
  unwrap(call: string, code: number): void;
  /** Returns a number that NVML writes to an `unsigned*`. */
  number(call: string, get: (out: Uint32Array<ArrayBuffer>) => number): number;
  /** Returns a text that NVML writes to a `char*` with room for `length`. */
  text(call: string, length: number, get: (out: Uint8Array<ArrayBuffer>) => number): string;
}

/** A GPU (or a MIG instance) as NVML knows it. Valid as long as its {@linkcode Nvml}. */
export class NvmlDevice {
  readonly #nvml: NvmlCalls;
  readonly #handle: Deno.PointerObject;
  /** `nvmlMemory_t`: unsigned long long total, free, used. */
  readonly #memory = new BigUint64Array(3);
  readonly #count = new Uint32Array(1);
  /** Room for an unsigned, or an unsigned long long. */
  readonly #out = new Uint32Array(2);
  #processes = new BigUint64Array(64 * PROCESS_INFO.size / 8);

  /** Takes an `nvmlDevice_t`; see {@linkcode Nvml.deviceByIndex} and its siblings. */
  constructor(nvml: NvmlCalls, handle: Deno.PointerObject) {
    this.#nvml = nvml;
    this.#handle = handle;
  }

  /** Such as "NVIDIA H100 80GB HBM3". */
  get name(): string {
    return this.#nvml.text(
      "nvmlDeviceGetName",
      96,
      (out) => this.#nvml.c.nvmlDeviceGetName(this.#handle, out, out.length),
    );
  }

  /** Such as "GPU-2f0d…": the same on every boot, whatever the order of GPUs. */
  get uuid(): string {
    return this.#nvml.text(
      "nvmlDeviceGetUUID",
      96,
      (out) => this.#nvml.c.nvmlDeviceGetUUID(this.#handle, out, out.length),
    );
  }

  /** NVML's index: the order of PCI bus ids. */
  get index(): number {
    return this.#nvml.number("nvmlDeviceGetIndex", (out) => this.#nvml.c.nvmlDeviceGetIndex(this.#handle, out));
  }

  /** Memory of the GPU, bytes; `used` counts all processes and what the driver reserves. */
  memory(): { total: number; free: number; used: number } {
    this.#nvml.unwrap("nvmlDeviceGetMemoryInfo", this.#nvml.c.nvmlDeviceGetMemoryInfo(this.#handle, this.#memory));
    const [total, free, used] = this.#memory;
    return { total: Number(total), free: Number(free), used: Number(used) };
  }

  /** Current and maximum clocks, MHz. @throws {NvmlError} If this GPU does not report them. */
  clocks(): { sm: number; memory: number; max_sm: number; max_memory: number } {
    const now = (clock: number) =>
      this.#nvml.number(
        "nvmlDeviceGetClockInfo",
        (out) => this.#nvml.c.nvmlDeviceGetClockInfo(this.#handle, clock, out),
      );
    const max = (clock: number) =>
      this.#nvml.number(
        "nvmlDeviceGetMaxClockInfo",
        (out) => this.#nvml.c.nvmlDeviceGetMaxClockInfo(this.#handle, clock, out),
      );
    return {
      sm: now(NvmlClock.sm),
      memory: now(NvmlClock.memory),
      max_sm: max(NvmlClock.sm),
      max_memory: max(NvmlClock.memory),
    };
  }

  /**
   * Reads what the GPU does at this moment. What it does not offer, or fails to say, is null: no figure here is worth a
   * run.
   *
   * @param pid This process's id, if it has a CUDA context; else null.
   */
  conditions(pid: number | null): GpuMoment {
    const c = this.#nvml.c;
    const clock = (type: number) => this.#figure((out) => c.nvmlDeviceGetClockInfo(this.#handle, type, out));
    return {
      sm_mhz: clock(NvmlClock.sm),
      memory_mhz: clock(NvmlClock.memory),
      power_mw: this.#figure((out) => c.nvmlDeviceGetPowerUsage?.(this.#handle, out)),
      temperature_c: this.#figure((out) => c.nvmlDeviceGetTemperature?.(this.#handle, TEMPERATURE_GPU, out)),
      // The low half of an unsigned long long: NVML uses 9 bits of it.
      reasons: this.#figure((out) =>
        (c.nvmlDeviceGetCurrentClocksEventReasons ?? c.nvmlDeviceGetCurrentClocksThrottleReasons)?.(this.#handle, out)
      ),
      other_processes: this.#otherProcesses(pid),
    };
  }

  /**
   * Returns the memory that one process holds on this GPU, its CUDA context included.
   *
   * @param pid Process id, as this process's namespace knows it.
   * @returns Bytes; null if NVML does not list the process (before it has a CUDA context, and in containers that see
   * other ids), or lists it without a figure (NVML_VALUE_NOT_AVAILABLE: Windows' WDDM).
   * @throws {NvmlError} If NVML fails.
   */
  processBytes(pid: number): number | null {
    this.#nvml.unwrap("nvmlDeviceGetComputeRunningProcesses_v3", this.#listProcesses());
    const view = new DataView(this.#processes.buffer);
    let bytes: number | null = null;
    for (let i = 0; i < this.#count[0]!; i++) {
      const at = i * PROCESS_INFO.size;
      if (view.getUint32(at + PROCESS_INFO.pid, true) !== pid) continue;
      const used = view.getBigUint64(at + PROCESS_INFO.usedGpuMemory, true);
      if (used !== VALUE_NOT_AVAILABLE) bytes = (bytes ?? 0) + Number(used);
    }
    return bytes;
  }

  /**
   * Returns how many processes other than `pid`, which has a CUDA context, compute on this GPU. If NVML lists processes
   * but not this one (in containers), one of them is this one under another number. If it lists none, it hides them:
   * null. Without `pid`, all that are listed.
   */
  #otherProcesses(pid: number | null): number | null {
    if (this.#listProcesses() !== 0) return null;
    if (pid === null) return this.#count[0]!;
    if (this.#count[0] === 0) return null;
    const view = new DataView(this.#processes.buffer);
    let others = 0;
    for (let i = 0; i < this.#count[0]!; i++) {
      if (view.getUint32(i * PROCESS_INFO.size + PROCESS_INFO.pid, true) !== pid) others++;
    }
    return Math.min(others, this.#count[0]! - 1);
  }

  /** Lists the processes that compute on the GPU, with more room if there are many. Returns an `nvmlReturn_t`. */
  #listProcesses(): number {
    for (;;) {
      this.#count[0] = this.#processes.byteLength / PROCESS_INFO.size;
      const code = this.#nvml.c.nvmlDeviceGetComputeRunningProcesses_v3(this.#handle, this.#count, this.#processes);
      if (code !== NvmlReturn.insufficientSize) return code;
      // The count is now that of all processes; leave room for some that start meanwhile
      this.#processes = new BigUint64Array((this.#count[0]! + 16) * PROCESS_INFO.size / 8);
    }
  }

  /** Returns the unsigned that a call writes; null if there is no such call, or it fails. */
  #figure(get: (out: Uint32Array<ArrayBuffer>) => number | undefined): number | null {
    this.#out.fill(0);
    return get(this.#out) === 0 ? this.#out[0]! : null;
  }
}
