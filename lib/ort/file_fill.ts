import { InputError } from "../util/errors.ts";
import { CudaDevice } from "./cuda_device.ts";
import { checkRange, type Device, type DeviceMemory } from "./device.ts";
import { FillBoard } from "./fill_board.ts";
import type { FillOrders } from "./fill_worker.ts";
import { cutPieces, type FileRange } from "./read_pieces.ts";

/**
 * Reads in progress at once, and bytes of each. A thread copies some 6 GB/s from the page cache, and a GPU's bus takes
 * 50. Of 1 to 24 readers and 2 to 16 MiB these were best for an H100 and 16 cores: 24 GB/s.
 */
const READERS = 12, PIECE = 4 * 2 ** 20;

/**
 * Reads files into a device's memory, in a separate thread. The calling thread is free meanwhile to create the session
 * that will use the files.
 *
 * Needs `--allow-ffi`, and `--allow-read` for the files and the thread's source.
 *
 * @example
 * ```ts
 * import { CpuDevice } from "./cpu_device.ts";
 * import { FileFill } from "./file_fill.ts";
 *
 * using device = new CpuDevice();
 * using memory = device.allocate(16);
 * using fill = new FileFill(device, memory, [{ file: "LICENSE", offset: 0, bytes: 11, to: 4 }]);
 * console.log(fill.wait()); // seconds
 * const back = new Uint8Array(16);
 * device.read(memory, 0, back);
 * console.log(new TextDecoder().decode(back.subarray(4, 15))); // MIT License
 * ```
 */
export class FileFill implements Disposable {
  readonly #board = new FillBoard();
  #worker: Worker | undefined;
  #seconds: number | undefined;

  /**
   * Starts reading.
   *
   * @param device The device.
   * @param memory The device's memory: must not be freed or used before the end.
   * @param ranges What goes where, in the order of the files' bytes.
   * @throws {RangeError} If a range does not lie in the memory.
   */
  constructor(
    device: Device,
    memory: DeviceMemory,
    ranges: readonly FileRange[],
    { readers = READERS, piece = PIECE } = {},
  ) {
    for (const { to, bytes } of ranges) checkRange(memory, to, bytes);
    const pieces = cutPieces(ranges, piece);
    const cuda = device instanceof CudaDevice
      ? { cuda: { libraryPath: device.cuda.libraryPath, device: device.index } }
      : {};
    device.synchronize(); // the memory is zeroed in the device's stream, the copies run in another stream
    const orders: FillOrders = {
      board: this.#board.shared,
      pieces,
      memory: Deno.UnsafePointer.value(memory.pointer),
      staging: {
        ...cuda,
        slots: Math.max(1, Math.min(readers, pieces.length)),
        bytes: Math.max(1, ...pieces.map(({ bytes }) => bytes)),
      },
    };
    this.#worker = new Worker(new URL("./fill_worker.ts", import.meta.url), { type: "module" });
    this.#worker.postMessage(orders);
  }

  /**
   * Blocks until everything is read.
   *
   * @returns How long reading took, s, the thread's start not counted.
   * @throws {InputError} If a file could not be read.
   */
  wait(): number {
    if (this.#seconds !== undefined) return this.#seconds;
    if (!this.#worker) throw new TypeError("Cannot wait for a fill that was disposed of, or failed");
    const end = this.#board.wait();
    this.#end();
    if ("seconds" in end) return this.#seconds = end.seconds;
    if (end.name === InputError.name) throw new InputError(end.message);
    throw Object.assign(new Error(end.message), { name: end.name });
  }

  /** Stops the thread, and waits until it no longer uses the memory. */
  [Symbol.dispose](): void {
    if (!this.#worker) return;
    this.#board.stop();
    this.#board.wait();
    this.#end();
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
