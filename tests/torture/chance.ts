/** Reproducible chance: everything in a case follows from its seed. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
    // The sequences of neighbouring seeds differ only after a few steps.
    for (let i = 0; i < 8; i++) this.unit();
  }

  /** Draws a number from 0 to 1; mulberry32. */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Draws an integer from 0 to below `most`. */
  below(most: number): number {
    return Math.floor(this.unit() * most);
  }

  /** Draws one of several. */
  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }

  /** Draws whether an event of this probability happens. */
  happens(probability: number): boolean {
    return this.unit() < probability;
  }
}
