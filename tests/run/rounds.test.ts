import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { speedTurns } from "../../lib/run/rounds.ts";

const counts = fc.record({
  configurations: fc.integer({ min: 1, max: 9 }),
  repetitions: fc.integer({ min: 1, max: 9 }),
  samples: fc.integer({ min: 1, max: 9 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

Deno.test("every configuration has one turn in every round, and all turns of a round the same samples", () => {
  fc.assert(fc.property(counts, (given) => {
    const turns = speedTurns(given);
    const { configurations, repetitions } = given;
    deepEqual(
      turns.map(({ round, place }) => [round, place]),
      upTo(repetitions).flatMap((round) => upTo(configurations).map((place) => [round, place])),
    );
    for (const round of upTo(repetitions)) {
      const own = turns.filter((turn) => turn.round === round);
      deepEqual(own.map(({ configuration }) => configuration).sort(), upTo(configurations));
      for (const { samples } of own) deepEqual(samples, own[0]!.samples);
    }
  }));
});

Deno.test("every sample is measured, and none more than once more than another", () => {
  fc.assert(fc.property(counts, (given) => {
    const { repetitions, samples } = given;
    const own = speedTurns(given).filter(({ configuration }) => configuration === 0).flatMap(({ samples }) => samples);
    const times = upTo(samples).map((sample) => own.filter((each) => each === sample).length);
    ok(Math.min(...times) >= 1 && Math.max(...times) - Math.min(...times) <= 1, `${times}`);
    equal(own.length, Math.max(samples, repetitions));
    // No round is idle, and with more samples than rounds they are spread evenly.
    const sizes = upTo(repetitions).map((round) => speedTurns(given).find((turn) => turn.round === round)!.samples);
    const lengths = sizes.map(({ length }) => length);
    ok(Math.min(...lengths) >= 1 && Math.max(...lengths) - Math.min(...lengths) <= 1, `${lengths}`);
  }));
});

Deno.test("the order follows from the seed, and is another one in other rounds and from other seeds", () => {
  fc.assert(fc.property(counts, (given) => deepEqual(speedTurns(given), speedTurns(given))));
  const orders = (seed: number) => {
    const turns = speedTurns({ configurations: 7, repetitions: 6, samples: 2, seed });
    return upTo(6).map((round) => turns.filter((turn) => turn.round === round).map((turn) => turn.configuration));
  };
  equal(new Set(orders(0).map(String)).size, 6);
  notDeepEqual(orders(0), orders(1));
});

Deno.test("no configuration prefers a place", () => {
  const times = upTo(4).map(() => upTo(4).map(() => 0));
  const rounds = 4000;
  for (const seed of upTo(rounds / 5)) {
    for (const { configuration, place } of speedTurns({ configurations: 4, repetitions: 5, samples: 1, seed })) {
      times[configuration]![place]!++;
    }
  }
  // Binomial with p = 1/4: five deviations are 137.
  for (const count of times.flat()) ok(Math.abs(count - rounds / 4) < 137, JSON.stringify(times));
});
