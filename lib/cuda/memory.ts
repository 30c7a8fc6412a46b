import { type CUDART_SYMBOLS, STREAM_NON_BLOCKING } from "./symbols.ts";

/** The parts of {@linkcode CudaRuntime} that these classes use. */
export interface CudaCalls {
  readonly c: Deno.DynamicLibrary<typeof CUDART_SYMBOLS>["symbols"];
  /** Throws if a `cudaError_t` is not 0. */
  unwrap(call: string, code: number): void;
  /** Returns the pointer that a call writes to a `void**`. */
  create(call: string, make: (out: BigUint64Array<ArrayBuffer>) => number): Deno.PointerObject;
}

/** Memory on the GPU, from cudaMalloc. */
export class DeviceBuffer implements Disposable {
  #cuda: CudaCalls | null;
  /** Takes what {@linkcode CudaRuntime.malloc} allocated: the address and the size in bytes. */
  constructor(cuda: CudaCalls, readonly pointer: Deno.PointerObject, readonly byteLength: number) {
    this.#cuda = cuda;
  }

  /** Returns the address `offset` bytes in. @throws {RangeError} If it is outside. */
  at(offset: number): Deno.PointerObject {
    if (!(offset >= 0 && offset < this.byteLength)) {
      throw new RangeError(`Cannot point at byte ${offset} of ${this.byteLength}`);
    }
    return Deno.UnsafePointer.offset(this.pointer, offset)!;
  }

  /** Frees the memory, once; waits for the GPU's work (cudaFree does). */
  [Symbol.dispose](): void {
    const cuda = this.#cuda;
    this.#cuda = null;
    cuda?.unwrap("cudaFree", cuda.c.cudaFree(this.pointer));
  }
}

/** Pinned memory on the host, from cudaMallocHost: the GPU copies to and from it without the CPU. */
export class PinnedBuffer implements Disposable {
  #cuda: CudaCalls | null;
  /** The memory. Do not use it after disposal. */
  readonly buffer: ArrayBuffer;
  /** Takes what {@linkcode CudaRuntime.mallocHost} allocated: the address and the size in bytes. */
  constructor(cuda: CudaCalls, readonly pointer: Deno.PointerObject, readonly byteLength: number) {
    this.#cuda = cuda;
    this.buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, byteLength);
  }

  /** Frees the memory, once. */
  [Symbol.dispose](): void {
    const cuda = this.#cuda;
    this.#cuda = null;
    cuda?.unwrap("cudaFreeHost", cuda.c.cudaFreeHost(this.pointer));
  }
}

/** A queue of work for the GPU. */
export class CudaStream implements Disposable {
  #cuda: CudaCalls;
  #open = true;
  /** The `cudaStream_t`. */
  readonly pointer: Deno.PointerObject;

  /** Creates a stream; see {@linkcode CudaRuntime.createStream}. */
  constructor(cuda: CudaCalls) {
    this.#cuda = cuda;
    this.pointer = cuda.create(
      "cudaStreamCreateWithFlags",
      (out) => cuda.c.cudaStreamCreateWithFlags(out, STREAM_NON_BLOCKING),
    );
  }

  /** Waits for the work queued so far. */
  synchronize(): void {
    this.#cuda.unwrap("cudaStreamSynchronize", this.#cuda.c.cudaStreamSynchronize(this.pointer));
  }

  /** Destroys the stream, once; work already queued is still done. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#cuda.unwrap("cudaStreamDestroy", this.#cuda.c.cudaStreamDestroy(this.pointer));
  }
}

/** A mark in a stream, with the time at which the GPU reached it. */
export class CudaEvent implements Disposable {
  #cuda: CudaCalls;
  #open = true;
  /** The `cudaEvent_t`. */
  readonly pointer: Deno.PointerObject;

  /** Creates an event; see {@linkcode CudaRuntime.createEvent}. */
  constructor(cuda: CudaCalls) {
    this.#cuda = cuda;
    this.pointer = cuda.create("cudaEventCreate", (out) => cuda.c.cudaEventCreate(out));
  }

  /** Marks the place after the work queued so far; in the default stream unless one is given. */
  record(stream?: CudaStream): void {
    this.#cuda.unwrap("cudaEventRecord", this.#cuda.c.cudaEventRecord(this.pointer, stream?.pointer ?? null));
  }

  /** Waits until the GPU has reached the mark. */
  synchronize(): void {
    this.#cuda.unwrap("cudaEventSynchronize", this.#cuda.c.cudaEventSynchronize(this.pointer));
  }

  /** Returns the time from an earlier mark to this one, s; resolution about 0.5 us. Both must have been reached. */
  secondsSince(earlier: CudaEvent): number {
    const ms = new Float32Array(1);
    this.#cuda.unwrap(
      "cudaEventElapsedTime",
      this.#cuda.c.cudaEventElapsedTime(ms, earlier.pointer, this.pointer),
    );
    return ms[0]! / 1000;
  }

  /** Destroys the event, once. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#cuda.unwrap("cudaEventDestroy", this.#cuda.c.cudaEventDestroy(this.pointer));
  }
}
