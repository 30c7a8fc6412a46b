import { seededRandom } from "../../util/random.ts";
import { type Draft, type DraftMemory, NO_MEMORY, type Proposal } from "./draft.ts";

/** What an oracle knows. */
export interface OracleOptions {
  /** The text as plain decoding writes it, prompt included. */
  readonly truth: readonly number[];
  /** Probability that a proposed token is right, 0 to 1. */
  readonly rate: number;
  /** Tokens of the vocabulary. */
  readonly vocab: number;
  readonly seed: number;
  /** A draft that does its work, whose tokens are replaced; none for a draft that costs nothing. */
  readonly inner?: Draft;
}

/**
 * Proposes the right token with a fixed probability, which it knows from a run of plain decoding: so the engine's own
 * cost can be measured at any acceptance, where random weights accept little. It says nothing about real drafts.
 *
 * @example
 * ```ts
 * import { OracleDraft } from "./oracle_draft.ts";
 *
 * using draft = new OracleDraft({ truth: [1, 2, 3], rate: 1, vocab: 8, seed: 0 });
 * console.log(draft.propose([1], 2).tokens); // [ 2, 3 ]
 * ```
 */
export class OracleDraft implements Draft {
  readonly #random: () => number;

  /** @param options What it knows. The oracle disposes of the inner draft. */
  constructor(readonly options: OracleOptions) {
    this.#random = seededRandom(options.seed);
  }

  get memory(): DraftMemory {
    return this.options.inner?.memory ?? NO_MEMORY;
  }

  get steps(): number {
    return this.options.inner?.steps ?? 0;
  }

  propose(text: readonly number[], count: number): Proposal {
    const { truth, rate, vocab, inner } = this.options;
    const tokens = Array.from({ length: count }, (_, i) => {
      const right = truth[text.length + i] ?? 0;
      return this.#random() < rate ? right : (right + 1) % vocab;
    });
    inner?.propose(text, count, tokens);
    return { tokens, distributions: tokens.map(() => undefined) };
  }

  settle(accepted: number): void {
    this.options.inner?.settle(accepted);
  }

  [Symbol.dispose](): void {
    this.options.inner?.[Symbol.dispose]();
  }
}
