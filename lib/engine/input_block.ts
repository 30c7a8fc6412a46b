import { type DType, DTYPES } from "../util/dtype.ts";
import type { Device, DeviceMemory } from "../ort/device.ts";
import type { PendingRead, SmallCopies } from "../ort/small_copies.ts";
import type { Ort } from "../ort/ort.ts";
import { Value } from "../ort/value.ts";

/** Typed array of an element type. */
type ArrayOf<T extends DType> = T extends "int64" ? BigInt64Array<ArrayBuffer>
  : T extends "int32" ? Int32Array<ArrayBuffer>
  : Float32Array<ArrayBuffer>;

/** An input's type and shape. */
type Field = readonly [dtype: "int64" | "int32" | "float32", shape: readonly number[]];

/**
 * Small values that change from pass to pass, adjacent in one block of memory: a pass costs one copy to the device
 * however many inputs it has. Fill in {@linkcode array}s, then {@linkcode send}.
 */
export class InputBlock<F extends Readonly<Record<string, Field>>> implements Disposable {
  readonly #offsets: Record<string, number> = {};
  readonly #arrays = new Map<string, ArrayOf<"int64" | "int32" | "float32">>();
  readonly #host: Uint8Array<ArrayBuffer>;
  readonly #memory: DeviceMemory;
  readonly #copies: SmallCopies;

  constructor(readonly ort: Ort, readonly device: Device, readonly fields: F) {
    let bytes = 0;
    for (const [name, [dtype, shape]] of Object.entries(fields)) {
      this.#offsets[name] = bytes;
      bytes += Math.ceil(shape.reduce((a, b) => a * b, DTYPES[dtype].bytes) / 8) * 8;
    }
    this.#host = new Uint8Array(bytes);
    this.#memory = device.allocate(bytes);
    this.#copies = device.smallCopies(this.#memory, bytes);
  }

  /** The host side of an input; always the same array. */
  array<N extends keyof F & string>(name: N): ArrayOf<F[N][0]> {
    let array = this.#arrays.get(name);
    if (!array) this.#arrays.set(name, array = this.#make(name));
    return array as ArrayOf<F[N][0]>;
  }

  #make(name: string): ArrayOf<"int64" | "int32" | "float32"> {
    const [dtype, shape] = this.fields[name]!;
    const length = shape.reduce((a, b) => a * b, 1);
    const make = dtype === "int64" ? BigInt64Array : dtype === "int32" ? Int32Array : Float32Array;
    return new make(this.#host.buffer, this.#offsets[name], length);
  }

  /** A field as a tensor on the device, or its first elements in another shape. */
  value(name: keyof F & string, shape: readonly number[] = this.fields[name]![1]): Value {
    return Value.of(this.ort, this.device, this.#memory, this.fields[name]![0], shape, this.#offsets[name]!);
  }

  /** Where a field lies on the device. */
  place(name: keyof F & string): { readonly memory: DeviceMemory; readonly offset: number } {
    return { memory: this.#memory, offset: this.#offsets[name]! };
  }

  /** Copies the host side to the device from a field on, in order with the device's other work. */
  send(from: keyof F & string): void {
    const offset = this.#offsets[from]!;
    this.#copies.send(offset, this.#host.subarray(offset));
  }

  /** Queues a copy of the first bytes to the host. */
  fetch(bytes: number): PendingRead {
    return this.#copies.fetch(0, bytes);
  }

  [Symbol.dispose](): void {
    this.#copies[Symbol.dispose]();
    this.#memory[Symbol.dispose]();
  }
}
