import { Eviction } from "../cache/eviction.ts";
import { openModelFolder } from "../model/folder/model_folder.ts";
import { VramSampler } from "../nvml/sampler.ts";
import { CudaDevice } from "../ort/cuda_device.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Engine } from "./engine.ts";
import { type EngineOptions, evictionOptions } from "./engine_options.ts";
import { openRuntime } from "./open_runtime.ts";

/** What to load. */
export interface LoadRequest<R extends Runtime = Runtime> {
  /** The model's folder, or an ONNX export's file. */
  readonly model: string;
  readonly device: "cuda" | "cpu";
  readonly options: EngineOptions;
  /** Whether to watch the process's memory on a GPU; see {@linkcode VramSampler}. */
  readonly watchMemory: boolean;
  /** Wraps the runtime, for example in a clock. */
  readonly wrap?: (runtime: Runtime) => R;
  /** Called after each stage that has put nothing of the model on the device yet. */
  readonly onStage?: (stage: "folder" | "library" | "policy") => void;
  /** Called when only the model is missing: memory in use on the device now is not the model's. */
  readonly onReady?: (vram: VramSampler | undefined) => void;
}

/** An engine and what was opened for it. Dispose of it after use. */
export interface LoadedEngine<R extends Runtime = Runtime> extends AsyncDisposable {
  readonly engine: Engine;
  readonly runtime: R;
  /** Watches the process's memory, on a GPU and if asked for. */
  readonly vram: VramSampler | undefined;
}

/**
 * Loads a model under a policy, in the one order that figures of time and memory rely on: first the folder, while the
 * GPU's context is being made; then the libraries; then the policy's sessions, run once, so that what they take for
 * themselves is not counted as the model's; last the model.
 *
 * @example
 * ```ts ignore
 * import { loadEngine } from "./load_engine.ts";
 *
 * await using loaded = await loadEngine({ model: "/data/pythia-2.8b", device: "cuda", options, watchMemory: true });
 * using sequence = loaded.engine.sequence([{ tokens: 1, times: 10 }], 0);
 * ```
 *
 * @param request What to load.
 * @returns The engine.
 * @throws {InputError} If the model, a library or the device does not exist.
 */
export async function loadEngine<R extends Runtime = Runtime>(request: LoadRequest<R>): Promise<LoadedEngine<R>> {
  const { options, onStage = () => {}, onReady = () => {}, wrap = (runtime) => runtime as R } = request;
  await using opened = new AsyncDisposableStack();
  const model = openModelFolder(request.model);
  onStage("folder");
  const runtime = wrap(openRuntime(request.device));
  const { device } = runtime;
  onStage("library");
  const vram = request.watchMemory && device instanceof CudaDevice
    // By bus id: CUDA and NVML may number GPUs differently.
    ? opened.use(await VramSampler.start({ device: (nvml) => nvml.deviceByPciBusId(device.pciBusId) }))
    : undefined;
  const eviction = new Eviction(runtime, model.spec, evictionOptions(options, model.spec));
  eviction.wake();
  onStage("policy");
  onReady(vram);
  const engine = opened.use(new Engine(runtime, model, options, eviction));
  const held = opened.move();
  return { engine, runtime, vram, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
