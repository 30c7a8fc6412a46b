import { bytesOf, checkRange, checkSize, type Device, type DeviceMemory } from "./device.ts";
import type { SmallCopies } from "./small_copies.ts";

/** Alignment of blocks, bytes: a cache line, as in ORT's own allocations. */
const ALIGNMENT = 64;

class CpuMemory implements DeviceMemory {
  readonly pointer: Deno.PointerObject;
  readonly data: Uint8Array<ArrayBuffer>;

  constructor(readonly bytes: number, readonly free: (memory: CpuMemory) => void) {
    // An ArrayBuffer: the bytes of a small Uint8Array created by length may lie in V8's heap, which moves them.
    const room = arrayBuffer(bytes + ALIGNMENT);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(room));
    const skip = -address & BigInt(ALIGNMENT - 1);
    this.data = new Uint8Array(room, Number(skip), bytes);
    this.pointer = Deno.UnsafePointer.create(address + skip)!;
  }

  [Symbol.dispose]() {
    this.free(this);
  }
}

function arrayBuffer(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw new RangeError(`Cannot allocate ${bytes} bytes of the host's memory: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The host's memory. Everything is synchronous.
 *
 * @example
 * ```ts
 * import { CpuDevice } from "./cpu_device.ts";
 *
 * using device = new CpuDevice();
 * using memory = device.allocate(8);
 * device.write(memory, 4, Float32Array.of(1.5));
 * const back = new Float32Array(2);
 * device.read(memory, 0, back);
 * console.log(back); // Float32Array(2) [ 0, 1.5 ]
 * ```
 */
export class CpuDevice implements Device {
  readonly kind = "cpu";
  readonly index = 0;
  readonly stream = null;
  /** Also keeps the memory reachable while C code knows its address. */
  readonly #live = new Set<DeviceMemory>();
  #allocated = 0;

  get allocated(): number {
    return this.#allocated;
  }

  allocate(bytes: number): DeviceMemory {
    checkSize(bytes);
    const memory = new CpuMemory(bytes, (memory) => {
      if (this.#live.delete(memory)) this.#allocated -= bytes;
    });
    this.#live.add(memory);
    this.#allocated += bytes;
    return memory;
  }

  write(memory: DeviceMemory, offset: number, data: ArrayBufferView<ArrayBuffer>): void {
    checkRange(memory, offset, data.byteLength);
    this.#dataOf(memory).set(bytesOf(data), offset);
  }

  read(memory: DeviceMemory, offset: number, into: ArrayBufferView<ArrayBuffer>): void {
    checkRange(memory, offset, into.byteLength);
    bytesOf(into).set(this.#dataOf(memory).subarray(offset, offset + into.byteLength));
  }

  smallCopies(memory: DeviceMemory): SmallCopies {
    return {
      send: (offset, data) => this.write(memory, offset, data),
      fetch: (offset, bytes) => {
        const data = new Uint8Array(bytes);
        this.read(memory, offset, data);
        return () => data;
      },
      [Symbol.dispose]: () => {},
    };
  }

  zero(memory: DeviceMemory): void {
    this.#dataOf(memory).fill(0);
  }

  synchronize(): void {}

  [Symbol.dispose](): void {
    this.#live.clear();
    this.#allocated = 0;
  }

  #dataOf(memory: DeviceMemory): Uint8Array<ArrayBuffer> {
    if (!this.#live.has(memory)) throw new TypeError("Cannot use memory: it was freed, or is another device's");
    return (memory as CpuMemory).data;
  }
}
