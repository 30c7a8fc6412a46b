/**
 * Figures that a {@linkcode SampleBoard} holds, by index in its BigInt64Array. A peak is packed with the number of the
 * measurement it belongs to, so that a sample taken before a reset can never count after it.
 */
const PROCESS_PEAK = 0, DEVICE_PEAK = 1, PROCESS_NOW = 2, DEVICE_NOW = 3, SAMPLES = 4, BUSY_US = 5, PLACES = 6;
/** Bits of a peak that hold bytes: 256 TiB. */
const BYTES = 48n, BYTES_MASK = (1n << BYTES) - 1n, EPOCHS = 1n << 15n;

/** The sampler's state, in the Int32Array after the figures. */
const STOP = 0, FAILED = 1, PROCESS_SEEN = 2, WORDS = 4;

/** One sample of the GPU's memory, bytes. */
export interface Sample {
  /** Memory that this process holds; null if NVML does not report it. */
  readonly process: number | null;
  /** Memory in use on the GPU. */
  readonly device: number;
}

/**
 * Shared memory between the thread that runs the model and the one that samples: neither ever waits for the other's
 * event loop, which a blocking FFI call stops.
 *
 * @example
 * ```ts
 * import { SampleBoard } from "./sample_board.ts";
 *
 * const board = new SampleBoard();
 * board.add({ process: 100, device: 500 }, board.epochs());
 * board.reset();
 * board.add({ process: 80, device: 480 }, board.epochs());
 * console.log(board.peak("process")); // 80
 * ```
 */
export class SampleBoard {
  /** The memory, to be posted to a worker. */
  readonly buffer: SharedArrayBuffer;
  readonly #figures: BigInt64Array<SharedArrayBuffer>;
  readonly #state: Int32Array<SharedArrayBuffer>;

  /** Makes a board, or opens the one another thread made. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(PLACES * 8 + WORDS * 4)) {
    this.buffer = buffer;
    this.#figures = new BigInt64Array(buffer, 0, PLACES);
    this.#state = new Int32Array(buffer, PLACES * 8, WORDS);
  }

  /** Read it before a sample, and pass it to {@linkcode add} with the sample. */
  epochs(): [bigint, bigint] {
    return [this.#load(PROCESS_PEAK) >> BYTES, this.#load(DEVICE_PEAK) >> BYTES];
  }

  /** Counts a sample, unless there was a reset since its `epochs`. `busyUs`: how long it took, us. */
  add(sample: Sample, epochs: [bigint, bigint], busyUs = 0): void {
    if (sample.process !== null) {
      Atomics.store(this.#state, PROCESS_SEEN, 1);
      Atomics.store(this.#figures, PROCESS_NOW, BigInt(sample.process));
      this.#raise(PROCESS_PEAK, BigInt(sample.process), epochs[0]);
    }
    Atomics.store(this.#figures, DEVICE_NOW, BigInt(sample.device));
    this.#raise(DEVICE_PEAK, BigInt(sample.device), epochs[1]);
    Atomics.add(this.#figures, SAMPLES, 1n);
    Atomics.add(this.#figures, BUSY_US, BigInt(Math.round(busyUs)));
  }

  /** Forgets the peaks. */
  reset(): void {
    for (const place of [PROCESS_PEAK, DEVICE_PEAK]) {
      const epoch = ((this.#load(place) >> BYTES) + 1n) % EPOCHS;
      Atomics.store(this.#figures, place, epoch << BYTES);
    }
  }

  /** Highest figure since the last reset, bytes. */
  peak(of: keyof Sample): number {
    return Number(this.#load(of === "process" ? PROCESS_PEAK : DEVICE_PEAK) & BYTES_MASK);
  }

  /** The latest figure, bytes. */
  now(of: keyof Sample): number {
    return Number(this.#load(of === "process" ? PROCESS_NOW : DEVICE_NOW));
  }

  /** Samples taken, by both threads. */
  get samples(): number {
    return Number(this.#load(SAMPLES));
  }

  /** Time the samples took, s. */
  get busySeconds(): number {
    return Number(this.#load(BUSY_US)) / 1e6;
  }

  /** Whether NVML ever reported this process's own memory. */
  get processSeen(): boolean {
    return Atomics.load(this.#state, PROCESS_SEEN) === 1;
  }

  /** Whether the sampling thread gave up. */
  get failed(): boolean {
    return Atomics.load(this.#state, FAILED) === 1;
  }

  /** Records that sampling failed. */
  fail(): void {
    Atomics.store(this.#state, FAILED, 1);
  }

  /** Asks the sampling thread to end, and wakes it. */
  stop(): void {
    Atomics.store(this.#state, STOP, 1);
    Atomics.notify(this.#state, STOP);
  }

  /** Sleeps; called by the sampling thread. Returns false when that thread must end. */
  sleep(milliseconds: number): boolean {
    Atomics.wait(this.#state, STOP, 0, milliseconds);
    return Atomics.load(this.#state, STOP) === 0;
  }

  #load(place: number): bigint {
    return Atomics.load(this.#figures, place);
  }

  #raise(place: number, bytes: bigint, epoch: bigint): void {
    for (let old = this.#load(place); (old >> BYTES) === epoch && bytes > (old & BYTES_MASK);) {
      const seen = Atomics.compareExchange(this.#figures, place, old, (epoch << BYTES) | bytes);
      if (seen === old) return;
      old = seen;
    }
  }
}
