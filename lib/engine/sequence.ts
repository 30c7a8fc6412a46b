import { KvCache } from "../cache/kv_cache.ts";
import type { PassGroup } from "../cache/schedule.ts";
import type { DeviceMemory } from "../ort/device.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { openVerification } from "./open_verification.ts";
import { Pass, type PassResult } from "./pass.ts";
import type { Verification } from "./verification.ts";

/**
 * A sequence of forward passes over one cache: `forward`, `evict`, `read`, and again. Everything is allocated and bound
 * when it is made.
 */
export class Sequence implements Disposable {
  readonly cache: KvCache;
  /** Tokens of a pass → its inputs and outputs. */
  readonly #passes = new Map<number, Pass>();
  /** Passes of other models. */
  readonly #others: Pass[] = [];
  readonly #byHeld: boolean;
  #current: Pass | undefined;
  readonly #verification: Verification | undefined;
  /** Tokens of the text read so far. */
  #textIndex = 0;

  /** @param rows Sizes of the passes that verify drafted tokens. */
  constructor(engine: LoadedModel, passGroups: readonly PassGroup[], seed: number, rows: readonly number[] = []) {
    this.#byHeld = engine.numbering.byHeld;
    this.cache = new KvCache(engine.eviction, passGroups, seed);
    const sizes = new Set(passGroups.filter(({ times }) => times > 0).map(({ tokens }) => tokens));
    // Passes of one token come first: the others write their results where these read.
    for (const tokens of [...sizes].sort((a, b) => a - b)) {
      this.#passes.set(tokens, new Pass(engine, this.cache, tokens, this.#passes.get(1)));
    }
    this.#verification = rows.length > 0 ? openVerification(engine, this, rows) : undefined;
  }

  /** Verifies drafted tokens. @throws {TypeError} If the sequence was made without sizes for it. */
  get verification(): Verification {
    if (!this.#verification) throw new TypeError("Cannot verify tokens: the sequence was made without rows");
    return this.#verification;
  }

  /**
   * Runs the decoder on the text's next tokens, and drops an entry if the policy drops one. On CUDA this only queues
   * the work.
   *
   * @param target The token that follows, for its NLL.
   * @throws {RangeError} For a number of tokens that the sequence was not made for.
   */
  forward(ids: readonly number[], target: number): void {
    this.#forward(ids.length, ids, target);
  }

  /**
   * Runs a step with the token that the last pass predicts. The host need not know it yet: a step can be queued while
   * the one before it runs.
   */
  advance(target: number): void {
    this.#forward(1, undefined, target);
  }

  /**
   * Runs a step that evicts nothing yet, whatever the policy says: {@linkcode settle} does. The token may be taken back
   * until then. Call {@linkcode evict} after it as after any pass. The groups of passes must say how many steps in a row
   * do this: see {@linkcode PassGroup.ahead}.
   *
   * @param id The token; undefined for the one that the last pass predicts.
   */
  try(id: number | undefined): void {
    this.#run(this.#passes.get(1)!, id === undefined ? undefined : [id], 0, true);
  }

  /** Evicts what {@linkcode try} has left to evict. On CUDA this only queues the work. */
  settle(): void {
    this.cache.settle();
  }

  #forward(tokens: number, ids: readonly number[] | undefined, target: number): void {
    const pass = this.#passes.get(tokens);
    if (!pass) throw new RangeError(`Cannot run a pass of ${tokens} tokens: the sequence has none`);
    this.#run(pass, ids, target);
  }

  /**
   * Makes a pass of another model over the same cache, such as one that verifies drafts. It lives as long as the
   * sequence.
   *
   * @param model The other model: the same layers, heads and number type.
   * @param tokens Tokens of the pass.
   * @returns The pass, for {@linkcode run}.
   */
  addPass(model: LoadedModel, tokens: number): Pass {
    const pass = new Pass(model, this.cache, tokens);
    this.#others.push(pass);
    return pass;
  }

  /**
   * Runs a pass of {@linkcode addPass} on the text's next tokens. On CUDA this only queues the work.
   *
   * @param pass The pass.
   * @param ids As many tokens as it has.
   */
  run(pass: Pass, ids: readonly number[]): void {
    this.#run(pass, ids, 0);
  }

  #run(pass: Pass, ids: readonly number[] | undefined, target: number, ahead = false): void {
    const { tokens } = pass;
    this.#current = pass;
    const position = this.begin(tokens, ahead);
    pass.run({ ids, position, textIndex: this.#textIndex - tokens, target });
  }

  /**
   * Begins a pass that something else runs. Returns the position of its first token.
   *
   * @param ahead Whether it evicts nothing yet: see {@linkcode try}.
   */
  begin(tokens: number, ahead = false): number {
    this.cache.beginPass(tokens, ahead);
    const position = this.#byHeld ? this.cache.held[0]! : this.#textIndex;
    this.#textIndex += tokens;
    return position;
  }

  /** Carries out many-entry eviction. On CUDA this only queues the work. */
  evict(): void {
    this.cache.endPass();
  }

  /**
   * Goes back by some tokens, as if they had not been read; see {@linkcode KvCache.rewind}.
   *
   * @param tokens Number of tokens.
   * @throws {RangeError} If a layer has evicted since, or fewer were read.
   */
  rewind(tokens: number): void {
    this.cache.rewind(tokens);
    this.#textIndex -= tokens;
  }

  /** Waits for the last pass. Returns, for its last token, the NLL of the target (nats) and the argmax. */
  read(): PassResult {
    return this.#current!.queueRead()();
  }

  /**
   * Queues reading the last pass's results. The returned function waits for them; later passes may be queued before it
   * is called. Each result has to be read, in order, before two more passes are queued.
   */
  queueRead(): () => PassResult {
    return this.#current!.queueRead();
  }

  /** Waits for the last pass. Returns its logits, `[tokens, vocab]` or `[1, vocab]`; see EngineOptions. */
  logits(): Float32Array {
    return this.#current!.logits();
  }

  /** Where the last pass writes its logits; see {@linkcode Pass.logitsMemory}. */
  get logitsMemory(): DeviceMemory {
    return this.#current!.logitsMemory;
  }

  [Symbol.dispose](): void {
    this.#verification?.[Symbol.dispose]();
    for (const pass of [...this.#passes.values(), ...this.#others]) pass[Symbol.dispose]();
    this.cache[Symbol.dispose]();
  }
}
