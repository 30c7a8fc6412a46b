import type { Binding } from "../ort/binding.ts";
import type { DeviceMemory } from "../ort/device.ts";
import { Value } from "../ort/value.ts";
import { rankInputs } from "./forms/rank_inputs.ts";
import { InputBlock } from "./input_block.ts";
import type { LoadedGraph } from "./loaded_graph.ts";
import type { LoadedModel } from "./loaded_model.ts";
import type { Verification, VerifiedSequence } from "./verification.ts";

/** Passes of several tokens with the project's own kernels: each token gets the bits of a step. */
export class RowsVerification implements Verification {
  readonly bitEqual = true;
  readonly onePass = true;
  readonly reason = undefined;
  readonly maxRows: number;
  readonly logitsMemory: DeviceMemory;
  readonly #block: ReturnType<RowsVerification["makeBlock"]>;
  /** Tokens of a pass → its inputs and outputs; ascending. */
  readonly #bindings: readonly { readonly tokens: number; readonly binding: Binding }[];
  readonly #memory: DeviceMemory[] = [];
  /** Group → one of its layers. */
  readonly #member: readonly number[];
  /** Tokens of the last pass until they are accepted or taken back. */
  #open: number | undefined;
  #last = 0;

  /**
   * Binds passes of each size, and captures them while the cache is empty.
   *
   * @param graph What they run.
   * @param sizes Ascending.
   */
  constructor(
    readonly engine: LoadedModel,
    readonly sequence: VerifiedSequence,
    readonly graph: LoadedGraph,
    sizes: readonly number[],
  ) {
    const { runtime: { device }, model: { spec }, groups } = engine;
    this.maxRows = sizes.at(-1)!;
    this.#member = Array.from({ length: Math.max(...groups) + 1 }, (_, group) => groups.indexOf(group));
    this.#block = this.makeBlock();
    this.logitsMemory = this.#allocate(4 * this.maxRows * spec.vocab);
    this.#bindings = sizes.map((tokens) => ({ tokens, binding: this.#bind(tokens) }));
    if (!graph.session.capturable) return;
    device.synchronize();
    for (const { tokens } of this.#bindings) {
      this.#run(new Array<number>(tokens).fill(0), tokens, 0, groups.map(() => 0));
      device.synchronize();
    }
  }

  /** Makes the block of everything that changes from pass to pass: results, then inputs. */
  protected makeBlock() {
    const { runtime: { ort, device } } = this.engine;
    type Fields = Record<
      "argmax" | "input_ids" | "position_ids" | `past.${number}`,
      readonly ["int64", readonly number[]]
    >;
    const fields: Record<string, readonly ["int64", readonly number[]]> = {
      argmax: ["int64", [this.maxRows]],
      input_ids: ["int64", [this.maxRows]],
      position_ids: ["int64", [1, 1]],
    };
    this.#member.forEach((_, group) => fields[`past.${group}`] = ["int64", [1]]);
    return new InputBlock(ort, device, fields as Fields);
  }

  #allocate(bytes: number): DeviceMemory {
    const memory = this.engine.runtime.device.allocate(bytes);
    this.#memory.push(memory);
    return memory;
  }

  #bind(tokens: number): Binding {
    const { engine, sequence: { cache }, graph } = this;
    const { runtime: { ort, device }, model: { spec } } = engine;
    const block = this.#block;
    const inputs: Record<string, Value> = {
      input_ids: block.value("input_ids", [tokens]),
      position_ids: block.value("position_ids"),
    };
    this.#member.forEach((_, group) => inputs[`past.${group}`] = block.value(`past.${group}`));
    for (let layer = 0; layer < spec.layers; layer++) {
      const { keys, values } = cache.tensors(layer, tokens);
      [inputs[`past_key.${layer}`], inputs[`past_value.${layer}`]] = [keys, values];
    }
    if (engine.numbering.ranked) {
      const context = {
        engine,
        cache,
        tokens,
        member: this.#member,
        allocate: (bytes: number) => this.#allocate(bytes),
      };
      Object.assign(inputs, rankInputs(context));
    }
    const outputs = {
      argmax: block.value("argmax", [tokens]),
      logits: Value.of(ort, device, this.logitsMemory, "float32", [tokens, spec.vocab]),
    };
    const binding = graph.bind(inputs, outputs, graph.session.capturable);
    for (const [name, value] of Object.entries(inputs)) {
      if (!graph.decoder.names.inputs.has(name)) value[Symbol.dispose]();
    }
    return binding;
  }

  get ids(): { readonly memory: DeviceMemory; readonly offset: number } {
    return this.#block.place("input_ids");
  }

  run(ids: readonly number[] | number): void {
    const tokens = typeof ids === "number" ? ids : ids.length;
    if (this.#open !== undefined) throw new RangeError("Cannot verify tokens: the last ones were not accepted yet");
    if (!(tokens >= 1 && tokens <= this.maxRows)) {
      throw new RangeError(`Cannot verify ${tokens} tokens: 1 to ${this.maxRows} are possible`);
    }
    const { cache } = this.sequence, held = [...cache.held];
    const bound = this.#boundFor(tokens).tokens;
    const full = this.#member.find((layer) => held[layer]! + bound > cache.capacity(layer, bound));
    if (full !== undefined) {
      throw new RangeError(
        `Cannot verify ${tokens} tokens in a pass of ${bound}: layer ${full} holds ${held[full]} of ${
          cache.capacity(full, bound)
        } entries`,
      );
    }
    const position = this.sequence.begin(tokens);
    this.#open = this.#last = tokens;
    this.#run(typeof ids === "number" ? undefined : ids, tokens, position, held);
  }

  #run(ids: readonly number[] | undefined, tokens: number, position: number, held: readonly number[]): void {
    const block = this.#block;
    ids?.forEach((id, i) => block.array("input_ids")[i] = BigInt(id));
    block.array("position_ids")[0] = BigInt(position);
    this.#member.forEach((layer, group) => block.array(`past.${group}`)[0] = BigInt(held[layer]!));
    block.send(ids ? "input_ids" : "position_ids");
    this.#boundFor(tokens).binding.run();
  }

  /** The smallest pass for so many tokens: results do not depend on the tokens after them, so a larger one serves too. */
  #boundFor(tokens: number) {
    return this.#bindings.find((bound) => bound.tokens >= tokens)!;
  }

  argmaxes(): number[] {
    const bytes = this.#block.fetch(8 * this.#last)();
    return Array.from(new BigInt64Array(bytes.buffer, bytes.byteOffset, this.#last), Number);
  }

  logits(): Float32Array {
    const logits = new Float32Array(this.#last * this.engine.model.spec.vocab);
    this.engine.runtime.device.read(this.logitsMemory, 0, logits);
    return logits;
  }

  accept(tokens: number): void {
    const open = this.#open ?? -1;
    if (!(tokens >= 0 && tokens <= open)) {
      throw new RangeError(`Cannot accept ${tokens} tokens: the last pass had ${Math.max(0, open)} that are open`);
    }
    this.#open = undefined;
    this.sequence.cache.endPass();
    if (tokens < open) this.sequence.rewind(open - tokens);
  }

  [Symbol.dispose](): void {
    for (const { binding } of this.#bindings) binding[Symbol.dispose]();
    this.#block[Symbol.dispose]();
    for (const memory of this.#memory) memory[Symbol.dispose]();
  }
}
