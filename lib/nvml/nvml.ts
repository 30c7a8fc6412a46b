import { driverLibrary } from "../cuda/libraries.ts";
import { InputError } from "../util/errors.ts";
import { NvmlDevice } from "./device.ts";
import { NVML_SYMBOLS, NvmlReturn } from "./symbols.ts";

/**
 * An error NVML returned.
 *
 * @example
 * ```ts
 * import { NvmlError } from "./nvml.ts";
 *
 * const error = new NvmlError("nvmlDeviceGetClockInfo", 3, "Not Supported");
 * console.log(error.message); // "Cannot do nvmlDeviceGetClockInfo: Not Supported (3)"
 * ```
 */
export class NvmlError extends Error {
  override readonly name = "NvmlError";
  /** Takes the function, its `nvmlReturn_t` and NVML's message. */
  constructor(readonly call: string, readonly code: number, text: string) {
    super(`Cannot do ${call}: ${text} (${code})`);
  }
}

/**
 * NVML, the NVIDIA driver's management library, opened by FFI: the machine's GPUs, and how much memory this process
 * holds on them. It creates no CUDA context, so it uses no memory of the GPU itself.
 *
 * Needs `--allow-ffi`; if the loader does not know the library, also `--allow-read` and `--allow-env`.
 *
 * @example
 * ```ts ignore
 * import { Nvml } from "./nvml.ts";
 *
 * using nvml = new Nvml();
 * console.log(nvml.driverVersion, nvml.deviceByIndex(0).name); // "580.95.05" "NVIDIA H100 80GB HBM3"
 * ```
 */
export class Nvml implements Disposable {
  /** Path or soname of the library that was opened. */
  readonly libraryPath: string;
  /** The C functions; every code they return goes through {@linkcode unwrap}. */
  readonly c: Deno.DynamicLibrary<typeof NVML_SYMBOLS>["symbols"];
  readonly #library: Deno.DynamicLibrary<typeof NVML_SYMBOLS>;

  /**
   * Opens the library and starts NVML.
   *
   * @param libraryPath Path or soname; the driver's unless given.
   * @throws {InputError} If there is no NVIDIA driver, or it is not working.
   */
  constructor(libraryPath?: string) {
    [this.#library, this.libraryPath] = open(libraryPath);
    this.c = this.#library.symbols;
    try {
      this.unwrap("nvmlInit_v2", this.c.nvmlInit_v2());
    } catch (cause) {
      this.#library.close();
      throw new InputError(`Cannot use the NVIDIA driver: ${(cause as Error).message}`, { cause });
    }
  }

  /** Version of the driver, such as "580.95.05". */
  get driverVersion(): string {
    return this.text("nvmlSystemGetDriverVersion", 80, (out) => this.c.nvmlSystemGetDriverVersion(out, out.length));
  }

  /** The newest CUDA version the driver can run, such as "13.0". */
  get cudaDriverVersion(): string {
    const version = this.number(
      "nvmlSystemGetCudaDriverVersion_v2",
      (out) => this.c.nvmlSystemGetCudaDriverVersion_v2(out),
    );
    return `${Math.floor(version / 1000)}.${Math.floor(version % 1000 / 10)}`;
  }

  /** GPUs of the machine (or of the container), whatever CUDA_VISIBLE_DEVICES says. */
  get deviceCount(): number {
    return this.number("nvmlDeviceGetCount_v2", (out) => this.c.nvmlDeviceGetCount_v2(out));
  }

  /** A GPU by NVML's index, which is the order of PCI bus ids. @throws {NvmlError} If it does not exist. */
  deviceByIndex(index: number): NvmlDevice {
    return this.#device("nvmlDeviceGetHandleByIndex_v2", (out) => this.c.nvmlDeviceGetHandleByIndex_v2(index, out));
  }

  /** A GPU by its UUID, or a MIG instance by its own. @throws {NvmlError} If it does not exist. */
  deviceByUuid(uuid: string): NvmlDevice {
    return this.#device("nvmlDeviceGetHandleByUUID", (out) => this.c.nvmlDeviceGetHandleByUUID(cString(uuid), out));
  }

  /** A GPU by its PCI bus id, such as "0000:04:00.0", which the CUDA runtime reports. @throws {NvmlError} */
  deviceByPciBusId(id: string): NvmlDevice {
    return this.#device(
      "nvmlDeviceGetHandleByPciBusId_v2",
      (out) => this.c.nvmlDeviceGetHandleByPciBusId_v2(cString(id), out),
    );
  }

  /** Throws if an `nvmlReturn_t` is not 0. */
  unwrap(call: string, code: number): void {
    if (code === 0) return;
    const text = this.c.nvmlErrorString(code);
    throw new NvmlError(call, code, text === null ? "unknown error" : Deno.UnsafePointerView.getCString(text));
  }

  /** Returns a number that NVML writes to an `unsigned*`. */
  number(call: string, get: (out: Uint32Array<ArrayBuffer>) => number): number {
    const out = new Uint32Array(1);
    this.unwrap(call, get(out));
    return out[0]!;
  }

  /** Returns a text that NVML writes to a `char*` with room for `length`. */
  text(call: string, length: number, get: (out: Uint8Array<ArrayBuffer>) => number): string {
    const out = new Uint8Array(length);
    this.unwrap(call, get(out));
    const end = out.indexOf(0);
    return new TextDecoder().decode(end < 0 ? out : out.subarray(0, end));
  }

  /** Ends NVML and closes the library; other handles of this process stay valid (NVML counts). */
  [Symbol.dispose](): void {
    this.c.nvmlShutdown();
    this.#library.close();
  }

  #device(call: string, get: (out: BigUint64Array<ArrayBuffer>) => number): NvmlDevice {
    const out = new BigUint64Array(1);
    this.unwrap(call, get(out));
    return new NvmlDevice(this, Deno.UnsafePointer.create(out[0]!)!);
  }
}

function open(path?: string): [Deno.DynamicLibrary<typeof NVML_SYMBOLS>, string] {
  const tried = path ? [path] : Deno.build.os === "windows" ? ["nvml.dll"] : driverLibrary("libnvidia-ml.so.1");
  const reasons: string[] = [];
  for (const candidate of tried) {
    try {
      return [Deno.dlopen(candidate, NVML_SYMBOLS), candidate];
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      reasons.push(`  ${(error as Error).message.replace(/^(Could not open library: )+/, "")}`);
    }
  }
  throw new InputError(["Cannot find an NVIDIA driver: NVML could not be opened", ...reasons].join("\n"));
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}

/** Whether an error says that this GPU, or this kind of access, does not offer the figure. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof NvmlError &&
    (error.code === NvmlReturn.notSupported || error.code === NvmlReturn.noPermission);
}
