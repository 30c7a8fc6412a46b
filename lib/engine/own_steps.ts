import { emitDropKernel } from "../cache/drop_kernel.ts";
import type { Eviction } from "../cache/eviction.ts";
import { CudaError } from "../cuda/errors.ts";
import { InputError } from "../util/errors.ts";
import type { RowKernels, StepKernels } from "../kernels/kernels.ts";
import { CudaRowKernels } from "../kernels/row_kernels.ts";
import { CudaStepKernels } from "../kernels/step_kernels.ts";
import type { ModelFolder } from "../model/folder/model_folder.ts";
import { PromptHeads } from "../model/graph/prompt_heads.ts";
import type { ModelSpec } from "../model/spec.ts";
import { buildRows, buildStep } from "../model/step/step_graph.ts";
import type { Graph, Tensor } from "../onnx/graph.ts";
import type { CudaDevice } from "../ort/cuda_device.ts";
import { CustomOps } from "../ort/custom_ops.ts";
import type { Runtime } from "../ort/runtime.ts";
import type { FloatType } from "../util/dtype.ts";
import { Reason } from "../util/reason.ts";
import { type EngineOptions, numberingFor } from "./engine_options.ts";
import { kernelObstacle } from "./kernel_choice.ts";
import { LoadedGraph } from "./loaded_graph.ts";

/**
 * Decode steps with the project's own kernels: see buildStep. A second session holds the weights and runs all other
 * passes; it reveals their addresses, so that they are not loaded twice.
 */
export class OwnSteps implements Disposable {
  readonly #kernels: StepKernels;
  /** Kernels of several tokens, if sequences may verify. */
  readonly #rowKernels: RowKernels | undefined;
  /** Operators for the session that holds the weights. */
  readonly reveals: CustomOps;
  readonly #ops: CustomOps;
  readonly #rowOps: CustomOps;
  readonly #weights = new Map<string, Deno.PointerValue>();

  private constructor(
    readonly runtime: Runtime,
    readonly spec: ModelSpec,
    readonly options: EngineOptions,
    readonly eviction: Eviction,
    kernels: StepKernels,
    rowKernels: RowKernels | undefined,
  ) {
    this.#kernels = kernels;
    this.#rowKernels = rowKernels;
    this.reveals = new CustomOps(runtime.ort, runtime.device);
    this.#ops = new CustomOps(runtime.ort, runtime.device);
    this.#rowOps = new CustomOps(runtime.ort, runtime.device);
  }

  /**
   * Compiles the kernels.
   *
   * @returns The steps, or the reason why they are not used.
   * @throws {InputError} If they are required and cannot be used.
   */
  static open(runtime: Runtime, model: ModelFolder, options: EngineOptions, eviction: Eviction): OwnSteps | Reason {
    const { kernels = "auto" } = options;
    if (kernels === "ort") return new Reason("--kernels ort");
    const made = OwnSteps.#make(runtime, model, options, eviction);
    if (kernels === "own" && made instanceof Reason) {
      throw new InputError(
        `Cannot use --kernels own: ${made.text}; auto takes ONNX Runtime's where they cannot be used`,
      );
    }
    return made;
  }

  static #make(runtime: Runtime, model: ModelFolder, options: EngineOptions, eviction: Eviction): OwnSteps | Reason {
    const { device } = runtime;
    const { kernels, dtype } = options;
    const own = typeof kernels === "function" ? kernels : undefined;
    const use = { ...options, device: own ? "cuda" as const : device.kind, score: eviction.score };
    const obstacle = kernelObstacle(model, use);
    if (obstacle !== undefined) return new Reason(obstacle);
    try {
      using made = new DisposableStack();
      const steps = made.use(own ? own(dtype) : new CudaStepKernels(device as CudaDevice, dtype));
      const makeRows = own ? options.rowKernels : (dtype: FloatType) => new CudaRowKernels(device as CudaDevice, dtype);
      const rows = options.verifies ? makeRows?.(dtype) : undefined;
      made.move();
      return new OwnSteps(runtime, model.spec, options, eviction, steps, rows);
    } catch (error) {
      if (error instanceof CudaError || error instanceof InputError) return new Reason(error.message);
      throw error;
    }
  }

  /** For the decoder's graph: makes its session reveal the addresses of the weights. */
  reveal(g: Graph, weights: ReadonlyMap<string, Tensor>): void {
    const names = [...weights.keys()];
    const revealed = this.reveals.reveal(g, [...weights.values()], (inputs) => {
      inputs.forEach(({ pointer }, i) => this.#weights.set(names[i]!, pointer));
    });
    g.output("revealed", revealed, "float32", [1]);
  }

  /** For the decoder's graph: makes the queries, keys and values of a prompt. */
  heads(g: Graph, positions: Tensor | undefined): PromptHeads {
    return new PromptHeads(g, this.spec, this.#kernels, this.reveals, this.options, positions);
  }

  /** Loads the step graph. Call after the decoder graph is loaded; `weightBytes` is its weight size. */
  load(groups: readonly number[], weightBytes: number): LoadedGraph {
    const { spec, options, eviction: { acting, score, kept } } = this;
    const { kvHeads, headDim } = spec;
    const graph = buildStep(spec, this.#kernels, this.#ops, this.#weight, {
      ...this.#passOptions(groups),
      observed: kept.attention ? acting : [],
      then: (g, after) => {
        if (acting.length === 0) return;
        emitDropKernel(g, this.#ops, this.#kernels, {
          ...{ actingLayers: acting.length, kvHeads, headDim, dtype: options.dtype, score, kept, after },
        });
      },
    });
    return this.#loaded(graph, weightBytes, this.#ops);
  }

  /** Loads the graph that verifies drafted tokens; undefined if the engine was not made for it. Call as `load`. */
  loadRows(groups: readonly number[], weightBytes: number): LoadedGraph | undefined {
    if (!this.#rowKernels) return undefined;
    // Verification needs logits, to sample from.
    const options = { ...this.#passOptions(groups), logits: true };
    return this.#loaded(
      buildRows(this.spec, this.#rowKernels, this.#rowOps, this.#weight, options),
      weightBytes,
      this.#rowOps,
    );
  }

  #passOptions(groups: readonly number[]) {
    const { dtype, maxPositions, logits } = this.options;
    return { dtype, maxPositions, rotate: numberingFor(this.options).rotate, groups, logits: Boolean(logits) };
  }

  readonly #weight = (name: string): Deno.PointerValue => {
    const pointer = this.#weights.get(name);
    if (!pointer) throw new TypeError(`Cannot find where tensor "${name}" lies: the decoder does not use it`);
    return pointer;
  };

  #loaded(graph: Graph, weightBytes: number, customOps: CustomOps): LoadedGraph {
    const { runtime, options: { cudaGraphs = true, threads } } = this;
    return new LoadedGraph(
      runtime,
      { bytes: graph.encode(), weightsFolder: "", weightBytes, names: graph.names },
      { cudaGraph: cudaGraphs, threads, customOps },
    );
  }

  /** Call after the graphs are disposed of. */
  [Symbol.dispose](): void {
    this.#ops[Symbol.dispose]();
    this.#rowOps[Symbol.dispose]();
    this.reveals[Symbol.dispose]();
    this.#kernels[Symbol.dispose]();
    this.#rowKernels?.[Symbol.dispose]();
  }
}
