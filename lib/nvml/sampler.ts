import { ConditionBoard } from "./condition_board.ts";
import type { GpuConditions } from "./conditions.ts";
import { Nvml } from "./nvml.ts";
import { SampleBoard } from "./sample_board.ts";
import type { SamplerNews, SamplerOrders } from "./sampler_worker.ts";
import type { NvmlDevice } from "./device.ts";

/** Settings of {@linkcode VramSampler.start}. */
export interface SamplerOptions {
  /** Picks the GPU, such as `(nvml) => nvml.deviceByPciBusId(id)` with the id CUDA knows it by. */
  readonly device: (nvml: Nvml) => NvmlDevice;
  /** Path of NVML's library; the driver's unless given. */
  readonly libraryPath?: string;
  /** The process to measure; this one unless given. */
  readonly pid?: number;
  /** Shortest time between samples, ms; 2 unless given. Longer if a sample would take over 0.7 % of it. */
  readonly intervalMs?: number;
}

/**
 * Measures the GPU memory this process holds, in a separate thread: FFI calls block the main thread, so it could not
 * sample while the model runs. Errors of NVML never stop a run: the figures are then null and
 * {@linkcode VramSampler.reason} says why.
 *
 * If NVML does not list this process (in some containers), the figure is the memory in use on the whole GPU minus that
 * when sampling began: then `method` is "device", and other processes on the GPU distort it. Either way, a model's
 * memory is a figure minus {@linkcode VramSampler.currentBytes} from before it was loaded.
 *
 * Needs `--allow-ffi`, and `--allow-read` for the worker's source.
 *
 * @example
 * ```ts ignore
 * import { VramSampler } from "./sampler.ts";
 *
 * await using sampler = await VramSampler.start({ device: (nvml) => nvml.deviceByIndex(0) });
 * const before = sampler.currentBytes;
 * // … load the model
 * sampler.resetPeak();
 * // … generate
 * console.log(sampler.method, sampler.peakBytes! - before!); // "process" 6123683840
 * ```
 */
export class VramSampler implements AsyncDisposable {
  readonly #board = new SampleBoard();
  readonly #conditions = new ConditionBoard();
  #reason: string | null = null;
  #nvml: Nvml | null = null;
  #device: NvmlDevice | null = null;
  #worker: Worker | null = null;
  #ended: Promise<void> = Promise.resolve();
  #pid = Deno.pid;
  /** In use on the GPU when sampling began, bytes. */
  #base = 0;
  #startedAt = performance.now();
  #stoppedAt: number | null = null;

  private constructor() {}

  /**
   * Starts sampling. Never rejects: without a GPU, a driver or the permission, the sampler has a `reason`.
   *
   * @param options The GPU, and for tests the library and the process.
   * @returns The sampler, running or with a `reason`.
   */
  static async start(options: SamplerOptions): Promise<VramSampler> {
    const sampler = new VramSampler();
    try {
      await sampler.#start(options);
    } catch (error) {
      await sampler.#giveUp(error instanceof Error ? error.message : String(error));
    }
    return sampler;
  }

  /** What the figures are: this process's by NVML, the GPU's over what was in use at the start, or nothing. */
  get method(): "process" | "device" | "unavailable" {
    return this.reason !== null ? "unavailable" : this.#board.processSeen ? "process" : "device";
  }

  /** Why there are no figures; null if there are. */
  get reason(): string | null {
    return this.#reason ?? (this.#board.failed ? "NVML failed while it was sampled" : null);
  }

  /** Memory held now, bytes; null if unavailable. */
  get currentBytes(): number | null {
    this.#sampleHere();
    return this.#figure((of) => this.#board.now(of));
  }

  /** Most memory held since the start or the last {@linkcode resetPeak}, bytes; null if unavailable. */
  get peakBytes(): number | null {
    this.#sampleHere();
    return this.#figure((of) => this.#board.peak(of));
  }

  /** Begins a new peak, from what is held now. */
  resetPeak(): void {
    this.#board.reset();
    this.#sampleHere();
  }

  /**
   * Begins to sample what the GPU does: clocks, power, temperature, and who else computes on it. Call it while nothing
   * is timed and a CUDA context exists.
   */
  beginConditions(): void {
    this.#conditions.begin();
  }

  /**
   * Ends what {@linkcode beginConditions} began.
   *
   * @returns What the GPU did, as far as it was sampled: about every 50 ms, less often where NVML is slow. Null if GPU
   * memory is not sampled either; see {@linkcode reason}.
   */
  endConditions(): GpuConditions | null {
    const conditions = this.#conditions.end();
    return this.reason === null ? conditions : null;
  }

  /** Samples of memory taken. */
  get samples(): number {
    return this.#board.samples;
  }

  /** Share of the time that the sampling thread spends in NVML, 0..1. */
  get cost(): number {
    const seconds = ((this.#stoppedAt ?? performance.now()) - this.#startedAt) / 1000;
    return seconds > 0 ? this.#board.busySeconds / seconds : 0;
  }

  /** Ends the thread; the last figures stay readable. */
  async stop(): Promise<void> {
    if (this.#worker === null) return;
    this.#sampleHere();
    this.#stoppedAt = performance.now();
    this.#board.stop();
    await this.#ended;
    this.#close();
  }

  /** {@linkcode stop} */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start({ device, libraryPath, pid = Deno.pid, intervalMs = 2 }: SamplerOptions): Promise<void> {
    this.#nvml = new Nvml(libraryPath);
    this.#device = device(this.#nvml);
    this.#pid = pid;
    this.#base = this.#device.memory().used;
    this.#sampleHere();
    const worker = this.#worker = new Worker(new URL("./sampler_worker.ts", import.meta.url), { type: "module" });
    const running = Promise.withResolvers<void>(), ended = Promise.withResolvers<void>();
    this.#ended = ended.promise;
    const failed = (reason: string) => {
      this.#reason ??= `Cannot sample GPU memory: ${reason}`;
      running.reject(new Error(this.#reason));
      ended.resolve();
    };
    worker.onerror = (event) => {
      event.preventDefault(); // or it would end the process
      failed(event.message);
    };
    worker.onmessage = ({ data }: MessageEvent<SamplerNews>) => {
      if (data.state === "running") running.resolve();
      else if (data.state === "failed") failed(data.reason);
      else ended.resolve();
    };
    worker.postMessage(
      {
        board: this.#board.buffer,
        conditions: this.#conditions.buffer,
        libraryPath: this.#nvml.libraryPath,
        uuid: this.#device.uuid,
        pid,
        intervalMs,
      } satisfies SamplerOrders,
    );
    this.#startedAt = performance.now();
    await running.promise;
  }

  /** Takes a sample in this thread, so that a requested figure is current and a reset has one at once. */
  #sampleHere(): void {
    if (this.#device === null || this.reason !== null) return;
    try {
      const epochs = this.#board.epochs();
      this.#board.add(
        { process: this.#device.processBytes(this.#pid), device: this.#device.memory().used },
        epochs,
      );
    } catch (error) {
      this.#reason = `Cannot sample GPU memory: ${(error as Error).message}`;
    }
  }

  #figure(get: (of: "process" | "device") => number): number | null {
    if (this.method === "unavailable") return null;
    return this.method === "process" ? get("process") : Math.max(0, get("device") - this.#base);
  }

  async #giveUp(reason: string): Promise<void> {
    this.#reason ??= reason;
    this.#board.stop();
    await this.#ended;
    this.#close();
  }

  #close(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#device = null;
    this.#nvml?.[Symbol.dispose]();
    this.#nvml = null;
  }
}
