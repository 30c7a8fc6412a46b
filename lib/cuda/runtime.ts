import { InputError } from "../util/errors.ts";
import { CudaError, OutOfMemoryError } from "./errors.ts";
import { MINIMUM_DRIVER } from "./libraries.ts";
import { CudaEvent, CudaStream, DeviceBuffer, PinnedBuffer } from "./memory.ts";
import { preloadCudaLibraries } from "./preload.ts";
import { CUDART_SYMBOLS, MemcpyKind } from "./symbols.ts";

/** `cudaError_t` values that this project distinguishes (driver_types.h). */
const MEMORY_ALLOCATION = 2, INSUFFICIENT_DRIVER = 35, NO_DEVICE = 100;

/** Memory of the host: that of a typed array, or pinned memory. */
export type HostMemory = ArrayBufferView<ArrayBuffer> | PinnedBuffer;

/**
 * The CUDA runtime, opened from libcudart: memory, copies, streams and events of the GPU. It shares its context with
 * ONNX Runtime, which opens the same library.
 *
 * Asynchronous copies are ordered in their stream. A copy from a typed array returns once CUDA has taken the data (the
 * memory is pageable: cuda_runtime_api.h, "API synchronization behavior"). A copy to one returns when the data has
 * arrived. With a {@linkcode PinnedBuffer} both return at once: do not change its bytes until the stream is
 * synchronized.
 *
 * Needs `--allow-ffi`; finding the library also `--allow-read` and `--allow-env`.
 *
 * @example
 * ```ts ignore
 * import { CudaRuntime } from "./runtime.ts";
 *
 * using cuda = new CudaRuntime();
 * using memory = cuda.malloc(1024);
 * cuda.copyToDevice(memory.pointer, new Float32Array(256).fill(1));
 * const back = new Float32Array(256);
 * cuda.copyToHost(back, memory.pointer);
 * ```
 */
export class CudaRuntime implements Disposable {
  /** Path or soname of the library that was opened. */
  readonly libraryPath: string;
  /** The C functions; every code they return goes through {@linkcode unwrap}. */
  readonly c: Deno.DynamicLibrary<typeof CUDART_SYMBOLS>["symbols"];
  readonly #library: Deno.DynamicLibrary<typeof CUDART_SYMBOLS>;

  /**
   * Opens the library.
   *
   * @param libraryPath Path or soname of libcudart. If omitted, it is searched for, and all CUDA libraries are opened.
   * @throws {InputError} If it is missing; the message names every place searched.
   */
  constructor(libraryPath: string = findRuntime()) {
    this.libraryPath = libraryPath;
    try {
      this.#library = Deno.dlopen(libraryPath, CUDART_SYMBOLS);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotCapable) throw cause;
      throw new InputError(`Cannot open the CUDA runtime at ${libraryPath}: ${(cause as Error).message}`, { cause });
    }
    this.c = this.#library.symbols;
  }

  /** Version of the runtime, such as 13000 for 13.0. */
  get version(): number {
    return this.#int("cudaRuntimeGetVersion", (out) => this.c.cudaRuntimeGetVersion(out));
  }

  /** The newest CUDA version the driver can run, such as 13000 for 13.0; 0 without a driver. */
  get driverVersion(): number {
    return this.#int("cudaDriverGetVersion", (out) => this.c.cudaDriverGetVersion(out));
  }

  /** Number of GPUs this process may use. @throws {InputError} If there is no GPU, or the driver is too old. */
  get deviceCount(): number {
    return this.#int("cudaGetDeviceCount", (out) => this.c.cudaGetDeviceCount(out));
  }

  /** Selects the GPU that this thread works on. @throws {InputError} If there is no GPU. */
  setDevice(device: number): void {
    this.unwrap("cudaSetDevice", this.c.cudaSetDevice(device));
  }

