import { equal, ok } from "node:assert/strict";
import { roundsToFind } from "../../../lib/report/statistics/rounds_to_find.ts";
import { compareTimes, type TimedRun } from "../../../lib/report/statistics/time_comparison.ts";
import { seededRandom } from "../../../lib/util/random.ts";

/** Rounds of a baseline and a method, whose ratio is lognormal. */
function roundsOf(count: number, ratio: number, deviation: number, uniform: () => number): TimedRun[] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const run = (method: string, round: number, tpot: number) => ({ method, round, ttft: 1, tpot, throughput: 1 / tpot });
  return Array.from({ length: count }, (_, round) => round).flatMap((round) => [
    run("baseline", round, 2),
    run("tova", round, 2 * ratio * Math.exp(deviation * normal())),
  ]);
}

Deno.test("roundsToFind() names a number of rounds that finds the difference in nine of ten runs", () => {
  const uniform = seededRandom(20261124);
  for (const deviation of [0.06, 0.12]) {
    const rounds = roundsToFind(roundsOf(4000, 1, deviation, uniform), "baseline", 0.1)!;
    const runs = Array.from({ length: 400 }, () => roundsOf(rounds, 1.1, deviation, uniform));
    const found = runs.filter((runs) => compareTimes(runs, "tova", "baseline")!.tpot.low > 1).length / runs.length;
    ok(found > 0.84 && found < 0.96, `${rounds} rounds with a deviation of ${deviation}: ${found}`);
    // Half of them do not: what the figure says is not said of any number.
    const fewer = Array.from({ length: 400 }, () => roundsOf(Math.ceil(rounds / 2), 1.1, deviation, uniform));
    const less = fewer.filter((runs) => compareTimes(runs, "tova", "baseline")!.tpot.low > 1).length / fewer.length;
    ok(less < 0.8, `${rounds} / 2 rounds: ${less}`);
  }
});

Deno.test("roundsToFind() knows nothing from one round", () => {
  equal(roundsToFind(roundsOf(1, 1, 0.1, seededRandom(1)), "baseline", 0.1), undefined);
  equal(roundsToFind([], "baseline", 0.1), undefined);
});
