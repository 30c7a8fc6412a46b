import type { Engine } from "../../engine/engine.ts";
import type { Sequence } from "../../engine/sequence.ts";
import type { Chooser } from "./chooser.ts";
import type { Draft, DraftMemory, Proposal } from "./draft.ts";

/** What an engine drafts. */
export interface EngineDraftOptions {
  /** The prompt: it is read, and evicted from, when the draft is made. */
  readonly prompt: readonly number[];
  /** The most tokens that follow it. */
  readonly newTokens: number;
  /** The most tokens of a proposal. */
  readonly most: number;
  readonly chooser: Chooser;
  readonly seed: number;
  /** Whether its weights are the target's. */
  readonly isSelf: boolean;
}

/**
 * Drafts with an engine and a cache of its own: a smaller model, or the target's own weights under a policy.
 *
 * Drafted tokens are read ahead, past the policy's budget; what is not accepted is taken back, and only then is evicted.
 * What rejected tokens have paid in attention stays in the scores of methods that add it up.
 */
export class EngineDraft implements Draft {
  readonly #sequence: Sequence;
  /** Tokens of the text whose entries are in the cache. */
  #read: number;
  /** Proposed tokens that were read after them. */
  #tried = 0;
  #steps = 0;

  /**
   * Reads the prompt.
   *
   * @param engine Dispose of it after the draft. It returns the last logits if tokens are sampled.
   * @param options What to draft.
   */
  constructor(readonly engine: Engine, readonly options: EngineDraftOptions) {
    const { prompt, newTokens, most, seed } = options;
    const steps = { tokens: 1, times: newTokens + most + 2, ahead: most + 1 };
    this.#sequence = engine.sequence([{ tokens: prompt.length, times: 1 }, steps], seed);
    this.#sequence.forward(prompt, 0);
    this.#sequence.read();
    this.#sequence.evict();
    this.#read = prompt.length;
  }

  get memory(): DraftMemory {
    const { isSelf } = this.options;
    return {
      kind: "second cache",
      cache_bytes: this.#sequence.cache.bytesNow,
      weight_bytes: isSelf ? 0 : this.engine.weightBytes,
    };
  }

  get steps(): number {
    return this.#steps;
  }

  /** Entries that each layer holds. */
  get held(): readonly number[] {
    return this.#sequence.cache.held;
  }

  propose(text: readonly number[], count: number, forced?: readonly number[]): Proposal {
    const tokens: number[] = [];
    const distributions: (Float64Array | undefined)[] = [];
    let argmax = 0;
    for (const id of text.slice(this.#read)) {
      // After rounds without a draft, more tokens are new than there is room for; they are part of the text.
      if (this.#read < text.length - 2) this.#sequence.settle();
      argmax = this.#step(id);
      this.#read++;
    }
    while (true) {
      const own = this.options.chooser.choose({ argmax, logits: () => this.#sequence.logits() });
      const token = forced?.[tokens.length] ?? own?.token;
      if (token === undefined) break;
      tokens.push(token);
      distributions.push(own?.distribution);
      if (tokens.length === count) break;
      argmax = this.#step(token);
    }
    this.#tried = Math.max(0, tokens.length - (tokens.length === count ? 1 : 0));
    return { tokens, distributions };
  }

  #step(id: number): number {
    this.#steps++;
    this.#sequence.try(id);
    const { argmax } = this.#sequence.read();
    this.#sequence.evict();
    return argmax;
  }

  settle(accepted: number): void {
    const kept = Math.min(accepted, this.#tried);
    this.#sequence.rewind(this.#tried - kept);
    this.#read += kept;
    this.#tried = 0;
    this.#sequence.settle();
  }

  [Symbol.dispose](): void {
    this.#sequence[Symbol.dispose]();
  }
}
