import { CudaRuntime } from "../cuda/runtime.ts";
import type { CudaStream } from "../cuda/memory.ts";
import { CudaCopies } from "./cuda_copies.ts";
import type { SmallCopies } from "./small_copies.ts";
import { checkRange, checkSize, type Device, type DeviceMemory } from "./device.ts";

/** A GPU's memory, and the one stream that all copies and sessions run in. */
export class CudaDevice implements Device {
  readonly kind = "cuda";
  readonly #stream: CudaStream;
  #allocated = 0;

  /**
   * Selects the GPU for this thread, and creates the context if the GPU has none yet.
   *
   * @throws {InputError} If there is no GPU.
   */
  constructor(readonly cuda: CudaRuntime, readonly index = 0) {
    cuda.setDevice(index);
    this.#stream = cuda.createStream();
  }

  get stream(): Deno.PointerObject {
    return this.#stream.pointer;
  }

  /** PCI bus id of the GPU, such as "0000:04:00.0". */
  get pciBusId(): string {
    return this.cuda.pciBusId(this.index);
  }

  get allocated(): number {
    return this.#allocated;
  }

  allocate(bytes: number): DeviceMemory {
    checkSize(bytes);
    const buffer = this.cuda.malloc(Math.max(1, bytes));
    this.cuda.memset(buffer.pointer, 0, buffer.byteLength, this.#stream);
    this.#allocated += bytes;
    let live = true;
    return {
      bytes,
      pointer: buffer.pointer,
      [Symbol.dispose]: () => {
        if (!live) return;
        live = false;
        this.#allocated -= bytes;
        buffer[Symbol.dispose]();
      },
    };
  }

  write(memory: DeviceMemory, offset: number, data: ArrayBufferView<ArrayBuffer>): void {
    checkRange(memory, offset, data.byteLength);
    this.cuda.copyToDevice(Deno.UnsafePointer.offset(memory.pointer, offset)!, data, this.#stream);
  }

  read(memory: DeviceMemory, offset: number, into: ArrayBufferView<ArrayBuffer>): void {
    checkRange(memory, offset, into.byteLength);
    this.cuda.copyToHost(into, Deno.UnsafePointer.offset(memory.pointer, offset)!, this.#stream);
    this.#stream.synchronize();
  }

  smallCopies(memory: DeviceMemory, most: number): SmallCopies {
    return new CudaCopies(this.cuda, this.#stream, memory, most);
  }

  zero(memory: DeviceMemory): void {
    this.cuda.memset(memory.pointer, 0, memory.bytes, this.#stream);
  }

  synchronize(): void {
    this.#stream.synchronize();
  }

  [Symbol.dispose](): void {
    this.#stream[Symbol.dispose]();
  }
}
