import { type DType, DTYPES } from "../dtype.ts";
import { cString } from "./_c.ts";
import type { Device, DeviceMemory } from "./device.ts";
import type { Ort } from "./ort.ts";

const OrtDeviceAllocator = 0;
const OrtMemTypeDefault = 0;

/** A tensor over memory that someone else owns: a type, a shape, a place. */
export class Value implements Disposable {
  private constructor(
    readonly handle: Deno.PointerObject,
    readonly dtype: DType,
    readonly shape: readonly number[],
    readonly release: () => void,
  ) {}

  /**
   * A view of `memory` from `offset` bytes on.
   *
   * @throws {RangeError} If the shape does not fit in the memory.
   */
  static of(
    ort: Ort,
    device: Device,
    memory: DeviceMemory,
    dtype: DType,
    shape: readonly number[],
    offset = 0,
  ): Value {
    const bytes = shape.reduce((a, b) => a * b, DTYPES[dtype].bytes);
    if (offset < 0 || offset + bytes > memory.bytes) {
      throw new RangeError(
        `Cannot view ${dtype}[${shape}] at byte ${offset}: ${bytes} bytes do not fit in ${memory.bytes}`,
      );
    }
    const name = cString(device.kind === "cpu" ? "Cpu" : "Cuda");
    const info = ort.create((out) =>
      ort.c.CreateMemoryInfo(name, OrtDeviceAllocator, device.index, OrtMemTypeDefault, out)
    );
    const start = Deno.UnsafePointer.offset(memory.pointer, offset);
    const handle = ort.create((out) =>
      ort.c.CreateTensorWithDataAsOrtValue(
        info,
        start,
        BigInt(bytes),
        BigInt64Array.from(shape, BigInt),
        BigInt(shape.length),
        DTYPES[dtype].onnx,
        out,
      )
    );
    ort.c.ReleaseMemoryInfo(info);
    return new Value(handle, dtype, shape, () => ort.c.ReleaseValue(handle));
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
