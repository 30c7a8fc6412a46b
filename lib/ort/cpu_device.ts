import { bytesOf, type Device, type DeviceMemory } from "./device.ts";

class CpuMemory implements DeviceMemory {
  readonly pointer: Deno.PointerObject;
  readonly data: Uint8Array<ArrayBuffer>;
  constructor(readonly bytes: number, readonly free: () => void) {
    // 64 bytes more, so that the block can begin on a cache line as ORT's own allocations do.
    const room = new Uint8Array(bytes + 64);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(room));
    const skip = Number((64n - (address % 64n)) % 64n);
    this.data = room.subarray(skip, skip + bytes);
    this.pointer = Deno.UnsafePointer.of(this.data) ?? Deno.UnsafePointer.of(room)!;
  }
  [Symbol.dispose]() {
    this.free();
  }
}

/** The host's memory. Everything is synchronous. */
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
    const memory: DeviceMemory = new CpuMemory(bytes, () => {
      if (this.#live.delete(memory)) this.#allocated -= bytes;
    });
    this.#live.add(memory);
    this.#allocated += bytes;
    return memory;
  }

  write(memory: DeviceMemory, offset: number, data: ArrayBufferView<ArrayBuffer>): void {
    (memory as CpuMemory).data.set(bytesOf(data), offset);
  }

  read(memory: DeviceMemory, offset: number, into: ArrayBufferView<ArrayBuffer>): void {
    bytesOf(into).set((memory as CpuMemory).data.subarray(offset, offset + into.byteLength));
  }

  zero(memory: DeviceMemory): void {
    (memory as CpuMemory).data.fill(0);
  }

  synchronize(): void {}

  [Symbol.dispose](): void {
    this.#live.clear();
  }
}
