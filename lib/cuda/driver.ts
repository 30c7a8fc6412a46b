import { InputError } from "../util/errors.ts";
import { CudaError } from "./errors.ts";

/**
 * The functions of the driver API that this project calls (cuda.h; the same in CUDA 12 and 13). All return a
 * `CUresult`, 0 for success.
 */
const SYMBOLS = {
  cuGetErrorName: { parameters: ["i32", "buffer"], result: "i32" }, // CUresult, const char**
  cuGetErrorString: { parameters: ["i32", "buffer"], result: "i32" }, // CUresult, const char**
  cuCtxGetDevice: { parameters: ["buffer"], result: "i32" }, // CUdevice*
  cuDeviceGetAttribute: { parameters: ["buffer", "i32", "i32"], result: "i32" }, // int*, CUdevice_attribute, CUdevice
  // CUmodule*, const void* image, unsigned options, CUjit_option*, void** values
  cuModuleLoadDataEx: { parameters: ["buffer", "buffer", "u32", "buffer", "buffer"], result: "i32" },
  cuModuleUnload: { parameters: ["pointer"], result: "i32" },
  cuModuleGetFunction: { parameters: ["buffer", "pointer", "buffer"], result: "i32" }, // CUfunction*, CUmodule, name
  cuFuncSetAttribute: { parameters: ["pointer", "i32", "i32"], result: "i32" }, // CUfunction, attribute, value
  cuLaunchKernelEx: { parameters: ["buffer", "pointer", "buffer", "pointer"], result: "i32" }, // config, f, params, extra
} as const satisfies Deno.ForeignLibraryInterface;

/** `CUdevice_attribute`s (cuda.h). */
const MULTIPROCESSOR_COUNT = 16, CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76, SHARED_MEMORY_OPTIN = 97;
/** `CU_JIT_ERROR_LOG_BUFFER` and its size (cuda.h). */
const JIT_ERROR_LOG = 5, JIT_ERROR_LOG_BYTES = 6;
/** `CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES` (cuda.h). */
const MAX_DYNAMIC_SHARED = 8;
/** `CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION` (cuda.h). */
const PROGRAMMATIC_SERIALIZATION = 6;
/** Dynamic shared memory that a kernel gets without setting an attribute, bytes. */
const SHARED_WITHOUT_ASKING = 48 * 1024;

/**
 * The CUDA driver: compiles the project's kernels from PTX for the current GPU and launches them. It works in the
 * context that the CUDA runtime made for this thread, so create {@linkcode CudaRuntime} first.
 *
 * @example
 * ```ts ignore
 * import { CudaDriver } from "./driver.ts";
 * import { CudaRuntime } from "./runtime.ts";
 *
 * using cuda = new CudaRuntime();
 * cuda.setDevice(0);
 * using driver = new CudaDriver();
 * console.log(driver.capability); // { major: 9, minor: 0 }
 * ```
 */
export class CudaDriver implements Disposable {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  /** Compute capability of the current GPU. */
  readonly capability: { readonly major: number; readonly minor: number };
  /** Streaming multiprocessors of the current GPU. */
  readonly multiprocessors: number;
  /** Most shared memory of a block, bytes. */
  readonly sharedMemory: number;

  /** @throws {InputError} If the driver's library is missing. */
  constructor(path = Deno.build.os === "windows" ? "nvcuda.dll" : "libcuda.so.1") {
    try {
      this.#library = Deno.dlopen(path, SYMBOLS);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotCapable) throw cause;
      throw new InputError(`Cannot open the CUDA driver at ${path}: ${(cause as Error).message}`, { cause });
    }
    const device = new Int32Array(1);
    this.unwrap("cuCtxGetDevice", this.c.cuCtxGetDevice(device));
    const get = (attribute: number) => {
      const out = new Int32Array(1);
      this.unwrap("cuDeviceGetAttribute", this.c.cuDeviceGetAttribute(out, attribute, device[0]!));
      return out[0]!;
    };
    this.capability = { major: get(CAPABILITY_MAJOR), minor: get(CAPABILITY_MINOR) };
    this.multiprocessors = get(MULTIPROCESSOR_COUNT);
    this.sharedMemory = get(SHARED_MEMORY_OPTIN);
  }

  get c(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
    return this.#library.symbols;
  }

  /** Turns a `CUresult` into an error; 0 is success. */
  unwrap(call: string, code: number, more = ""): void {
    if (code === 0) return;
    const text = (get: (code: number, out: BigUint64Array<ArrayBuffer>) => number) => {
      const out = new BigUint64Array(1);
      get(code, out);
      return out[0] === 0n ? "" : Deno.UnsafePointerView.getCString(Deno.UnsafePointer.create(out[0]!)!);
    };
    throw new CudaError(call, code, text(this.c.cuGetErrorName), text(this.c.cuGetErrorString) + more);
  }

