import type { FloatType } from "../dtype.ts";
import { emitDrop } from "../cache/drop_graph.ts";
import { Eviction } from "../cache/eviction.ts";
import { KvCache } from "../cache/kv_cache.ts";
import type { KeepTable, Stretch } from "../cache/schedule.ts";
import type { AttentionForm } from "../model/attention.ts";
import { buildDecoder } from "../model/decoder.ts";
import type { ModelFolder } from "../model/model_folder.ts";
import type { Runtime } from "../ort/runtime.ts";
import { Session } from "../ort/session.ts";
import type { Score } from "../policies/score.ts";
import { PassIo } from "./pass_io.ts";

/** What an engine is made for. */
export interface EngineOptions {
  /** Type of weights, activations and cache. */
  readonly dtype: FloatType;
  readonly attention: AttentionForm;
  /** The most tokens any course has: positions the rotary table covers. */
  readonly positions: number;
  /** The policy's sizes. */
  readonly table: KeepTable;
  /** The policy's score. */
  readonly score?: Score | undefined;
  /** Threads of the CPU provider. */
  readonly threads?: number | undefined;
  /** Replay steps as CUDA graphs; on unless false. */
  readonly cudaGraphs?: boolean;
  /** Also compute the logits of every token; see {@linkcode Course.logits}. */
  readonly logits?: boolean;
}

/** A model under a policy, loaded on a device: starts courses of passes. */
export class Engine implements Disposable {
  readonly session: Session;
  /** Layer → length group; see DecoderOptions. */
  readonly groups: readonly number[];
  /** Bytes of the weights as stored. */
  readonly weightBytes: number;

  /**
   * Loads the model.
   *
   * @param eviction The policy's sessions, if they are to be made before the model is loaded; the engine disposes them.
   */
  constructor(
    readonly runtime: Runtime,
    readonly model: ModelFolder,
    readonly options: EngineOptions,
    readonly eviction: Eviction = new Eviction(runtime, model.spec, options.dtype, options.table, options.score),
  ) {
    this.groups = this.eviction.keeper.groups();
    const decoder = buildDecoder(model, {
      dtype: options.dtype,
      device: runtime.device.kind,
      attention: options.attention,
      positions: options.positions,
      groups: this.groups,
      logits: options.logits ?? false,
      then: (g, after) => {
        const { acting, score } = this.eviction;
        if (acting.length === 0) return;
        const { kvHeads, headDim } = model.spec;
        emitDrop(g, { actingLayers: acting.length, kvHeads, headDim, dtype: options.dtype, score, after });
      },
    });
    this.weightBytes = decoder.weightBytes;
    this.session = new Session(runtime.ort, runtime.device, decoder.bytes, {
      weightsFolder: decoder.weightsFolder,
      cudaGraph: options.cudaGraphs ?? true,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    });
  }

  /** Starts with an empty cache that has room for the passes of `stretches`. */
  course(stretches: readonly Stretch[], seed: number): Course {
    return new Course(this, stretches, seed);
  }

  [Symbol.dispose](): void {
    this.session[Symbol.dispose]();
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
  #current: PassIo | undefined;

  constructor(engine: Engine, stretches: readonly Stretch[], seed: number) {
    this.cache = new KvCache(engine.eviction, stretches, seed);
    for (const { tokens, times } of stretches) {
      if (times > 0 && !this.#passes.has(tokens)) this.#passes.set(tokens, new PassIo(engine, this.cache, tokens));
    }
  }

  /**
   * Runs the decoder on new tokens, and drops an entry where the policy drops one; the first token is at text
   * position `position`. On CUDA this only queues the work.
   *
   * @param target The token that follows, for its NLL.
   * @throws {RangeError} For a number of tokens that the course does not have.
   */
  forward(tokens: readonly number[], position: number, target: number): void {
    const pass = this.#passes.get(tokens.length);
    if (!pass) throw new RangeError(`Cannot run a pass of ${tokens.length} tokens: the course has none`);
    this.#current = pass;
    this.cache.beginPass(tokens.length);
    pass.run(tokens, position, target);
  }

  /** Evicts what the policy drops in numbers. On CUDA this only queues the work. */
  evict(): void {
    this.cache.endPass();
  }

  /** Waits for the last pass and gives, for its last token, the NLL of the target (nats) and the argmax. */
  read(): { nll: number; argmax: number } {
    return this.#current!.read();
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
