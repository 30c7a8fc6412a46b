/** Rank tests, Student's t and Holm's adjustment: against published tables, and against counting every way. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { pairedEffect, shiftEffect, studentEffect } from "../../lib/study/compare/statistics/effect.ts";
import { holm } from "../../lib/study/compare/statistics/holm.ts";
import { mannWhitneyTail, shiftInterval } from "../../lib/study/compare/statistics/mann_whitney.ts";
import { digamma, moderateVariances, trigamma } from "../../lib/study/compare/statistics/moderated_variance.ts";
import { signedRankTail } from "../../lib/study/compare/statistics/signed_rank_tail.ts";
import { seededRandom } from "../../lib/util/random.ts";
import { studentQuantile, studentTail } from "../../lib/study/compare/statistics/student_t.ts";

const near = (found: number, expected: number, tolerance = 1e-12) =>
  ok(Math.abs(found - expected) <= tolerance, `${found}, ${expected} is expected`);

Deno.test("Student's t has the quantiles of printed tables", () => {
  // Two-sided 95 %, 99 % and 99.9 %.
  const table: [number, number, number, number][] = [
    [1, 12.706, 63.657, 636.619],
    [2, 4.303, 9.925, 31.599],
    [5, 2.571, 4.032, 6.869],
    [6, 2.447, 3.707, 5.959],
    [10, 2.228, 3.169, 4.587],
    [30, 2.042, 2.75, 3.646],
    [120, 1.98, 2.617, 3.373],
    [Infinity, 1.96, 2.576, 3.291],
  ];
  for (const [df, ...values] of table) {
    [0.025, 0.005, 0.0005].forEach((tail, i) => near(studentQuantile(tail, df), values[i]!, 6e-4));
  }
  // Closed forms: the Cauchy distribution, and two degrees of freedom.
  for (const t of [-3, -0.5, 0, 0.1, 1, 40]) {
    near(studentTail(t, 1), 0.5 - Math.atan(t) / Math.PI);
    near(studentTail(t, 2), 0.5 - t / (2 * Math.sqrt(2 + t * t)));
  }
  equal(studentTail(Infinity, 3), 0);
  equal(studentTail(-Infinity, 3), 1);
});

Deno.test("Mann and Whitney's probabilities are those of their table", () => {
  // Mann and Whitney 1947, table I: probability of a U of at most the given one, for n = 4 and m = 4.
  [0.014, 0.029, 0.057, 0.1, 0.171, 0.243, 0.343, 0.443, 0.557].forEach((expected, u) => {
    // Four numbers of which so many pairs are in the other order.
    const first = [1, 2, 3, 4];
    const second = [4.5, 4.5, 4.5, 4.5].map((at, i) => at + i / 10 - Math.min(4, Math.max(0, u - 4 * i)));
    near(mannWhitneyTail(first, second), expected, 6e-4);
  });
  // Critical values at 5 % two-sided: U of 13 for 8 and 8, of 23 for 10 and 10; one more is not significant.
  for (const [n, critical] of [[8, 13], [10, 23]] as const) {
    const at = (u: number) => {
      // The first of the second group is below u of the first group's, n at most; the rest follows.
      const second = Array.from({ length: n }, (_, i) => n + 0.5 + i / 100 - Math.min(n, Math.max(0, u - n * i)));
      return mannWhitneyTail(Array.from({ length: n }, (_, i) => i + 1), second);
    };
    ok(at(critical) <= 0.025, `${n}: ${at(critical)}`);
    ok(at(critical + 1) > 0.025, `${n}: ${at(critical + 1)}`);
  }
});

const few = (maxLength: number) => fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength });

/** All choices of `count` of n places. */
function* choices(n: number, count: number, from = 0): Generator<number[]> {
  if (count === 0) yield [];
  else for (let i = from; i <= n - count; i++) for (const rest of choices(n, count - 1, i + 1)) yield [i, ...rest];
}

/** Pairs in which the second group is higher; a tie is half a pair. */
function pairs(first: readonly number[], second: readonly number[]): number {
  return first.flatMap((a) => second.map((b): number => b > a ? 1 : b === a ? 0.5 : 0)).reduce((a, b) => a + b, 0);
}

Deno.test("Mann and Whitney's probability is the share of all ways to share the values out, ties too", () => {
  fc.assert(fc.property(few(5), few(5), (first, second) => {
    const all = [...first, ...second];
    const seen = pairs(first, second);
    let above = 0, count = 0;
    for (const chosen of choices(all.length, second.length)) {
      count++;
      if (pairs(all.filter((_, i) => !chosen.includes(i)), chosen.map((i) => all[i]!)) >= seen - 1e-9) above++;
    }
    near(mannWhitneyTail(first, second), above / count);
  }));
});

/** Numbers evenly over -1 to 1: those of fc.double() are mostly tiny. */
const even = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((each) => each / 1e6);

