import { CudaRuntime } from "../cuda/runtime.ts";
import type { CudaEvent, CudaStream, PinnedBuffer } from "../cuda/memory.ts";

/** Slots of the host's memory from which a device copies. */
export interface Staging extends Disposable {
  readonly slots: number;
  /** Returns a slot's memory, once all copies from it are done. */
  take(slot: number): Uint8Array<ArrayBuffer>;
  /** Starts to copy `bytes` from byte `from` of a slot on. */
  send(slot: number, from: number, to: Deno.PointerObject, bytes: number): void;
  /** Marks that all of the slot's copies have started. */
  sent(slot: number): void;
  /** Waits until everything has arrived. */
  flush(): void;
}

/** What a {@linkcode Staging} is created for; can be sent to another thread. */
export interface StagingOptions {
  /** CUDA's library and the GPU's index; undefined for the CPU. */
  readonly cuda?: { readonly libraryPath: string; readonly device: number };
  readonly slots: number;
  /** Bytes of a slot. */
  readonly bytes: number;
}

/** Creates the slots, on the thread that uses them. */
export function makeStaging({ cuda, slots, bytes }: StagingOptions): Staging {
  return cuda ? new CudaStaging(cuda, slots, bytes) : new CpuStaging(slots, bytes);
}

/** The host is the device: copies are made at once. */
class CpuStaging implements Staging {
  readonly #slots: (Uint8Array<ArrayBuffer> | undefined)[] = [];

  constructor(readonly slots: number, readonly bytes: number) {}

  take(slot: number): Uint8Array<ArrayBuffer> {
    return this.#slots[slot] ??= new Uint8Array(new ArrayBuffer(this.bytes));
  }

  send(slot: number, from: number, to: Deno.PointerObject, bytes: number): void {
    new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(to, bytes)).set(this.take(slot).subarray(from, from + bytes));
  }

  sent(): void {}
  flush(): void {}
  [Symbol.dispose](): void {}
}

interface CudaSlot {
  readonly pinned: PinnedBuffer;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Recorded after the slot's copies. */
  readonly done: CudaEvent;
}

/** Pinned memory, and copies in a separate stream. A slot is allocated when it is first taken: pinning takes time. */
class CudaStaging implements Staging {
  readonly #made = new DisposableStack();
  readonly #cuda: CudaRuntime;
  readonly #stream: CudaStream;
  readonly #slots: (CudaSlot | undefined)[] = [];

  constructor(
    { libraryPath, device }: NonNullable<StagingOptions["cuda"]>,
    readonly slots: number,
    readonly bytes: number,
  ) {
    this.#cuda = this.#made.use(new CudaRuntime(libraryPath));
    this.#cuda.setDevice(device); // every thread has its own current GPU
    this.#stream = this.#made.use(this.#cuda.createStream());
  }

  take(slot: number): Uint8Array<ArrayBuffer> {
    const known = this.#slots[slot];
    if (known) {
      known.done.synchronize();
      return known.bytes;
    }
    const pinned = this.#made.use(this.#cuda.mallocHost(this.bytes));
    const done = this.#made.use(this.#cuda.createEvent());
    const made = this.#slots[slot] = { pinned, bytes: new Uint8Array(pinned.buffer), done };
    return made.bytes;
  }

  send(slot: number, from: number, to: Deno.PointerObject, bytes: number): void {
    this.#cuda.copyToDeviceFrom(to, this.#slots[slot]!.pinned, bytes, this.#stream, from);
  }

  sent(slot: number): void {
    this.#slots[slot]!.done.record(this.#stream);
  }

  flush(): void {
    this.#stream.synchronize();
  }

  [Symbol.dispose](): void {
    this.#made.dispose();
  }
}
