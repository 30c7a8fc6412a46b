import { emitDrop } from "../cache/drop_graph.ts";
import { Eviction, type EvictionOptions } from "../cache/eviction.ts";
import { KvCache } from "../cache/kv_cache.ts";
import type { Stretch } from "../cache/schedule.ts";
import type { FloatType } from "../dtype.ts";
import type { StepKernels } from "../kernels/kernels.ts";
import type { AttentionForm } from "../model/attention_form.ts";
import { buildDecoder } from "../model/decoder.ts";
import type { Decoder, DecoderOptions, PassTensors } from "../model/decoder_options.ts";
import type { Graph } from "../onnx/graph.ts";
import type { ModelFolder } from "../model/model_folder.ts";
import { WeightBlock } from "../model/weight_block.ts";
import { type ModelSpec, shortestWindow } from "../model/spec.ts";
import type { WindowUse } from "../model/visible.ts";
import type { Runtime } from "../ort/runtime.ts";
import type { CustomOps } from "../ort/custom_ops.ts";
import type { Session } from "../ort/session.ts";
import { exportPasses } from "./export_passes.ts";
import type { KernelChoice } from "./kernel_choice.ts";
import { type LoadTimes, stopwatch } from "./load_times.ts";
import { LoadedGraph, type PassGraphs } from "./loaded_graph.ts";
import { PassIo, type PassResult } from "./pass_io.ts";
import { Step } from "./step.ts";

/**
 * How tokens are numbered. "absolute": by their index in the text; "cache": by their place in the cache, kept keys
 * rotated anew (Xiao et al. 2024, arXiv:2309.17453); "seed": as the original did, by the entries that layer 0 holds.
 */
export type Positions = "absolute" | "cache" | "seed";

/** What an engine is made for. */
export interface EngineOptions extends EvictionOptions {
  readonly attention: AttentionForm | "export";
  /** The most tokens any course has: what the rotary table has to cover. */
  readonly maxPositions: number;
  /** "absolute" if left out. */
  readonly positions?: Positions | undefined;
  /** Threads of the CPU provider. */
  readonly threads?: number | undefined;
  /** Whose kernels run decode steps, "auto" if left out; or kernels from elsewhere, for any device. */
  readonly kernels?: KernelChoice | ((dtype: FloatType) => StepKernels) | undefined;
  /** Whether weights go into one block of the device's memory, or ORT takes them from the files; a block on CUDA. */
  readonly weightBlock?: boolean;
  /** Replay steps as CUDA graphs; on unless false. */
  readonly cudaGraphs?: boolean;
  /** Have an ONNX export's passes profiled: see SessionOptions. */
  readonly profile?: string | undefined;
  /** Also compute the logits of every token; see {@linkcode Course.logits}. */
  readonly logits?: boolean;
}

/** The part of an engine's options that its eviction takes. */
export function evictionOptions(options: EngineOptions, spec: ModelSpec): EvictionOptions {
  const { dtype, table, score, attentionUse, trace, positions } = options;
  const window = windowCount(options, spec);
  return { dtype, table, score, attentionUse, trace, rankedPositions: positions === "cache", window };
}

/**
 * How the model's sliding windows count, where a text is longer than one: like positions, by the text's index or by the
 * place in the cache. The original's library counted by place whatever the positions.
 */
function windowCount({ positions = "absolute", maxPositions, attention }: EngineOptions, spec: ModelSpec) {
  // An export has its own way with windows.
  if (attention === "export" || maxPositions <= shortestWindow(spec)) return undefined;
  return positions === "absolute" ? "index" : "place";
}

/** A model under a policy, loaded on a device: starts courses of passes. */
export class Engine implements Disposable {
  /** What a pass runs. */
  readonly graphs: PassGraphs;
  /** Decode steps with kernels of our own; a string says why ONNX Runtime's run them. */
  readonly step: Step | string;
  /** Layer → length group; see DecoderOptions. */
  readonly groups: readonly number[];
  /** How sliding windows count, where a text is longer than one. */
  readonly window: WindowUse | undefined;
  /** The weights, where they are not ORT's to load. */
  readonly weights: WeightBlock | undefined;
  /** Where the time of loading went. */
  readonly loadTimes: LoadTimes;

