import type { DType } from "../util/dtype.ts";
import { cString, cStrings, outPointer, pointerAt, stringsAt } from "./_c.ts";
import { Handle } from "./_handle.ts";
import { Binding } from "./binding.ts";
import type { CustomOps } from "./custom_ops.ts";
import type { Device, DeviceMemory } from "./device.ts";
import type { Ort } from "./ort.ts";
import { Value } from "./value.ts";

/** A tensor by element type, shape, memory and byte offset, and the device of the memory if it is not the session's. */
export type View = readonly [
  dtype: DType,
  shape: readonly number[],
  memory: DeviceMemory,
  offset: number,
  device?: Device,
];

/** Options of a session. */
export interface SessionOptions {
  /** The folder of the files that external initializers name. */
  weightsFolder?: string;
  /**
   * Threads of this session's CPU provider. If omitted, it shares the process's (see threadsForAll) with other
   * sessions.
   */
  threads?: number;
  /** Allow TensorFloat-32 for float32 on CUDA. Off by default: its 10 bits of mantissa are not float32. */
  tf32?: boolean;
  /** Whether tensors within the graph grow from run to run: on CUDA the arena then takes more than requested. */
  growing?: boolean;
  /** Let bindings of this session be captured as CUDA graphs; every node must run on the GPU then. */
  cudaGraph?: boolean;
  /**
   * Start of the path of a file in which ORT records every node that it runs, and on which device. It is complete once
   * the session is disposed of. Steps replayed as a CUDA graph are not in it.
   */
  profile?: string;
  /** Custom operators in the model; dispose of them after the session. */
  customOps?: CustomOps;
  /**
   * Initializers by name, used in place, instead of what the model says about them: ORT neither reads their bytes from
   * a file nor copies them to its own memory. Dispose of them after the session. They may be filled after it is
   * created, except those that optimizations read: optimizations take them as the model says.
   */
  initializers?: ReadonlyMap<string, Value>;
}

const ORT_ENABLE_ALL = 99;

/**
 * A graph that ORT has loaded for one device.
 *
 * @example
 * ```ts
 * import { Graph } from "../onnx/graph.ts";
 * import { CpuDevice } from "./cpu_device.ts";
 * import { findOnnxRuntime } from "./find.ts";
 * import { Ort } from "./ort.ts";
 * import { Session } from "./session.ts";
 *
 * const g = new Graph("add_one");
 * const x = g.input("x", "float32", ["n"]);
 * g.output("y", g.op("Add", [x, g.scalar(1)]), "float32", ["n"]);
 *
 * using device = new CpuDevice();
 * using session = new Session(new Ort(findOnnxRuntime().libraryPath), device, g.encode());
 * using memory = device.allocate(16);
 * device.write(memory, 0, Float32Array.of(1, 2));
 * session.runOnce({ x: ["float32", [2], memory, 0] }, { y: ["float32", [2], memory, 8] });
 * const numbers = new Float32Array(4);
 * device.read(memory, 0, numbers);
 * console.log(numbers); // Float32Array(4) [ 1, 2, 2, 3 ]
 * ```
 */
export class Session implements Disposable {
  readonly #handle: Handle;
  #captures = 0;

  /**
   * Loads a serialized ONNX model.
   *
   * @param ort The library.
   * @param device Where it runs; inputs and outputs are there too, except those that CUDA kernels take from the host.
   * @param model The model's bytes; may be dropped afterwards.
   * @param options How it is loaded.
   * @throws {OrtError} If ORT rejects it; the message says why. What a custom operator throws is passed on unchanged.
   */
  constructor(
    readonly ort: Ort,
    readonly device: Device,
    model: Uint8Array<ArrayBuffer>,
    readonly options: SessionOptions = {},
  ) {
    const { c } = ort;
    const handle = ort.create((out) => c.CreateSessionOptions(out));
    try {
      ort.check(c.SetSessionGraphOptimizationLevel(handle, ORT_ENABLE_ALL));
      if (options.threads === undefined) ort.check(c.DisablePerSessionThreads(handle));
      else ort.check(c.SetIntraOpNumThreads(handle, options.threads));
      const entries: Record<string, string> = {
        // Weights get blocks of their own size, outside the arena.
        "session.use_device_allocator_for_initializers": "1",
        ...(options.weightsFolder
          ? { "session.model_external_initializers_file_folder_path": options.weightsFolder }
          : {}),
      };
      for (const [key, value] of Object.entries(entries)) {
        ort.check(c.AddSessionConfigEntry(handle, cString(key), cString(value)));
      }
      // A pattern is one block for all of a run's tensors, kept in addition to what the first run took one by one.
      ort.check(c.DisableMemPattern(handle));
      if (options.profile !== undefined) ort.check(c.EnableProfiling(handle, cString(options.profile)));
      if (device.kind === "cuda") this.#appendCuda(handle, options);
      options.customOps?.register(handle);
      for (const [name, value] of options.initializers ?? []) {
        ort.check(c.AddInitializer(handle, cString(name), value.handle));
      }
      const out = outPointer();
      this.check(c.CreateSessionFromArray(ort.env, model, BigInt(model.length), handle, out));
      this.#handle = new Handle("a session", pointerAt(out)!, (pointer) => c.ReleaseSession(pointer));
    } finally {
      c.ReleaseSessionOptions(handle);
    }
  }

