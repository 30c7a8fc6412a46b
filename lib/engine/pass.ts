import type { KvCache } from "../cache/kv_cache.ts";
import { noDrop, packDropRanges } from "../cache/drop_range.ts";
import type { Binding } from "../ort/binding.ts";
import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import { explained } from "./export_passes.ts";
import type { Form } from "./forms/form.ts";
import { makeForm } from "./forms/make_form.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { type PassBlock, passBlock } from "./pass_block.ts";

/** Input of a pass. */
export interface PassTokens {
  /** Ids of the new tokens; undefined for the one token that the pass before predicted. */
  readonly ids: readonly number[] | undefined;
  /** Position of the first new token. */
  readonly position: number;
  /** Index in the text of the first new token. */
  readonly textIndex: number;
  /** The token that follows the last new token. */
  readonly target: number;
}

/** Results of a pass, for its last token. */
export interface PassResult {
  /** Negative log-likelihood of the target, nats. */
  readonly nll: number;
  /** The most likely next token. */
  readonly argmax: number;
}

/** Inputs and outputs of passes of `tokens` tokens, bound once. A step costs one small copy in and one out. */
export class Pass implements Disposable {
  readonly #bindings: readonly Binding[];
  readonly #block: PassBlock;
  readonly #memory: DeviceMemory[] = [];
  readonly #logits: DeviceMemory | undefined;
  /** The tokens predicted, int64 `[tokens]`, in a pass that verifies drafts. */
  readonly #predicted: DeviceMemory | undefined;
  readonly #captured: boolean;
  readonly #form: Form;
  /** Whether positions are given with the tokens. */
  readonly #positioned: boolean;
  /** The drop ranges that were sent last. */
  #dropRanges: Float32Array | undefined;
  /** Group → one of its layers. */
  readonly #member: readonly number[];

