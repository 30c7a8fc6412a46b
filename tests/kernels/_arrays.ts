/** Arrays in the memory of the CPU as kernels take them: of the kernels' type, float32 or int64. */
import { roundTo } from "../../lib/model/step/round.ts";
import { CpuDevice } from "../../lib/ort/cpu_device.ts";
import type { DeviceMemory } from "../../lib/ort/device.ts";
import { DTYPES, type FloatType } from "../../lib/util/dtype.ts";
import { seededRandom } from "../../lib/util/random.ts";

/** An array in memory. */
export interface Stored {
  readonly pointer: Deno.PointerObject;
  /** Its bytes now. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** Its numbers now. */
  numbers(): number[];
}

/** Makes arrays of a type; the same seed makes the same numbers. */
export class Arrays implements Disposable {
  readonly device = new CpuDevice();
  readonly #random: () => number;

  constructor(readonly dtype: FloatType, seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A place `elements` of the type after the beginning. */
  at(array: { readonly pointer: Deno.PointerObject }, elements: number): Deno.PointerObject {
    return Deno.UnsafePointer.offset(array.pointer, elements * DTYPES[this.dtype].bytes) as Deno.PointerObject;
  }

  /** Numbers between -scale and scale. */
  random(count: number, scale = 1, dtype = this.dtype): Stored {
    return this.of(Array.from({ length: count }, () => scale * (2 * this.#random() - 1)), dtype);
  }

  /** Zeros; so that what was not written shows, NaN with `unset`. */
  empty(count: number, dtype: FloatType | "int64" = this.dtype, unset = false): Stored {
    const memory = this.device.allocate(count * DTYPES[dtype].bytes);
    if (unset) this.device.write(memory, 0, new Uint8Array(memory.bytes).fill(0xff));
    return this.#stored(memory, dtype);
  }

  of(numbers: readonly number[], dtype: FloatType | "int64" = this.dtype): Stored {
    const memory = this.device.allocate(numbers.length * DTYPES[dtype].bytes);
    this.device.write(memory, 0, encoded(numbers, dtype));
    return this.#stored(memory, dtype);
  }

  #stored(memory: DeviceMemory, dtype: FloatType | "int64"): Stored {
    const bytes = () => {
      const copy = new Uint8Array(memory.bytes);
      this.device.read(memory, 0, copy);
      return copy;
    };
    return { pointer: memory.pointer, bytes, numbers: () => decoded(bytes(), dtype) };
  }

  [Symbol.dispose](): void {
    this.device[Symbol.dispose]();
  }
}

function encoded(numbers: readonly number[], dtype: FloatType | "int64"): ArrayBufferView<ArrayBuffer> {
  if (dtype === "int64") return BigInt64Array.from(numbers, BigInt);
  if (dtype === "float16") return Float16Array.from(numbers);
  if (dtype === "float32") return Float32Array.from(numbers);
  const rounded = Float32Array.from(numbers, (x) => roundTo("bfloat16", x));
  return Uint16Array.from(new Uint32Array(rounded.buffer), (bits) => bits >>> 16);
}

function decoded({ buffer }: Uint8Array<ArrayBuffer>, dtype: FloatType | "int64"): number[] {
  if (dtype === "int64") return Array.from(new BigInt64Array(buffer), Number);
  if (dtype === "float16") return Array.from(new Float16Array(buffer));
  if (dtype === "float32") return Array.from(new Float32Array(buffer));
  return Array.from(new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer));
}