  /**
   * Creates the GPU's context in another thread, which takes a few tenths of a second. {@linkcode setDevice} waits for
   * the rest, and throws the error if there was one.
   *
   * @returns Resolves when the context exists or could not be created.
   */
  async beginContext(device: number): Promise<void> {
    await this.c.setDeviceAside(device);
  }

  /** PCI bus id of a GPU, such as "0000:04:00.0": the name under which NVML knows it too. */
  pciBusId(device: number): string {
    const id = new Uint8Array(32);
    this.unwrap("cudaDeviceGetPCIBusId", this.c.cudaDeviceGetPCIBusId(id, id.length, device));
    return new TextDecoder().decode(id.subarray(0, id.indexOf(0)));
  }

  /** Memory of the current GPU, bytes, by all processes. Creates this process's context on it. */
  memoryInfo(): { free: number; total: number } {
    const free = new BigUint64Array(1), total = new BigUint64Array(1);
    this.unwrap("cudaMemGetInfo", this.c.cudaMemGetInfo(free, total));
    return { free: Number(free[0]), total: Number(total[0]) };
  }

  /** Allocates memory on the GPU, aligned to 256 bytes. @throws {OutOfMemoryError} If there is not enough. */
  malloc(bytes: number): DeviceBuffer {
    const pointer = this.create("cudaMalloc", (out) => this.c.cudaMalloc(out, size(bytes)), bytes);
    return new DeviceBuffer(this, pointer, bytes);
  }

  /** Allocates pinned memory on the host, for copies that do not block. */
  mallocHost(bytes: number): PinnedBuffer {
    const pointer = this.create("cudaMallocHost", (out) => this.c.cudaMallocHost(out, size(bytes)));
    return new PinnedBuffer(this, pointer, bytes);
  }

  /** Copies to the GPU; ordered in `stream` if given, else done when it returns. */
  copyToDevice(to: Deno.PointerObject, from: HostMemory, stream?: CudaStream): void {
    const kind = MemcpyKind.hostToDevice, n = BigInt(from.byteLength);
    if (from instanceof PinnedBuffer) return this.#copy(to, from.pointer, from.byteLength, kind, stream);
    this.unwrap(
      "cudaMemcpy",
      stream ? this.c.fromHostAsync(to, from, n, kind, stream.pointer) : this.c.fromHost(to, from, n, kind),
    );
  }

  /** Copies from the GPU; ordered in `stream` if given, else done when it returns. */
  copyToHost(to: HostMemory, from: Deno.PointerObject, stream?: CudaStream): void {
    const kind = MemcpyKind.deviceToHost, n = BigInt(to.byteLength);
    if (to instanceof PinnedBuffer) return this.#copy(to.pointer, from, to.byteLength, kind, stream);
    this.unwrap(
      "cudaMemcpy",
      stream ? this.c.toHostAsync(to, from, n, kind, stream.pointer) : this.c.toHost(to, from, n, kind),
    );
  }

  /** Copies bytes of pinned memory, from byte `start` on, to the GPU, ordered in the stream; returns at once. */
  copyToDeviceFrom(to: Deno.PointerObject, from: PinnedBuffer, bytes: number, stream: CudaStream, start = 0): void {
    const first = Deno.UnsafePointer.offset(from.pointer, start)!;
    this.#copy(to, first, bytes, MemcpyKind.hostToDevice, stream);
  }

  /** Copies from the GPU to the first bytes of pinned memory, ordered in the stream; returns at once. */
  copyToHostInto(to: PinnedBuffer, from: Deno.PointerObject, bytes: number, stream: CudaStream): void {
    this.#copy(to.pointer, from, bytes, MemcpyKind.deviceToHost, stream);
  }

  /** Copies within the GPU; the two ranges must not overlap. */
  copyOnDevice(to: Deno.PointerObject, from: Deno.PointerObject, bytes: number, stream?: CudaStream): void {
    this.#copy(to, from, bytes, MemcpyKind.deviceToDevice, stream);
  }

