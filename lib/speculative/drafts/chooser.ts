import { distributionOf, draw, type Sampling } from "../decode/distribution.ts";

/** What a draft chooses a token from: a pass's results. */
export interface ChoiceInput {
  /** The most likely token. */
  readonly argmax: number;
  /** Waits for the last token's logits, `[vocab]`. */
  readonly logits: () => Float32Array;
}

/** A token, and the distribution it was drawn from; undefined if it was not drawn. */
export interface Choice {
  readonly token: number;
  readonly distribution: Float64Array | undefined;
}

/** Chooses a draft's tokens as the target chooses its own: the most likely one, or drawn at its temperature. */
export class Chooser {
  /**
   * @param sampling How tokens are chosen; undefined for the most likely one.
   * @param vocab Tokens that the target has: a larger draft's others are never proposed.
   * @param random Returns the next number, 0 <= x < 1.
   */
  constructor(
    readonly sampling: Sampling | undefined,
    readonly vocab: number,
    readonly random: () => number,
  ) {}

  /** Returns a token, or undefined if the most likely one is none of the target's. */
  choose({ argmax, logits }: ChoiceInput): Choice | undefined {
    if (!this.sampling) return argmax < this.vocab ? { token: argmax, distribution: undefined } : undefined;
    const all = logits();
    const distribution = distributionOf(all, this.sampling, Math.min(all.length, this.vocab));
    return { token: draw(distribution, this.random()), distribution };
  }
}
