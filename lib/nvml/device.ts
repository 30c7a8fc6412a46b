import { type NVML_SYMBOLS, NvmlClock, NvmlReturn, PROCESS_INFO, VALUE_NOT_AVAILABLE } from "./symbols.ts";

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
   * Returns the memory that one process holds on this GPU, its CUDA context included.
   *
   * @param pid Process id, as this process's namespace knows it.
   * @returns Bytes; null if NVML does not list the process (before it has a CUDA context, and in containers that see
   * other ids), or lists it without a figure (NVML_VALUE_NOT_AVAILABLE: Windows' WDDM).
   * @throws {NvmlError} If NVML fails.
   */
  processBytes(pid: number): number | null {
    for (;;) {
      this.#count[0] = this.#processes.byteLength / PROCESS_INFO.size;
      const code = this.#nvml.c.nvmlDeviceGetComputeRunningProcesses_v3(this.#handle, this.#count, this.#processes);
      if (code !== NvmlReturn.insufficientSize) {
        this.#nvml.unwrap("nvmlDeviceGetComputeRunningProcesses_v3", code);
        break;
      }
      // The count is now that of all processes; leave room for some that start meanwhile
      this.#processes = new BigUint64Array((this.#count[0]! + 16) * PROCESS_INFO.size / 8);
    }
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
}