Deno.test("an interval of a shift holds the shifts that the test does not reject", () => {
  const group = fc.array(even, { minLength: 4, maxLength: 8 });
  let tried = 0;
  fc.assert(fc.property(group, group, (first, second) => {
    const { low, high, estimate, confidence } = shiftInterval(first, second);
    ok(low <= estimate && estimate <= high);
    ok(confidence >= 0.95);
    const rejected = (shift: number) =>
      Math.min(
        mannWhitneyTail(first, second.map((each) => each - shift)),
        mannWhitneyTail(first.map((each) => -each), second.map((each) => shift - each)),
      ) <= 0.025;
    const differences = first.flatMap((a) => second.map((b) => b - a)).sort((a, b) => a - b);
    if (differences.some((each, i) => i > 0 && each - differences[i - 1]! < 1e-8)) return;
    tried++;
    ok(!rejected(low + 1e-9) && !rejected(high - 1e-9));
    ok(rejected(low - 1e-9) && rejected(high + 1e-9));
  }));
  ok(tried > 50, `${tried}`);
});

Deno.test("Wilcoxon's probability is the share of all ways to choose signs", () => {
  fc.assert(fc.property(few(8), (differences) => {
    const others = differences.filter((each) => each !== 0);
    const sizes = others.map(Math.abs);
    // Mean ranks by counting: O(n^2).
    const ranks = sizes.map((a) => sizes.filter((b) => b < a).length + (sizes.filter((b) => b === a).length + 1) / 2);
    const sum = (isPositive: (i: number) => boolean) => ranks.reduce((s, rank, i) => isPositive(i) ? s + rank : s, 0);
    const seen = sum((i) => others[i]! > 0);
    let above = 0;
    for (let signs = 0; signs < 2 ** others.length; signs++) {
      if (sum((i) => (signs >> i & 1) === 1) >= seen - 1e-9) above++;
    }
    near(signedRankTail(differences), above / 2 ** others.length);
  }));
  // Wilcoxon's table: for n = 10, a sum of 8 is significant at 5 % two-sided, 9 is not.
  const of = (...negative: number[]) =>
    signedRankTail(Array.from({ length: 10 }, (_, i) => negative.includes(i + 1) ? -i - 1 : i + 1));
  ok(of(8) <= 0.025);
  ok(of(9) > 0.025);
});

Deno.test("Holm's adjustment is what stepping down by hand gives", () => {
  fc.assert(fc.property(fc.array(even.map((each) => each * each / 4), { maxLength: 12 }), (probabilities) => {
    const adjusted = holm(probabilities);
    for (const level of [0.01, 0.05, 0.2]) {
      // The smallest against level / n, the next against level / (n - 1), until one fails.
      const sorted = [...probabilities.entries()].sort(([, a], [, b]) => a - b);
      const stop = sorted.findIndex(([, p], place) => p * (probabilities.length - place) >= level);
      const found = new Set(sorted.slice(0, stop < 0 ? sorted.length : stop).map(([index]) => index));
      deepEqual(new Set([...adjusted.keys()].filter((index) => adjusted[index]! < level)), found);
    }
    const sorted = probabilities.map((p, i) => [p, adjusted[i]!] as const).sort(([a], [b]) => a - b);
    ok(sorted.every(([, p], i) => i === 0 || p >= sorted[i - 1]![1]));
  }));
});

Deno.test("effects: what is known exactly, ranks where there are enough values, and what all share", () => {
  const terms = { margin: 0.03, between: 0 };
  equal(studentEffect(0.02, 0, 6, 0.03).p, 1);
  equal(studentEffect(0.04, 0, 6, 0.03).p, 0);
  equal(studentEffect(-0.04, 0, 6, 0.03).p, 0);
  const eight = (at: number) => Array.from({ length: 8 }, (_, i) => at + i / 1000);
  const ranked = shiftEffect(eight(0), eight(0.1), terms);
  equal(ranked.by, "mann-whitney");
  near(ranked.p!, 2 / 12870);
  near(shiftEffect(eight(0), eight(-0.1), terms).p!, 2 / 12870);
  equal(shiftEffect(eight(0), eight(0.02), terms).p, 1);
  // The machine's state widens the interval: 8 values say nothing of it.
  const drifting = shiftEffect(eight(0), eight(0.1), { margin: 0.03, between: 2 * 0.05 ** 2 });
  equal(drifting.by, "welch");
  ok(drifting.low < 0 && drifting.high > 0.2 && drifting.p! > 0.3);
  const single = shiftEffect([0], [0.1], terms);
  ok(Number.isNaN(single.low) && single.p === 1 && Math.abs(single.estimate - 0.1) < 1e-12);
  // Welch by hand: means 1 and 3, variances 1 and 4 of three each: t = 2 / sqrt(5 / 3), 2.94 degrees of freedom.
  const welch = shiftEffect([0, 1, 2], [1, 3, 5], { margin: 0, between: 0 });
  near(welch.p!, 2 * studentTail(2 / Math.sqrt(5 / 3), (5 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2)), 1e-9);
});

