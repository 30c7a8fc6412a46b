import type { DeviceMemory } from "../ort/device.ts";
import type { LoadedModel } from "./loaded_model.ts";
import type { Verification, VerifiedSequence } from "./verification.ts";

/** Verification by one step for each token: where there are no kernels for several. As slow as plain decoding. */
export class StepsVerification implements Verification {
  readonly bitEqual = true;
  readonly onePass = false;
  readonly logitsMemory: DeviceMemory;
  readonly ids: { readonly memory: DeviceMemory; readonly offset: number };
  #argmaxes: number[] = [];
  #logits: Float32Array[] = [];
  #open: number | undefined;

  constructor(
    readonly engine: LoadedModel,
    readonly sequence: VerifiedSequence,
    readonly reason: string,
    readonly maxRows: number,
  ) {
    const { runtime: { device }, model: { spec } } = engine;
    this.logitsMemory = device.allocate(4 * maxRows * spec.vocab);
    this.ids = { memory: device.allocate(8 * maxRows), offset: 0 };
  }

  run(ids: readonly number[] | number): void {
    const { sequence, engine } = this;
    if (this.#open !== undefined) throw new RangeError("Cannot verify tokens: the last ones were not accepted yet");
    const tokens = typeof ids === "number" ? ids : ids.length;
    if (!(tokens >= 1 && tokens <= this.maxRows)) {
      throw new RangeError(`Cannot verify ${tokens} tokens: 1 to ${this.maxRows} are possible`);
    }
    [this.#argmaxes, this.#logits, this.#open] = [[], [], tokens];
    const { vocab } = engine.model.spec;
    (typeof ids === "number" ? this.#stored(tokens) : ids).forEach((id, row) => {
      sequence.forward([id], 0);
      sequence.evict();
      this.#argmaxes.push(sequence.read().argmax);
      if (!engine.logits) return;
      const logits = sequence.logits() as Float32Array<ArrayBuffer>;
      this.#logits.push(logits);
      engine.runtime.device.write(this.logitsMemory, 4 * row * vocab, logits);
    });
  }

  /** Ids that a draft wrote to {@linkcode ids}. */
  #stored(tokens: number): number[] {
    const ids = new BigInt64Array(tokens);
    this.engine.runtime.device.read(this.ids.memory, 0, ids);
    return Array.from(ids, Number);
  }

  argmaxes(): number[] {
    return [...this.#argmaxes];
  }

  /** @throws {TypeError} If the engine was made without logits. */
  logits(): Float32Array {
    if (!this.engine.logits) throw new TypeError("Cannot read logits: the engine was made without them");
    const { vocab } = this.engine.model.spec, all = new Float32Array(this.#logits.length * vocab);
    this.#logits.forEach((logits, row) => all.set(logits, row * vocab));
    return all;
  }

  accept(tokens: number): void {
    const open = this.#open ?? -1;
    if (!(tokens >= 0 && tokens <= open)) {
      throw new RangeError(`Cannot accept ${tokens} tokens: the last pass had ${Math.max(0, open)} that are open`);
    }
    this.#open = undefined;
    if (tokens < open) this.sequence.rewind(open - tokens);
  }

  [Symbol.dispose](): void {
    this.logitsMemory[Symbol.dispose]();
    this.ids.memory[Symbol.dispose]();
  }
}
