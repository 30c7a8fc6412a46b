/** What a round of drafting and verifying did. Times in s. */
export interface Round {
  /** Tokens asked of the draft. */
  readonly asked: number;
  /** Tokens that it proposed. */
  readonly drafted: number;
  /** Those that were kept. */
  readonly accepted: number;
  readonly draft_s: number;
  readonly verify_s: number;
  /** The whole round: draft, verification, and the host's own work. */
  readonly total_s: number;
}

/** Chooses how many tokens the next round drafts. */
export interface Gamma {
  /** The most that it asks for. */
  readonly most: number;
  /** Returns the number for the next round, at least 0. */
  choose(): number;
  /** Told of each round. */
  learn(round: Round): void;
}

/**
 * Always asks for the same number.
 *
 * @example
 * ```ts
 * import { fixedGamma } from "./gamma.ts";
 *
 * console.log(fixedGamma(4).choose()); // 4
 * ```
 *
 * @param tokens The number.
 */
export function fixedGamma(tokens: number): Gamma {
  return { most: tokens, choose: () => tokens, learn: () => {} };
}

/** Numbers that {@linkcode AutoGamma} chooses among; 0 is a plain step. */
export const AUTO_GAMMAS: readonly number[] = [0, 1, 2, 4, 8];

/** Rounds with each number before the first choice. */
const TRIALS = 3;
/** Every so many rounds, another number than the best has its turn: costs change with the text's length. */
const CURIOUS = 24;
/** Share of its weight that a figure keeps from round to round. */
const MEMORY = 0.9;

/**
 * Chooses the number of drafted tokens that promises most tokens a second: expected tokens, from the acceptance measured
 * at each position, over the measured time of a round. It tries each number first, and one of the others now and then.
 *
 * @example A draft that is always right, and costs nothing
 * ```ts
 * import { AutoGamma } from "./gamma.ts";
 *
 * const gamma = new AutoGamma();
 * for (let i = 0; i < 40; i++) {
 *   const asked = gamma.choose();
 *   gamma.learn({ asked, drafted: asked, accepted: asked, draft_s: 0, verify_s: 1, total_s: 1 });
 * }
 * console.log(gamma.best()); // 8
 * ```
 */
export class AutoGamma implements Gamma {
  readonly #time: { weight: number; sum: number; rounds: number }[];
  /** By position: rounds that reached it, and those that kept its token; older ones count less. */
  readonly #positions: { reached: number; kept: number }[];
  #rounds = 0;
  #turn = 0;

  /** @param choices The numbers to choose among, ascending. */
  constructor(readonly choices: readonly number[] = AUTO_GAMMAS) {
    this.#time = choices.map(() => ({ weight: 0, sum: 0, rounds: 0 }));
    this.#positions = Array.from({ length: this.most }, () => ({ reached: 0, kept: 0 }));
  }

  get most(): number {
    return this.choices.at(-1)!;
  }

  choose(): number {
    const untried = this.#time.findIndex(({ rounds }) => rounds < TRIALS);
    if (untried >= 0) return this.choices[untried]!;
    if (++this.#rounds % CURIOUS !== 0) return this.best();
    const others = this.choices.filter((choice) => choice !== this.best());
    return others[this.#turn++ % others.length] ?? this.best();
  }

  /** Returns the number that promises most; all have to be tried first. */
  best(): number {
    const rates = this.choices.map((choice, i) => this.#expected(choice) / this.#meanTime(i));
    return this.choices[rates.indexOf(Math.max(...rates))]!;
  }

  #meanTime(i: number): number {
    const { weight, sum } = this.#time[i]!;
    return sum / weight;
  }

  /** Tokens that a round with so many drafted ones gives, the target's own included. */
  #expected(tokens: number): number {
    let expected = 1;
    let chance = 1;
    let rate = 0;
    for (const { reached, kept } of this.#positions.slice(0, tokens)) {
      if (reached > 0) rate = kept / reached; // where it was never reached, as at the position before
      chance *= rate;
      expected += chance;
    }
    return expected;
  }

  learn({ asked, accepted, total_s }: Round): void {
    const time = this.#time[this.choices.indexOf(asked)];
    if (!time) return;
    time.weight = time.weight * MEMORY + 1;
    time.sum = time.sum * MEMORY + total_s;
    time.rounds++;
    // A position that the draft left empty counts as one whose token was not kept.
    for (let position = 0; position < Math.min(asked, accepted + 1); position++) {
      const seen = this.#positions[position]!;
      seen.reached = seen.reached * MEMORY + 1;
      seen.kept = seen.kept * MEMORY + (position < accepted ? 1 : 0);
    }
  }
}