  /** The `OrtSession*`. @throws {TypeError} If the session was disposed of. */
  get handle(): Deno.PointerObject {
    return this.#handle.pointer;
  }

  #appendCuda(options: Deno.PointerObject, { tf32 = false, cudaGraph = false, growing = false }: SessionOptions): void {
    const { ort, ort: { c }, device } = this;
    const cuda = ort.create((out) => c.CreateCUDAProviderOptions(out));
    try {
      const settings: Record<string, string> = {
        device_id: String(device.index),
        // The default doubles the arena, and every memory figure with it. But tensors that are a little larger in every
        // run would not fit into the memory taken for those of the previous run.
        arena_extend_strategy: growing ? "kNextPowerOfTwo" : "kSameAsRequested",
        use_tf32: tf32 ? "1" : "0",
        // Sums of SkipLayerNormalization in float32, whatever the type of its tensors.
        enable_skip_layer_norm_strict_mode: "1",
        enable_cuda_graph: cudaGraph ? "1" : "0",
      };
      const [keys, values] = [cStrings(Object.keys(settings)), cStrings(Object.values(settings))];
      ort.check(c.UpdateCUDAProviderOptions(cuda, keys, values, BigInt(Object.keys(settings).length)));
      // One stream for everything: copies and sessions are ordered among themselves without waiting on the host.
      ort.check(c.UpdateCUDAProviderOptionsWithValue(cuda, cString("user_compute_stream"), device.stream));
      ort.check(c.SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda));
    } finally {
      c.ReleaseCUDAProviderOptions(cuda);
    }
  }

  /** Throws the error of a call that may have called custom operators: see {@linkcode CustomOps.check}. */
  check(status: Deno.PointerValue): void {
    (this.options.customOps ?? this.ort).check(status);
  }

  /** Whether its bindings can be captured as CUDA graphs. */
  get capturable(): boolean {
    return this.device.kind === "cuda" && (this.options.cudaGraph ?? false);
  }

  /** Returns a number for a CUDA graph that no other of the session has. */
  nextGraphId(): number {
    return ++this.#captures;
  }

  /** Runs once with tensors given as type, shape, memory and byte offset. On CUDA this queues the work. */
  runOnce(inputs: Readonly<Record<string, View>>, outputs: Readonly<Record<string, View>>): void {
    const values = (views: Readonly<Record<string, View>>) =>
      Object.fromEntries(
        Object.entries(views).map(([name, [dtype, shape, memory, offset, device = this.device]]) => [
          name,
          Value.of(this.ort, device, memory, dtype, shape, offset),
        ]),
      );
    using binding = new Binding(this, values(inputs), values(outputs));
    binding.run();
  }

  /**
   * Returns statistics of the session's device allocator, weights that ORT loaded included, bytes: `InUse`; `MaxInUse`,
   * the most since the session was created; `TotalAllocated`, taken from the device. Empty if it keeps none.
   */
  allocatorStats(): Record<string, number> {
    const { ort, ort: { c }, device } = this;
    using made = new DisposableStack();
    const name = cString(device.kind === "cpu" ? "Cpu" : "Cuda");
    const info = made.adopt(
      ort.create((out) => c.CreateMemoryInfo(name, 0, device.index, 0, out)),
      c.ReleaseMemoryInfo,
    );
    const allocator = made.adopt(ort.create((out) => c.CreateAllocator(this.handle, info, out)), c.ReleaseAllocator);
    const pairs = made.adopt(ort.create((out) => c.AllocatorGetStats(allocator, out)), c.ReleaseKeyValuePairs);
    const [keys, values, count] = [outPointer(), outPointer(), new BigUint64Array(1)];
    c.GetKeyValuePairs(pairs, keys, values, count);
    const names = stringsAt(pointerAt(keys), Number(count[0]));
    const figures = stringsAt(pointerAt(values), Number(count[0]));
    return Object.fromEntries(names.map((key, i) => [key, Number(figures[i])]));
  }

  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }
}
