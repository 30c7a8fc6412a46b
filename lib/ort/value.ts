import { type DType, DTYPES } from "../util/dtype.ts";
import { cString } from "./_c.ts";
import { Handle } from "./_handle.ts";
import type { Device, DeviceMemory } from "./device.ts";
import type { Ort } from "./ort.ts";

const OrtDeviceAllocator = 0;
const OrtMemTypeDefault = 0;

/**
 * A tensor over memory that it does not own: a type, a shape, an offset. The memory must not be freed before the
 * tensor, which keeps it reachable.
 *
 * @example
 * ```ts
 * import { CpuDevice } from "./cpu_device.ts";
 * import { findOnnxRuntime } from "./find.ts";
 * import { Ort } from "./ort.ts";
 * import { Value } from "./value.ts";
 *
 * const ort = new Ort(findOnnxRuntime().libraryPath);
 * using device = new CpuDevice();
 * using memory = device.allocate(64);
 * using secondHalf = Value.of(ort, device, memory, "float32", [2, 4], 32);
 * console.log(secondHalf.shape); // [ 2, 4 ]
 * ```
 */
export class Value implements Disposable {
  readonly #handle: Handle;

  private constructor(handle: Handle, readonly dtype: DType, readonly shape: readonly number[]) {
    this.#handle = handle;
  }

  /**
   * Creates a view of `memory` from `offset` bytes on.
   *
   * @param ort The library.
   * @param device What the memory was allocated on.
   * @param memory The memory.
   * @param dtype Element type.
   * @param shape Dimensions.
   * @param offset Where the first element is, bytes; a multiple of the element's size.
   * @throws {RangeError} If the view goes beyond the memory: C code would not notice.
   */
  static of(
    ort: Ort,
    device: Device,
    memory: DeviceMemory,
    dtype: DType,
    shape: readonly number[],
    offset = 0,
  ): Value {
    const element = DTYPES[dtype].bytes;
    const bytes = shape.reduce((a, b) => a * b, element);
    const fail = (why: string): never => {
      throw new RangeError(`Cannot view ${dtype}[${shape}] at byte ${offset}: ${why}`);
    };
    if (![...shape, offset].every((n) => Number.isSafeInteger(n) && n >= 0)) {
      fail("sizes and offset must be whole numbers from 0 on");
    }
    if (offset % element) fail(`it is no multiple of ${element}`);
    if (!(offset + bytes <= memory.bytes)) fail(`${bytes} bytes do not fit in ${memory.bytes}`);
    const { c } = ort;
    const name = cString(device.kind === "cpu" ? "Cpu" : "Cuda");
    const info = ort.create((out) =>
      c.CreateMemoryInfo(name, OrtDeviceAllocator, device.index, OrtMemTypeDefault, out)
    );
    try {
      const pointer = ort.create((out) =>
        c.CreateTensorWithDataAsOrtValue(
          info,
          Deno.UnsafePointer.offset(memory.pointer, offset),
          BigInt(bytes),
          BigInt64Array.from(shape, BigInt),
          BigInt(shape.length),
          DTYPES[dtype].onnx,
          out,
        )
      );
      const held = [memory];
      const handle = new Handle("a value", pointer, (pointer) => {
        c.ReleaseValue(pointer);
        held.length = 0; // keeps the memory reachable until here
      });
      return new Value(handle, dtype, shape);
    } finally {
      c.ReleaseMemoryInfo(info);
    }
  }

  /** The `OrtValue*`. @throws {TypeError} If the value was disposed of. */
  get handle(): Deno.PointerObject {
    return this.#handle.pointer;
  }

  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }
}