  /**
   * Loads the model.
   *
   * @param eviction The policy's sessions, if they are to be made before the model is loaded; the engine disposes them.
   */
  constructor(
    readonly runtime: Runtime,
    readonly model: ModelFolder,
    readonly options: EngineOptions,
    readonly eviction: Eviction = new Eviction(runtime, model.spec, evictionOptions(options, model.spec)),
  ) {
    this.groups = eviction.keeper.groups();
    const by = windowCount(options, model.spec);
    this.window = by && { by, evicted: eviction.acting };
    const { cudaGraphs = true, threads, dtype, weightBlock = runtime.device.kind === "cuda" } = options;
    const lap = stopwatch();
    using made = new DisposableStack();
    const weights = weightBlock && !model.export ? made.use(new WeightBlock(runtime, model, dtype)) : undefined;
    this.weights = weights;
    // The CPU's kernels look at weights when a session is made; those of CUDA, when it runs.
    if (runtime.device.kind === "cpu") weights?.wait();
    const block_s = lap();
    const load = (decoder: Decoder, cudaGraph: boolean, customOps?: CustomOps) =>
      new LoadedGraph(runtime, decoder, { cudaGraph, threads, customOps, initializers: weights?.values });
    const then = (g: Graph, pass: PassTensors) => this.#drop(g, pass);
    const step = this.step = Step.open(runtime, model, options, eviction);
    const kernels_s = lap();
    if (model.export) {
      const { positions, logits = false, maxPositions, profile } = options;
      const { rope } = model.spec;
      const turned = positions === "cache" && rope ? { rope, positions: maxPositions } : undefined;
      this.graphs = exportPasses(model.export, model.spec, { groups: this.groups, logits, turned }, {
        load: (decoder) => new LoadedGraph(runtime, decoder, { cudaGraph: false, threads, growing: true, profile }),
        then,
      });
    } else if (typeof step === "string") {
      this.graphs = { step: [load(this.#decoder(then), cudaGraphs)] };
    } else {
      const decoder = this.#decoder((g, pass) => this.#prompted(g, pass), {
        weights: (g, weights) => step.reveal(g, weights),
        heads: (g, positions) => step.heads(g, positions),
      });
      const prompt = load(decoder, false, step.reveals);
      this.graphs = { step: [step.load(this.groups, decoder.weightBytes)], prompt: [prompt] };
    }
    const sessions_s = lap();
    const reading_s = weights?.wait() ?? 0;
    this.loadTimes = { block_s, kernels_s, sessions_s, waiting_s: lap(), reading_s };
    made.move();
  }

  /** The session of the model's steps. */
  get session(): Session {
    return this.graphs.step[0].session;
  }

  /** All sessions that passes run in. */
  get sessions(): readonly Session[] {
    const { step, prompt = [] } = this.graphs;
    return [...new Set([...step, ...prompt])].map(({ session }) => session);
  }

  /** Bytes of the weights as stored. */
  get weightBytes(): number {
    return this.graphs.step[0].decoder.weightBytes;
  }

  /** The decoder written from the model's own weights. */
  #decoder(then: DecoderOptions["then"], own: Pick<DecoderOptions, "weights" | "heads"> = {}): Decoder {
    const { model, runtime, options, groups, eviction: { kept, acting } } = this;
    if (options.attention === "export") throw new TypeError("Cannot write a decoder in the form of an export");
    return buildDecoder(model, {
      dtype: options.dtype,
      device: runtime.device.kind,
      attention: options.attention,
      maxPositions: options.maxPositions,
      rotate: options.positions === "cache" ? "read" : "write",
      groups,
      observe: kept.attention && { use: kept.attention, layers: acting },
      window: this.window,
      logits: options.logits ?? false,
      ...own,
      then,
    });
  }

