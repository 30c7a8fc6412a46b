import type { CudaEvent, CudaStream, PinnedBuffer } from "../cuda/memory.ts";
import type { CudaRuntime } from "../cuda/runtime.ts";
import { checkRange, type DeviceMemory } from "./device.ts";
import type { PendingRead, SmallCopies } from "./small_copies.ts";

/** Copies that may be in progress in each direction. */
const UNDER_WAY = 4;

/** Pinned memory for one copy, and the mark after it in the stream. */
interface Slot {
  readonly buffer: PinnedBuffer;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly done: CudaEvent;
}

/**
 * Small copies through pinned memory. For unpinned memory the driver may wait for all work queued before, so a step
 * could not be queued while the previous one runs.
 */
export class CudaCopies implements SmallCopies {
  readonly #in: readonly Slot[];
  readonly #out: readonly Slot[];
  #sent = 0;
  #fetched = 0;

  constructor(
    readonly cuda: CudaRuntime,
    readonly stream: CudaStream,
    readonly memory: DeviceMemory,
    readonly most: number,
  ) {
    const slots = () =>
      Array.from({ length: UNDER_WAY }, (): Slot => {
        const buffer = cuda.mallocHost(most);
        return { buffer, bytes: new Uint8Array(buffer.buffer), done: cuda.createEvent() };
      });
    this.#in = slots();
    this.#out = slots();
  }

  send(offset: number, data: Uint8Array<ArrayBuffer>): void {
    const { cuda, stream, memory } = this;
    checkRange(memory, offset, data.byteLength);
    const { bytes, buffer, done } = this.#in[this.#sent++ % UNDER_WAY]!;
    if (this.#sent > UNDER_WAY) done.synchronize(); // already done if results are taken in time
    bytes.set(data);
    cuda.copyToDeviceFrom(Deno.UnsafePointer.offset(memory.pointer, offset)!, buffer, data.byteLength, stream);
    done.record(stream);
  }

  fetch(offset: number, bytes: number): PendingRead {
    const { cuda, stream, memory } = this;
    checkRange(memory, offset, bytes);
    const slot = this.#out[this.#fetched++ % UNDER_WAY]!;
    cuda.copyToHostInto(slot.buffer, Deno.UnsafePointer.offset(memory.pointer, offset)!, bytes, stream);
    slot.done.record(stream);
    return () => {
      slot.done.synchronize();
      return slot.bytes.slice(0, bytes);
    };
  }

  [Symbol.dispose](): void {
    for (const { buffer, done } of [...this.#in, ...this.#out]) {
      done[Symbol.dispose]();
      buffer[Symbol.dispose]();
    }
  }
}
