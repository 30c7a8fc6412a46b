/** Intervals hold the true value as often as they say, and notice what is there. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../lib/util/random.ts";
import { mean } from "../../../lib/report/results/stats.ts";
import { blockBootstrap } from "../../../lib/report/statistics/block_bootstrap.ts";
import { blockLength } from "../../../lib/report/statistics/block_length.ts";
import { signedRankInterval } from "../../../lib/report/statistics/signed_rank.ts";
import { studentInterval } from "../../../lib/report/statistics/student.ts";
import { compareTimes, driftOf } from "../../../lib/report/statistics/time_comparison.ts";

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Share of `times` tries that are true. */
function share(times: number, holds: () => boolean): number {
  let count = 0;
  for (let i = 0; i < times; i++) if (holds()) count++;
  return count / times;
}

const holds = ({ low, high }: { low: number; high: number }, value: number) => low <= value && value <= high;

Deno.test("signedRankInterval() has the confidence of published tables", () => {
  // Two-sided confidence of the shortest interval over 95 %: tables of the signed-rank statistic.
  const known = { 6: 0.96875, 7: 0.953125, 8: 0.9609375, 10: 0.951171875 };
  for (const [n, confidence] of Object.entries(known)) {
    equal(signedRankInterval(Array.from({ length: Number(n) }, (_, i) => i)).confidence, confidence, n);
  }
  equal(signedRankInterval([1, 2, 3]).confidence, 0.75);
});

Deno.test("signedRankInterval() agrees with counting all signs of the differences", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 6, maxLength: 9 }), (list) => {
      const { low, high, confidence } = signedRankInterval(list);
      // Outside of the interval, fewer than 5 % of all choices of signs are as one-sided as the data.
      const pValue = (centre: number) => {
        const sizes = list.map((x) => Math.abs(x - centre)).sort((a, b) => a - b);
        const rank = (x: number) => sizes.indexOf(Math.abs(x - centre)) + 1;
        const sum = list.reduce((sum, x) => sum + (x > centre ? rank(x) : 0), 0);
        const all = 2 ** list.length, most = list.length * (list.length + 1) / 2;
        let extreme = 0;
        for (let signs = 0; signs < all; signs++) {
          let other = 0;
          for (let i = 0; i < list.length; i++) if (signs >> i & 1) other += i + 1;
          if (Math.min(other, most - other) <= Math.min(sum, most - sum)) extreme++;
        }
        return extreme / all;
      };
      const nudge = 1e-4;
      ok(pValue(low - nudge) <= 1 - confidence + 1e-12);
      ok(pValue(high + nudge) <= 1 - confidence + 1e-12);
      ok(pValue((low + high) / 2) > 0.05);
    }),
    { numRuns: 60 },
  );
});

Deno.test("intervals of noise hold its centre as often as they say, heavy tails included", () => {
  const random = seededRandom(5);
  const heavy = () => normal(random) / Math.max(0.05, Math.abs(normal(random)));
  const ranks = share(2000, () => holds(signedRankInterval(Array.from({ length: 6 }, heavy)), 0));
  ok(Math.abs(ranks - 0.969) < 0.015, `${ranks}`);
  const student = share(2000, () => holds(studentInterval(Array.from({ length: 3 }, () => normal(random))), 0));
  ok(Math.abs(student - 0.95) < 0.015, `${student}`);
  deepEqual([studentInterval([2]).low, studentInterval([2]).confidence], [NaN, 0]);
  throws(() => studentInterval([1, 2, 3, 4, 5, 6]), RangeError);
});

Deno.test("blockBootstrap() holds the mean of series whose neighbours depend on each other", () => {
  const random = seededRandom(11);
  /** Each value is 0.7 of the one before, and noise. */
  const series = () => {
    let value = normal(random) / Math.sqrt(1 - 0.49);
    return Array.from({ length: 600 }, () => value = 0.7 * value + normal(random));
  };
  const covered = share(120, () => holds(blockBootstrap([series(), series()], 3), 0));
  ok(covered >= 0.87, `${covered}`);
  // Drawn one by one, neighbours count as if each told something new.
  const single = share(120, () => {
    const values = series();
    const own = mean(values), spread = Math.sqrt(mean(values.map((x) => (x - own) ** 2)) / values.length);
    return Math.abs(own) <= 1.96 * spread;
  });
  ok(single < 0.75, `${single}`);
  ok(blockLength(series()) > 8);
  ok(blockLength(Array.from({ length: 600 }, () => normal(random))) < 8);
});

Deno.test("blockBootstrap() of equal values is that value, and of what is not finite, nothing", () => {
  deepEqual(blockBootstrap([[0, 0, 0], [0, 0]]), { estimate: 0, low: 0, high: 0, confidence: 0.95 });
  ok(Number.isNaN(blockBootstrap([[1, NaN, 2]]).estimate));
  ok(Number.isNaN(blockBootstrap([]).low));
});

const run = (method: string, round: number, tpot: number) => ({
  method,
  round,
  ttft: tpot,
  tpot,
  throughput: 1 / tpot,
});

Deno.test("compareTimes() takes the ratio within a round: a machine that becomes slower changes both", () => {
  const runs = [1, 3, 2, 7, 5, 4].flatMap((slow, round) => [
    run("baseline", round, slow),
    run("tova", round, 1.1 * slow),
  ]);
  const { tpot, throughput, rounds, by } = compareTimes(runs, "tova", "baseline")!;
  deepEqual([rounds, by], [6, "wilcoxon"]);
  ok(Math.abs(tpot.low - 1.1) < 1e-9 && Math.abs(tpot.high - 1.1) < 1e-9);
  ok(Math.abs(throughput.estimate - 1 / 1.1) < 1e-9);
  equal(compareTimes(runs, "h2o", "baseline"), undefined);
  // A round without the baseline does not count.
  equal(compareTimes([...runs, run("tova", 6, 99)], "tova", "baseline")?.rounds, 6);
  equal(compareTimes(runs.slice(0, 6), "tova", "baseline")?.by, "t");
  deepEqual(driftOf(runs)?.tpot.map((x) => Number(x.toFixed(3))), [0.286, 0.857, 0.571, 2, 1.429, 1.143]);
});
