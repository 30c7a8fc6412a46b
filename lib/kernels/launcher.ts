import { gunzipSync } from "node:zlib";
import { CudaDriver, type CudaModule, type Launch } from "../cuda/driver.ts";
import type { Device, DeviceMemory } from "../ort/device.ts";
import type { FloatType } from "../util/dtype.ts";
import { WARP } from "./constants.ts";
import { ptxPath, type Unit } from "./ptx_files.ts";

/** Launches compiled kernels by name. */
export interface KernelLauncher extends Disposable {
  /** Multiprocessors of the GPU. */
  readonly multiprocessors: number;
  /** Most shared memory of a block, bytes. */
  readonly sharedMemory: number;
  /** Queues a kernel. */
  launch(name: string, launch: Launch): void;
}

/** The kernels of a unit, compiled for the current GPU. */
export class CudaLauncher implements KernelLauncher {
  readonly #module: CudaModule;
  readonly #driver: CudaDriver;

  /**
   * Compiles the kernels.
   *
   * @throws {InputError} If the driver is missing.
   * @throws {CudaError} If the driver cannot compile them.
   */
  constructor(dtype: FloatType, unit: Unit) {
    this.#driver = new CudaDriver();
    const target = this.#driver.capability.major >= 9 ? 90 : 80;
    const path = ptxPath(dtype, target, unit);
    this.#module = this.#driver.load(new TextDecoder().decode(gunzipSync(Deno.readFileSync(path))));
  }

  get multiprocessors(): number {
    return this.#driver.multiprocessors;
  }

  get sharedMemory(): number {
    return this.#driver.sharedMemory;
  }

  launch(name: string, launch: Launch): void {
    this.#module.kernel(name).launch(launch);
  }

  [Symbol.dispose](): void {
    this.#module[Symbol.dispose]();
    this.#driver[Symbol.dispose]();
  }
}

/** Memory that the blocks of a kernel share, by name: allocated zeroed on first use, and again if more is needed. */
export class Scratch implements Disposable {
  readonly #memory = new Map<string, DeviceMemory>();
  /** Memory that a larger block has replaced; graphs captured before still use it. */
  readonly #outgrown: DeviceMemory[] = [];

  constructor(readonly device: Device) {}

  /** Returns at least so many bytes. */
  take(name: string, bytes: number): Deno.PointerObject {
    let memory = this.#memory.get(name);
    if (!memory || memory.bytes < bytes) {
      if (memory) this.#outgrown.push(memory);
      this.#memory.set(name, memory = this.device.allocate(bytes));
    }
    return memory.pointer;
  }

  [Symbol.dispose](): void {
    for (const memory of [...this.#memory.values(), ...this.#outgrown]) memory[Symbol.dispose]();
  }
}

/**
 * Returns the entries that a block of attention takes: few enough that all multiprocessors have work, within bounds. It
 * follows from the capacity, so it is the same for every pass over a cache.
 *
 * @example
 * ```ts
 * import { chunkOf } from "./launcher.ts";
 *
 * console.log(chunkOf({ kvHeads: 32, capacity: 2000 }, 132), chunkOf({ kvHeads: 8, capacity: 2000 }, 132)); // 256 128
 * ```
 */
export function chunkOf(a: { readonly kvHeads: number; readonly capacity: number }, multiprocessors: number): number {
  const fair = Math.ceil(a.capacity * a.kvHeads / multiprocessors / WARP) * WARP;
  return Math.min(256, Math.max(128, fair));
}