  /** Sets every byte of a range on the GPU; ordered in `stream` if given. */
  memset(to: Deno.PointerObject, value: number, bytes: number, stream?: CudaStream): void {
    const n = BigInt(bytes);
    this.unwrap(
      "cudaMemset",
      stream ? this.c.cudaMemsetAsync(to, value, n, stream.pointer) : this.c.cudaMemset(to, value, n),
    );
  }

  /** Creates a stream that does not wait for the default one (cudaStreamNonBlocking). */
  createStream(): CudaStream {
    return new CudaStream(this);
  }

  /** Creates an event that records time. */
  createEvent(): CudaEvent {
    return new CudaEvent(this);
  }

  /** Waits for all work of this process on the current GPU. */
  synchronize(): void {
    this.unwrap("cudaDeviceSynchronize", this.c.cudaDeviceSynchronize());
  }

  /** Throws if a `cudaError_t` is not 0. `bytes`: size of the requested allocation. */
  unwrap(call: string, code: number, bytes?: number): void {
    if (code === 0) return;
    // CUDA keeps the error, and ONNX Runtime would take it for an error of its own kernels (cudaGetLastError)
    this.c.cudaGetLastError();
    const text = (pointer: Deno.PointerValue) => pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
    const error = new CudaError(call, code, text(this.c.cudaGetErrorName(code)), text(this.c.cudaGetErrorString(code)));
    if (code === MEMORY_ALLOCATION && bytes !== undefined) {
      const free = new BigUint64Array(1), total = new BigUint64Array(1);
      const known = this.c.cudaMemGetInfo(free, total) === 0;
      throw new OutOfMemoryError(bytes, known ? Number(free[0]) : null, known ? Number(total[0]) : null);
    }
    if (code === INSUFFICIENT_DRIVER) {
      const drivers = Object.entries(MINIMUM_DRIVER).map(([cuda, driver]) => `CUDA ${cuda} needs ${driver}`).join(", ");
      throw new InputError(`Cannot use CUDA: the NVIDIA driver is missing or too old (${drivers} or newer)`, {
        cause: error,
      });
    }
    if (code === NO_DEVICE) {
      throw new InputError("Cannot use CUDA: no GPU is visible to this process (see CUDA_VISIBLE_DEVICES)", {
        cause: error,
      });
    }
    throw error;
  }

  /** Creates something that CUDA returns through a `void**`; `bytes`: size of the requested allocation. */
  create(call: string, make: (out: BigUint64Array<ArrayBuffer>) => number, bytes?: number): Deno.PointerObject {
    const out = new BigUint64Array(1);
    this.unwrap(call, make(out), bytes);
    return Deno.UnsafePointer.create(out[0]!)!;
  }

  /** Closes this handle of the library. Does not free what it allocated. */
  [Symbol.dispose](): void {
    this.#library.close();
  }

  #int(call: string, get: (out: Int32Array<ArrayBuffer>) => number): number {
    const out = new Int32Array(1);
    this.unwrap(call, get(out));
    return out[0]!;
  }

  #copy(to: Deno.PointerObject, from: Deno.PointerObject, bytes: number, kind: number, stream?: CudaStream): void {
    const n = BigInt(bytes);
    this.unwrap(
      "cudaMemcpy",
      stream ? this.c.cudaMemcpyAsync(to, from, n, kind, stream.pointer) : this.c.cudaMemcpy(to, from, n, kind),
    );
  }
}

/** Checks a size to allocate: CUDA returns no address for 0 bytes. */
function size(bytes: number): bigint {
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new RangeError(`Cannot allocate ${bytes} bytes`);
  return BigInt(bytes);
}

/** Returns this machine's libcudart, and opens the other libraries. */
function findRuntime(): string {
  if (Deno.build.os === "windows") return "cudart64_13.dll";
  return preloadCudaLibraries().find(({ name }) => name === "CUDA runtime")?.opened ?? "libcudart.so.13";
}
