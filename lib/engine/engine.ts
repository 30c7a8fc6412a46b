import { emitDrop } from "../cache/drop_graph.ts";
import { Eviction } from "../cache/eviction.ts";
import type { PassGroup } from "../cache/schedule.ts";
import { buildDecoder } from "../model/graph/decoder.ts";
import type { Decoder, DecoderOptions, PassTensors } from "../model/graph/decoder_options.ts";
import type { ModelFolder } from "../model/folder/model_folder.ts";
import type { WindowUse } from "../model/graph/attention/attention_mask.ts";
import { WeightBlock } from "../model/graph/weight_block.ts";
import type { Graph } from "../onnx/graph.ts";
import type { CustomOps } from "../ort/custom_ops.ts";
import type { Runtime } from "../ort/runtime.ts";
import type { Session } from "../ort/session.ts";
import { Reason } from "../util/reason.ts";
import { Sequence } from "./sequence.ts";
import { type EngineOptions, evictionOptions, numberingFor, windowUse } from "./engine_options.ts";
import { exportPasses } from "./export_passes.ts";
import type { KernelsUsed } from "./kernel_choice.ts";
import { type LoadTimes, stopwatch } from "./load_times.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { LoadedGraph, type PassGraphs } from "./loaded_graph.ts";
import type { Numbering } from "./numbering.ts";
import { OwnSteps } from "./own_steps.ts";

/** A model under a policy, loaded on a device: starts sequences of passes. */
export class Engine implements LoadedModel, Disposable {
  /** The sessions of a pass. */
  readonly graphs: PassGraphs;
  readonly numbering: Numbering;
  /** Layer → length group; see DecoderOptions. */
  readonly groups: readonly number[];
  /** How sliding windows count, where a text is longer than one. */
  readonly window: WindowUse | undefined;
  /** The weights, if ORT does not load them itself. */
  readonly weights: WeightBlock | undefined;
  /** Where the time of loading went. */
  readonly loadTimes: LoadTimes;
  /** Decode steps with the project's own kernels, or why ONNX Runtime's run them. */
  readonly steps: OwnSteps | Reason;