Deno.test("paired effects: by texts if there are six, else along the text", () => {
  const text = (at: number) => Array.from({ length: 20 }, (_, i) => at + (i % 2 === 0 ? 0.001 : -0.001));
  const six = pairedEffect([1, 2, 3, 4, 5, 6].map((at) => text(at / 100)), { margin: 0.0005, texts: 6 });
  equal(six.by, "wilcoxon");
  near(six.p!, 2 / 64);
  equal(pairedEffect([1, 2, 3, 4, 5, 6].map((at) => text(at / 100)), { margin: 0.0005, texts: 1 }).by, "bootstrap");
  const alike = pairedEffect([[0, 0, 0]], { margin: 0.0005, texts: 1 });
  deepEqual([alike.low, alike.high, alike.p], [0, 0, 1]);
  equal(pairedEffect([[0.001, 0.001, 0.001]], { margin: 0.0005, texts: 1 }).p, 0);
  equal(pairedEffect([[NaN, 1]], { margin: 0.0005, texts: 1 }).p, 1);
});

Deno.test("digamma and trigamma have the values of printed tables", () => {
  const gamma = 0.5772156649015329;
  near(digamma(1), -gamma);
  near(digamma(0.5), -gamma - 2 * Math.LN2);
  near(digamma(10), 2.251752589066721);
  near(trigamma(1), Math.PI ** 2 / 6);
  near(trigamma(0.5), Math.PI ** 2 / 2);
  near(trigamma(10), 0.10516633568168575);
});

Deno.test("variances are moderated as much as they are alike", () => {
  const alike = [1, 1.5, 0.6, 0.9, 1.2, 0.8].map((variance) => ({ variance, df: 6 }));
  // No more unlike than chance makes them: what all say together counts as five more of each.
  const common = moderateVariances(alike, 0).map(({ variance, df }, i) => {
    near(df, 36, 1e-9);
    return (36 * variance - 6 * alike[i]!.variance) / 30;
  });
  for (const each of common) near(each, common[0]!, 1e-9);
  ok(common[0]! > 0.9 && common[0]! < 1.2);
  // What rows share is estimated once: of thousands, as if there were four.
  const many = Array.from({ length: 1000 }, (_, i) => ({ variance: 1 + i / 1e4, df: 6 }));
  near(moderateVariances(many, 0.25)[0]!.df, 6 * 1000 / (1 + 999 / 4), 1e-9);
  // Rows of very different noise say little of each other: a small variance is raised, a large one stays.
  const unlike = [1e-6, 1e-2, 1e2, 1e6].map((variance) => ({ variance, df: 6 }));
  for (const [i, { variance, df }] of moderateVariances(unlike, 0.25).entries()) {
    ok(df < 6.5);
    ok(variance > 0.9 * unlike[i]!.variance);
  }
  ok(moderateVariances(unlike, 0.25)[3]!.variance < 1.1 * 1e6);
  const single = [{ variance: 1, df: 6 }, { variance: 0, df: 6 }, { variance: NaN, df: 0 }];
  deepEqual(moderateVariances(single, 0.25), single);
});

Deno.test("moderated ratios to one baseline raise false findings as rarely as they should", () => {
  const random = seededRandom(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  // Seven rows over one baseline, seven earlier nights; equal noise, and noise that differs by a factor of three.
  for (const noises of [[1, 1, 1, 1, 1, 1, 1], [0.5, 0.7, 0.8, 1, 1.2, 1.4, 1.5]]) {
    let found = 0, count = 0;
    for (let trial = 0; trial < 1500; trial++) {
      const base = Array.from({ length: 8 }, normal);
      const rows = noises.map((noise) => base.map((each) => noise * normal() - each));
      const spread = rows.map((row) => {
        const mean = row.slice(0, 7).reduce((a, b) => a + b, 0) / 7;
        return { variance: row.slice(0, 7).reduce((sum, each) => sum + (each - mean) ** 2, 0) / 6, df: 6, mean };
      });
      moderateVariances(spread, 0.25).forEach(({ variance, df }, i) => {
        const t = (rows[i]![7]! - spread[i]!.mean) / Math.sqrt(variance * (1 + 1 / 7));
        count++;
        if (studentTail(Math.abs(t), df) < 0.005) found++;
      });
    }
    // 1 % is expected; rows of one trial share their baseline, so the count varies more than independent ones would.
    ok(found / count < 0.015, `${noises}: ${found} of ${count}`);
    ok(found / count > 0.004, `${noises}: ${found} of ${count}`);
  }
});
