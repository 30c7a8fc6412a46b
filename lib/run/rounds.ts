import { seededRandom, shuffled } from "../util/random.ts";

/** One process of a speed pass. */
export interface SpeedTurn {
  /** Index of the round, from 0. */
  readonly round: number;
  /** Place within the round, from 0. */
  readonly place: number;
  /** Index of the configuration. */
  readonly configuration: number;
  /** Indices of the samples it measures. */
  readonly samples: readonly number[];
}

/**
 * Returns the order of a run's speed passes. Every configuration has a turn in every round, in an order shuffled anew:
 * a machine that becomes slower, or is disturbed for a while, then favours none, and two turns of one round can be
 * compared. All turns of a round measure the same samples: with more samples than rounds several each, with fewer one
 * after another again.
 *
 * @example
 * ```ts
 * import { speedTurns } from "./rounds.ts";
 *
 * const turns = speedTurns({ configurations: 2, repetitions: 3, samples: 2, seed: 0 });
 * console.log(turns.length, turns[4]?.round, turns[4]?.samples); // 6 2 [ 0 ]
 * ```
 *
 * @param counts How many there are of each, and the seed of the order.
 * @returns The turns in the order in which they are taken.
 */
export function speedTurns(
  { configurations, repetitions, samples, seed }: {
    readonly configurations: number;
    readonly repetitions: number;
    readonly samples: number;
    readonly seed: number;
  },
): SpeedTurn[] {
  const random = seededRandom(seed);
  const all = Array.from({ length: configurations }, (_, i) => i);
  return Array.from({ length: repetitions }, (_, round) => {
    const own = Array.from({ length: samples }, (_, sample) => sample).filter((sample) =>
      samples < repetitions ? sample === round % samples : sample % repetitions === round
    );
    return shuffled(all, random).map((configuration, place) => ({ round, place, configuration, samples: own }));
  }).flat();
}
