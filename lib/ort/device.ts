/**
 * Memory that a run keeps from start to end, on the CPU or on a GPU, outside ONNX Runtime's arena: freeing it returns
 * it at once, and a captured CUDA graph cannot alias it.
 *
 * @module
 */

import type { SmallCopies } from "./small_copies.ts";

/** A block of device memory. */
export interface DeviceMemory extends Disposable {
  /** Size, bytes. */
  readonly bytes: number;
  /** Its address. */
  readonly pointer: Deno.PointerObject;
}

/** Where tensors live. All work and copies of one device are ordered in one stream. */
export interface Device extends Disposable {
  readonly kind: "cpu" | "cuda";
  /** CUDA's index of the device; 0 on CPU. */
  readonly index: number;
  /** The stream sessions run in; null on CPU. */
  readonly stream: Deno.PointerValue;
  /** Bytes allocated now. */
  readonly allocated: number;
  /** Allocates zeroed memory. @throws {Error} If there is not enough. */
  allocate(bytes: number): DeviceMemory;
  /** Copies host data in, ordered after the work already queued. `data` may be reused at once. */
  write(memory: DeviceMemory, offset: number, data: ArrayBufferView<ArrayBuffer>): void;
  /** Copies out to the host; returns when the data has arrived, and so after the work queued before it. */
  read(memory: DeviceMemory, offset: number, into: ArrayBufferView<ArrayBuffer>): void;
  /** Creates small copies to and from `memory`, of up to `most` bytes each, that do not wait. */
  smallCopies(memory: DeviceMemory, most: number): SmallCopies;
  /** Sets all bytes to zero, ordered after the work already queued. */
  zero(memory: DeviceMemory): void;
  /** Waits for all queued work. */
  synchronize(): void;
}

/** Returns the bytes of a view. */
export function bytesOf(view: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Checks a size to allocate. @throws {RangeError} If it is not a whole number of bytes. */
export function checkSize(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`Cannot allocate ${bytes} bytes`);
}

/** Checks a copy against the memory's bounds, which C code does not. @throws {RangeError} If it goes beyond them. */
export function checkRange(memory: DeviceMemory, offset: number, bytes: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + bytes > memory.bytes) {
    throw new RangeError(`Cannot copy ${bytes} bytes at byte ${offset}: the memory has ${memory.bytes}`);
  }
}
