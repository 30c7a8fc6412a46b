import { emitDropKernel } from "../cache/drop_kernel.ts";
import type { Eviction } from "../cache/eviction.ts";
import { CudaError } from "../cuda/errors.ts";
import { InputError } from "../errors.ts";
import type { StepKernels } from "../kernels/kernels.ts";
import { CudaStepKernels } from "../kernels/step_kernels.ts";
import type { ModelFolder } from "../model/model_folder.ts";
import { PromptHeads } from "../model/prompt_heads.ts";
import type { ModelSpec } from "../model/spec.ts";
import { buildStep } from "../model/step_graph.ts";
import type { Graph, Tensor } from "../onnx/graph.ts";
import type { CudaDevice } from "../ort/cuda_device.ts";
import { CustomOps } from "../ort/custom_ops.ts";
import type { Runtime } from "../ort/runtime.ts";
import type { EngineOptions } from "./engine.ts";
import { kernelObstacle } from "./kernel_choice.ts";
import { LoadedGraph } from "./loaded_graph.ts";

/**
 * Decode steps with kernels of our own, beside a session that has the weights and does all other passes: see buildStep.
 * Weights are not loaded twice: that session tells where they lie.
 */
export class Step implements Disposable {
  readonly #kernels: StepKernels;
  /** Operators of the session that has the weights. */
  readonly reveals: CustomOps;
  readonly #ops: CustomOps;
  readonly #weights = new Map<string, Deno.PointerValue>();

  private constructor(
    readonly runtime: Runtime,
    readonly spec: ModelSpec,
    readonly options: EngineOptions,
    readonly eviction: Eviction,
    kernels: StepKernels,
  ) {
    this.#kernels = kernels;
    this.reveals = new CustomOps(runtime.ort, runtime.device);
    this.#ops = new CustomOps(runtime.ort, runtime.device);
  }

  /**
   * Compiles the kernels; where they are not to be used, or cannot be, a string says why.
   *
   * @throws {InputError} If they cannot be used and have to be.
   */
  static open(runtime: Runtime, model: ModelFolder, options: EngineOptions, eviction: Eviction): Step | string {
    const { kernels = "auto" } = options;
    if (kernels === "ort") return "--kernels ort";
    const made = Step.#make(runtime, model, options, eviction);
    if (kernels === "own" && typeof made === "string") {
      throw new InputError(`Cannot use --kernels own: ${made}; auto takes ONNX Runtime's where they cannot be used`);
    }
    return made;
  }

  static #make(runtime: Runtime, model: ModelFolder, options: EngineOptions, eviction: Eviction): Step | string {
    const { device } = runtime;
    const { kernels, dtype } = options;
    const own = typeof kernels === "function" ? kernels : undefined;
    const use = { ...options, device: own ? "cuda" as const : device.kind, score: eviction.score };
    const obstacle = kernelObstacle(model, use);
    if (obstacle !== undefined) return obstacle;
    try {
      const made = own ? own(dtype) : new CudaStepKernels(device as CudaDevice, dtype);
      return new Step(runtime, model.spec, options, eviction, made);
    } catch (error) {
      if (error instanceof CudaError || error instanceof InputError) return error.message;
      throw error;
    }
  }

  /** For the decoder's graph: has its session say where the weights lie. */
  reveal(g: Graph, weights: ReadonlyMap<string, Tensor>): void {
    const names = [...weights.keys()];
    const revealed = this.reveals.reveal(g, [...weights.values()], (inputs) => {
      inputs.forEach(({ pointer }, i) => this.#weights.set(names[i]!, pointer));
    });
    g.output("revealed", revealed, "float32", [1]);
  }

  /** For the decoder's graph: what makes a prompt's queries, keys and values. */
  heads(g: Graph, positions: Tensor | undefined): PromptHeads {
    return new PromptHeads(g, this.spec, this.#kernels, this.reveals, this.options, positions);
  }

  /** Loads the graph of steps, once that of the decoder, of so many bytes of weights, has been. */
  load(groups: readonly number[], weightBytes: number): LoadedGraph {
    const { runtime, spec, options, eviction: { acting, score, kept } } = this;
    const { kvHeads, headDim } = spec;
    const weight = (name: string) => {
      const pointer = this.#weights.get(name);
      if (!pointer) throw new TypeError(`Cannot find where tensor "${name}" lies: the decoder does not use it`);
      return pointer;
    };
    const graph = buildStep(spec, this.#kernels, this.#ops, weight, {
      dtype: options.dtype,
      maxPositions: options.maxPositions,
      rotate: options.positions === "cache" ? "read" : "write",
      groups,
      observed: kept.attention ? acting : [],
      logits: options.logits ?? false,
      then: (g, after) => {
        if (acting.length === 0) return;
        emitDropKernel(g, this.#ops, this.#kernels, {
          ...{ actingLayers: acting.length, kvHeads, headDim, dtype: options.dtype, score, kept, after },
        });
      },
    });
    return new LoadedGraph(
      runtime,
      { bytes: graph.encode(), weightsFolder: "", weightBytes, names: graph.names },
      { cudaGraph: options.cudaGraphs ?? true, threads: options.threads, customOps: this.#ops },
    );
  }

  /** To be called once the graphs are disposed of. */
  [Symbol.dispose](): void {
    this.#ops[Symbol.dispose]();
    this.reveals[Symbol.dispose]();
    this.#kernels[Symbol.dispose]();
  }
}