  /** @param next Passes of one token over the same cache, if any: they continue from what this pass predicts. */
  constructor(readonly engine: LoadedModel, readonly cache: KvCache, readonly tokens: number, readonly next?: Pass) {
    const { runtime: { ort, device }, model: { spec }, groups } = engine;
    this.#member = Array.from({ length: Math.max(...groups) + 1 }, (_, group) => groups.indexOf(group));
    const { step, prompt = step } = engine.graphs;
    const graphs = tokens === 1 ? step : prompt;
    const form = tokens === 1 && engine.ownSteps ? "step" : engine.attention;
    this.#positioned = graphs[0].decoder.names.inputs.has("position_ids");
    this.#captured = tokens === 1 && engine.captured;
    const block = this.#block = passBlock(engine, form, this.#member.length, tokens, this.#positioned);
    const member = this.#member;
    this.#form = makeForm(form, {
      engine,
      cache,
      tokens,
      member,
      block,
      allocate: (...args) => this.#allocate(...args),
    });
    const inputs = { ...this.#form.inputs };
    const outputs = this.#results();
    for (let layer = 0; layer < spec.layers; layer++) {
      const { keys, values } = cache.tensors(layer, tokens);
      inputs[`past_key.${layer}`] = outputs[`present_key.${layer}`] = keys;
      inputs[`past_value.${layer}`] = outputs[`present_value.${layer}`] = values;
      for (let row = 0; row < tokens; row++) {
        if (!graphs[0].decoder.names.outputs.has(`present_key.${layer}.${row}`)) break;
        [outputs[`present_key.${layer}.${row}`], outputs[`present_value.${layer}.${row}`]] = [keys, values];
      }
    }
    if (engine.rows !== undefined) {
      this.#predicted = this.#allocate(8 * tokens);
      outputs.predicted = Value.of(ort, device, this.#predicted, "int64", [tokens]);
    }
    const state = cache.state(tokens)?.tensors(form === "step");
    Object.assign(inputs, state?.inputs, this.#blockInputs());
    Object.assign(outputs, state?.outputs);
    const logits = (rows: number) => {
      const memory = this.#allocate(4 * rows * spec.vocab);
      return { memory, tensor: () => Value.of(ort, device, memory, "float32", [rows, spec.vocab]) };
    };
    if (engine.attention === "export") {
      const { memory, tensor } = logits(1);
      [inputs.last_logits, outputs.last_logits] = [tensor(), tensor()];
      if (engine.logits === "last") this.#logits = memory;
    }
    if (engine.logits && !this.#logits) {
      const { memory, tensor } = logits(engine.logits === true ? tokens : 1);
      this.#logits = memory;
      outputs.logits = tensor();
    }
    this.#bindings = graphs.map((graph) => graph.bind(inputs, outputs, this.#captured));
    // Not every graph takes all of these.
    for (const [name, value] of Object.entries(inputs)) {
      if (!graphs.some(({ decoder }) => decoder.names.inputs.has(name))) value[Symbol.dispose]();
    }
    if (this.#captured) this.#capture();
  }

  #allocate(bytes: number, where = this.engine.runtime.device): DeviceMemory {
    const memory = where.allocate(bytes);
    this.#memory.push(memory);
    return memory;
  }

  /** The inputs in the block. */
  #blockInputs(): Record<string, Value> {
    const names = Object.keys(this.#block.fields).filter((name) => name !== "nll" && name !== "argmax");
    return Object.fromEntries(names.map((name) => [name, this.#block.value(name as "input_ids")]));
  }

  /**
   * Outputs for the results. The argmax goes to where a step reads its token, so that the next step can be queued
   * before the host knows it.
   */
  #results(): Record<string, Value> {
    const block = this.#resultBlock;
    return {
      nll: block.value("nll"),
      argmax: block.value(block === this.#block && this.tokens > 1 ? "argmax" : "input_ids"),
    };
  }

  /** The block that holds the results: that of the passes of one token, if any. */
  get #resultBlock(): PassBlock {
    return this.next ? this.next.#block : this.#block;
  }

  /** Queues the pass that the cache has begun. */
  run(pass: PassTokens): void {
    const { cache } = this;
    this.#run(pass, cache.held, cache.nextDraw(), cache.dropRanges());
  }

  /** Runs between the device's work, so it allocates nothing from step to step. */
  #run(
    { ids, position, textIndex, target }: PassTokens,
    held: readonly number[],
    draw: number,
    dropRanges: Float32Array,
  ): void {
    const { tokens, engine: { eviction: { kept, acting, isRandom } } } = this;
    const block = this.#block;
    if (ids) {
      const inputIds = block.array("input_ids");
      for (let i = 0; i < tokens; i++) inputIds[i] = BigInt(ids[i]!);
    }
    block.array("target")[0] = BigInt(target);
    if (this.#positioned) {
      const positions = block.array("position_ids");
      for (let i = 0; i < tokens; i++) positions[i] = BigInt(position + i);
    }
    for (let group = 0; group < this.#member.length; group++) {
      this.#form.setPast(group, held[this.#member[group]!]!);
    }
    this.#form.send();
    if (acting.length > 0) {
      if (dropRanges !== this.#dropRanges) {
        block.array("drop_ranges").set(dropRanges);
        this.#dropRanges = dropRanges;
      }
      if (isRandom) block.array("draw")[0] = BigInt(draw);
      if (kept.textPositions) block.array("text_index")[0] = textIndex;
      if (kept.attention?.from === "last") {
        const { window } = kept.attention;
        const indices = block.array("ring_indices");
        const first = textIndex + tokens - indices.length;
        for (let i = 0; i < indices.length; i++) indices[i] = BigInt((first + i) % window);
      }
    }
    block.send(ids ? "input_ids" : "target");
    this.#runBindings(held);
  }

  #runBindings(held: readonly number[]): void {
    try {
      for (const binding of this.#bindings) binding.run();
    } catch (error) {
      throw explained(error, this.engine.model, held);
    }
  }

  /**
   * Records the CUDA graph, which runs the pass three times over an empty cache, with layers that drop nothing. That
   * changes nothing except the first token's values, which are written again before they count.
   */
  #capture(): void {
    const { groups, eviction: { acting }, runtime: { device } } = this.engine;
    device.synchronize(); // ORT frees pinned memory at the end of a run: that must not happen during a capture
    this.#run(
      { ids: [0], position: 0, textIndex: 0, target: 0 },
      groups.map(() => 0),
      0,
      packDropRanges(acting.map(() => noDrop(0, 0))),
    );
    device.synchronize();
  }

  /** Queues reading the pass's results. The returned function waits for them. */
  queueRead(): () => PassResult {
    const fetched = this.#resultBlock.fetch(16);
    return () => {
      const view = new DataView(fetched().buffer);
      return { nll: view.getFloat32(0, true), argmax: Number(view.getBigInt64(8, true)) };
    };
  }

  /**
   * Where the pass writes its logits: float32 `[1, vocab]`, or `[tokens, vocab]` if the engine returns every token's.
   * The same memory in every run of the pass: what reads it has to be queued before the next run.
   *
   * @throws {TypeError} If the engine was made without logits.
   */
  get logitsMemory(): DeviceMemory {
    if (!this.#logits) throw new TypeError("Cannot read logits: the engine was made without them");
    return this.#logits;
  }

  /** Waits for the pass. Returns its logits: see {@linkcode logitsMemory}. */
  logits(): Float32Array {
    const logits = new Float32Array(this.logitsMemory.bytes / 4);
    this.engine.runtime.device.read(this.logitsMemory, 0, logits);
    return logits;
  }

  /**
   * Waits for the pass. Returns the tokens that it predicts, one after each of its own.
   *
   * @throws {TypeError} If it verifies no drafts.
   */
  predicted(): number[] {
    if (!this.#predicted) throw new TypeError("Cannot read what is predicted: the pass verifies no drafts");
    const ids = new BigInt64Array(this.tokens);
    this.engine.runtime.device.read(this.#predicted, 0, ids);
    return Array.from(ids, Number);
  }

  [Symbol.dispose](): void {
    for (const binding of this.#bindings) binding[Symbol.dispose]();
    this.#block[Symbol.dispose]();
    for (const memory of this.#memory) memory[Symbol.dispose]();
  }
}