  /**
   * Writes behind a pass of several tokens, which steps have no part in, what is kept of its entries: many-entry eviction
   * chooses, so that nothing has to be scored here.
   */
  #prompted(g: Graph, pass: PassTensors): void {
    const { norms, births, attention } = this.eviction.kept;
    if (norms || births || attention) this.#drop(g, pass, false);
  }

  /** Writes the step case of eviction behind a pass. */
  #drop(g: Graph, pass: PassTensors, scored = true): void {
    const { model: { spec: { kvHeads, headDim } }, options: { dtype }, eviction: { acting, kept } } = this;
    const score = scored ? this.eviction.score : undefined;
    if (acting.length > 0) emitDrop(g, { actingLayers: acting.length, kvHeads, headDim, dtype, score, kept, ...pass });
  }

  /** Starts with an empty cache that has room for the passes of `stretches`. */
  course(stretches: readonly Stretch[], seed: number): Course {
    return new Course(this, stretches, seed);
  }

  [Symbol.dispose](): void {
    for (const session of this.sessions) session[Symbol.dispose]();
    if (typeof this.step !== "string") this.step[Symbol.dispose]();
    this.weights?.[Symbol.dispose]();
    this.eviction[Symbol.dispose]();
  }
}

/**
 * A sequence of forward passes over one cache: `forward`, `evict`, `read`, and again. Everything is allocated and
 * bound when it is made.
 */
export class Course implements Disposable {
  readonly cache: KvCache;
  /** Tokens of a pass → its inputs and outputs. */
  readonly #passes = new Map<number, PassIo>();
  /** Whether tokens are numbered by what layer 0 holds. */
  readonly #byHeld: boolean;
  #current: PassIo | undefined;
  /** Tokens of the text so far. */
  #textIndex = 0;

  constructor(engine: Engine, stretches: readonly Stretch[], seed: number) {
    const { positions } = engine.options;
    // An export sees kept keys turned to lie before that.
    this.#byHeld = positions === "seed" || positions === "cache" && engine.model.export !== undefined;
    this.cache = new KvCache(engine.eviction, stretches, seed);
    const sizes = new Set(stretches.filter(({ times }) => times > 0).map(({ tokens }) => tokens));
    // Passes of one token come first: the others leave their results where those look for theirs.
    for (const tokens of [...sizes].sort((a, b) => a - b)) {
      this.#passes.set(tokens, new PassIo(engine, this.cache, tokens, this.#passes.get(1)));
    }
  }

  /**
   * Runs the decoder on the text's next tokens, and drops an entry where the policy drops one. On CUDA this only queues
   * the work.
   *
   * @param target The token that follows, for its NLL.
   * @throws {RangeError} For a number of tokens that the course does not have.
   */
  forward(ids: readonly number[], target: number): void {
    this.#forward(ids.length, ids, target);
  }

  /**
   * The same with the token that the last pass predicts, which need not have come to the host: a step can be queued while
   * the one before it runs.
   */
  advance(target: number): void {
    this.#forward(1, undefined, target);
  }

  #forward(tokens: number, ids: readonly number[] | undefined, target: number): void {
    const pass = this.#passes.get(tokens);
    if (!pass) throw new RangeError(`Cannot run a pass of ${tokens} tokens: the course has none`);
    this.#current = pass;
    this.cache.beginPass(tokens);
    const position = this.#byHeld ? this.cache.held[0]! : this.#textIndex;
    pass.run({ ids, position, textIndex: this.#textIndex, target });
    this.#textIndex += tokens;
  }

  /** Evicts what the policy drops in numbers. On CUDA this only queues the work. */
  evict(): void {
    this.cache.endPass();
  }

  /** Waits for the last pass and gives, for its last token, the NLL of the target (nats) and the argmax. */
  read(): PassResult {
    return this.#current!.readLater()();
  }

  /**
   * Queues reading that: the function waits for it, while passes after it may be queued already. Each has to be read, in
   * order, before two more are.
   */
  readLater(): () => PassResult {
    return this.#current!.readLater();
  }

  /** The last pass's logits, `[tokens, vocab]`, if the engine was made with `logits`. */
  logits(): Float32Array {
    return this.#current!.logits();
  }

  [Symbol.dispose](): void {
    for (const pass of this.#passes.values()) pass[Symbol.dispose]();
    this.cache[Symbol.dispose]();
  }
}