  /**
   * Loads the model.
   *
   * @param eviction The policy's sessions, if they were made before the model is loaded; the engine disposes of them.
   */
  constructor(
    readonly runtime: Runtime,
    readonly model: ModelFolder,
    readonly options: EngineOptions,
    readonly eviction: Eviction = new Eviction(runtime, model.spec, evictionOptions(options, model.spec)),
  ) {
    this.groups = eviction.keeper.groups();
    this.numbering = numberingFor(options);
    const by = windowUse(options, model.spec);
    this.window = by && { by, evicted: eviction.acting };
    const { cudaGraphs = true, threads, dtype, weightBlock = runtime.device.kind === "cuda", sharedWeights } = options;
    const lap = stopwatch();
    using made = new DisposableStack();
    const isBlock = weightBlock && !model.export && !sharedWeights;
    const weights = isBlock ? made.use(new WeightBlock(runtime, model, dtype)) : sharedWeights;
    this.weights = weights;
    // The CPU provider looks at weights when a session is made; the CUDA provider, when it runs.
    if (runtime.device.kind === "cpu") weights?.wait();
    const block_s = lap();
    const load = (decoder: Decoder, cudaGraph: boolean, customOps?: CustomOps) =>
      new LoadedGraph(runtime, decoder, { cudaGraph, threads, customOps, initializers: weights?.values });
    const then = (g: Graph, pass: PassTensors) => this.#drop(g, pass);
    const steps = this.steps = OwnSteps.open(runtime, model, options, eviction);
    const kernels_s = lap();
    if (model.export) {
      const { maxPositions, profile } = options;
      const { rope } = model.spec;
      const turned = this.numbering.ranked && rope ? { rope, positions: maxPositions } : undefined;
      this.graphs = exportPasses(model.export, model.spec, {
        groups: this.groups,
        logits: this.logits === true,
        turned,
      }, {
        load: (decoder) => new LoadedGraph(runtime, decoder, { cudaGraph: false, threads, growing: true, profile }),
        then,
      });
    } else if (steps instanceof Reason) {
      this.graphs = { step: [load(this.decoder(then), cudaGraphs)] };
    } else {
      const decoder = this.decoder((g, pass) => this.#prompted(g, pass), {
        weights: (g, weights) => steps.reveal(g, weights),
        heads: (g, positions) => steps.heads(g, positions),
      });
      const prompt = load(decoder, false, steps.reveals);
      const { weightBytes } = decoder;
      const step = steps.load(this.groups, weightBytes), rows = steps.loadRows(this.groups, weightBytes);
      this.graphs = { step: [step], prompt: [prompt], rows };
    }
    const sessions_s = lap();
    const reading_s = weights?.wait() ?? 0;
    this.loadTimes = { block_s, kernels_s, sessions_s, waiting_s: lap(), reading_s };
    made.move();
  }

  get attention(): EngineOptions["attention"] {
    return this.options.attention;
  }

  get ownSteps(): boolean {
    return this.steps instanceof OwnSteps;
  }

  get captured(): boolean {
    return this.graphs.step[0].session.capturable;
  }

  get logits(): boolean | "last" {
    return this.options.logits ?? false;
  }

  /** Whose kernels run decode steps. */
  get kernels(): KernelsUsed {
    if (this.steps instanceof OwnSteps) return { kernels: "own" };
    const isChoice = this.runtime.device.kind === "cuda";
    return { kernels: "ort", ...(isChoice ? { kernels_reason: this.steps.text } : {}) };
  }

  /** All sessions that passes run in. */
  get sessions(): readonly Session[] {
    const { step, prompt = [], rows } = this.graphs;
    return [...new Set([...step, ...prompt, ...(rows ? [rows] : [])])].map(({ session }) => session);
  }

  /** Bytes of the weights as stored. */
  get weightBytes(): number {
    return this.graphs.step[0].decoder.weightBytes;
  }

  /**
   * Writes the decoder from the model's own weights.
   *
   * @param then Writes what follows a pass.
   * @param own What differs from the engine's own decoder.
   * @returns The graph.
   * @throws {TypeError} For an ONNX export, which has its own.
   */
  decoder(then?: DecoderOptions["then"], own: Partial<DecoderOptions> = {}): Decoder {
    const { model, runtime, options, groups, eviction: { kept, acting } } = this;
    if (options.attention === "export") throw new TypeError("Cannot write a decoder in the form of an export");
    return buildDecoder(model, {
      dtype: options.dtype,
      device: runtime.device.kind,
      attention: options.attention,
      maxPositions: options.maxPositions,
      rotate: this.numbering.rotate,
      groups,
      observe: kept.attention && { use: kept.attention, layers: acting },
      window: this.window,
      logits: this.logits,
      ...own,
      then,
    });
  }

  /**
   * Writes the entry state of a pass of several tokens, after that pass. It scores nothing: many-entry eviction chooses
   * among these entries later.
   */
  #prompted(g: Graph, pass: PassTensors): void {
    const { norms, textPositions, attention } = this.eviction.kept;
    if (norms || textPositions || attention) this.#drop(g, pass, false);
  }

  /** Writes single-slot eviction after a pass. */
  #drop(g: Graph, pass: PassTensors, scored = true): void {
    const { model: { spec: { kvHeads, headDim } }, options: { dtype }, eviction: { acting, kept } } = this;
    const score = scored ? this.eviction.score : undefined;
    if (acting.length > 0) emitDrop(g, { actingLayers: acting.length, kvHeads, headDim, dtype, score, kept, ...pass });
  }

  /**
   * Starts a sequence of passes over an empty cache that has room for them.
   *
   * @param rows Sizes of passes that verify drafted tokens, if any: see {@linkcode Sequence.verification}. There must be
   * room for the largest after the text.
   */
  sequence(passGroups: readonly PassGroup[], seed: number, rows: readonly number[] = []): Sequence {
    return new Sequence(this, passGroups, seed, rows);
  }

  [Symbol.dispose](): void {
    for (const session of this.sessions) session[Symbol.dispose]();
    if (this.steps instanceof OwnSteps) this.steps[Symbol.dispose]();
    if (!this.options.sharedWeights) this.weights?.[Symbol.dispose]();
    this.eviction[Symbol.dispose]();
  }
}