  /**
   * Compiles PTX for the GPU. The driver caches the result (CUDA_CACHE_PATH).
   *
   * @throws {CudaError} If compilation fails, with the compiler's message.
   */
  load(ptx: string): CudaModule {
    const log = new Uint8Array(8192);
    const at = Deno.UnsafePointer.value(Deno.UnsafePointer.of(log));
    const out = new BigUint64Array(1);
    const image = new TextEncoder().encode(ptx + "\0");
    const code = this.c.cuModuleLoadDataEx(
      out,
      image,
      2,
      Int32Array.of(JIT_ERROR_LOG, JIT_ERROR_LOG_BYTES),
      BigUint64Array.of(at, BigInt(log.length)),
    );
    const end = log.indexOf(0);
    this.unwrap("cuModuleLoadDataEx", code, end > 0 ? `: ${new TextDecoder().decode(log.subarray(0, end))}` : "");
    return new CudaModule(this, Deno.UnsafePointer.create(out[0]!)!);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

/** Kernels that the driver has loaded. */
export class CudaModule implements Disposable {
  readonly #kernels = new Map<string, CudaKernel>();

  constructor(readonly driver: CudaDriver, readonly pointer: Deno.PointerObject) {}

  /** Returns a kernel by its name. @throws {CudaError} If no kernel has it. */
  kernel(name: string): CudaKernel {
    let kernel = this.#kernels.get(name);
    if (!kernel) {
      const out = new BigUint64Array(1);
      const text = new TextEncoder().encode(name + "\0");
      this.driver.unwrap(`cuModuleGetFunction(${name})`, this.driver.c.cuModuleGetFunction(out, this.pointer, text));
      kernel = new CudaKernel(this.driver, Deno.UnsafePointer.create(out[0]!)!, name);
      this.#kernels.set(name, kernel);
    }
    return kernel;
  }

  [Symbol.dispose](): void {
    this.driver.c.cuModuleUnload(this.pointer);
  }
}

/** How a kernel is launched. */
export interface Launch {
  readonly grid: readonly [x: number, y?: number, z?: number];
  /** Threads per block. */
  readonly threads: number;
  /** Dynamic shared memory per block, bytes. */
  readonly shared?: number;
  readonly stream: Deno.PointerValue;
  /** Its one parameter, a structure by value. */
  readonly argument: Uint8Array<ArrayBuffer>;
}

/** A kernel with one parameter, a structure. */
export class CudaKernel {
  #shared = SHARED_WITHOUT_ASKING;
  readonly #overlaps: boolean;

  constructor(readonly driver: CudaDriver, readonly pointer: Deno.PointerObject, readonly name: string) {
    this.#overlaps = driver.capability.major >= 9;
  }

  /**
   * Queues the kernel. On Hopper and later it may start before the previous kernel has ended: the kernel itself must
   * wait before it uses that one's results (CUDA C++ Programming Guide, "Programmatic Dependent Launch").
   */
  launch({ grid: [x, y = 1, z = 1], threads, shared = 0, stream, argument }: Launch): void {
    const { driver, driver: { c } } = this;
    if (shared > this.#shared) {
      driver.unwrap(
        `cuFuncSetAttribute(${this.name})`,
        c.cuFuncSetAttribute(this.pointer, MAX_DYNAMIC_SHARED, shared),
        ` for ${shared} bytes of shared memory, a block has at most ${driver.sharedMemory}`,
      );
      this.#shared = shared;
    }
    // CUlaunchAttribute: u32 id, 4 bytes of padding, a union of 64 bytes
    const attribute = new Uint8Array(72);
    new Uint32Array(attribute.buffer, 0, 1)[0] = PROGRAMMATIC_SERIALIZATION;
    new Int32Array(attribute.buffer, 8, 1)[0] = 1;
    // CUlaunchConfig: grid, block: 3 u32 each; u32 shared; CUstream; CUlaunchAttribute*; u32 attributes
    const config = new DataView(new ArrayBuffer(56));
    [x, y, z, threads, 1, 1, shared].forEach((n, i) => config.setUint32(4 * i, n, true));
    config.setBigUint64(32, Deno.UnsafePointer.value(stream), true);
    config.setBigUint64(40, Deno.UnsafePointer.value(Deno.UnsafePointer.of(attribute)), true);
    config.setUint32(48, this.#overlaps ? 1 : 0, true);
    const parameters = BigUint64Array.of(Deno.UnsafePointer.value(Deno.UnsafePointer.of(argument)));
    driver.unwrap(
      `cuLaunchKernelEx(${this.name})`,
      c.cuLaunchKernelEx(new Uint8Array(config.buffer), this.pointer, parameters, null),
    );
    attribute[71] = 0; // keeps the arrays alive that the structures point to
    argument[0]!;
  }
}
