import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { breakEven, type FullCachePoint } from "../../lib/roofline/break_even.ts";
import { medianInterval } from "../../lib/roofline/median_interval.ts";

const time = fc.double({ min: 1e-4, max: 1e-2, noNaN: true });
const spread = fc.double({ min: 0, max: 0.5, noNaN: true });
const interval = fc.record({ median: time, below: spread, above: spread })
  .map(({ median, below, above }) => ({ median, low: median * (1 - below), high: median * (1 + above) }));
/** The full cache at two lengths or more. */
const full: fc.Arbitrary<FullCachePoint[]> = fc
  .uniqueArray(fc.integer({ min: 1, max: 5000 }), { minLength: 2, maxLength: 8 })
  .chain((lengths) =>
    fc.tuple(...lengths.toSorted((a, b) => a - b).map((length) => interval.map((point) => ({ length, ...point }))))
  );

/** The full cache's median at any length between the measured ones. */
function between(points: readonly FullCachePoint[], length: number): number {
  const after = points.findIndex((point) => point.length >= length);
  const b = points[after]!, a = points[Math.max(0, after - 1)]!;
  return a === b ? b.median : a.median + (b.median - a.median) * (length - a.length) / (b.length - a.length);
}

Deno.test("breakEven() is where the full cache is slower from there on, at every length between", () => {
  fc.assert(fc.property(full, interval, (points, method) => {
    const { length, within } = breakEven(points, method, 0);
    equal(within, points.at(-1)!.length);
    const first = points[0]!.length;
    if (length === null) return ok(points.at(-1)!.median < method.median);
    for (let at = Math.max(first, length + 1); at <= within; at++) {
      ok(between(points, at) >= method.median * (1 - 1e-9), `slower at ${at}, after ${length}`);
    }
    // Lengths are rounded: right before the result the full cache is faster, if only at one point.
    const before = [length - 1, length, length + 1].filter((at) => first <= at && at <= within);
    if (length > first) {
      ok(before.some((at) => between(points, at) < method.median * (1 + 1e-9)), `faster before ${length}`);
    }
  }));
});

Deno.test("breakEven() lies between the earliest and the latest, and never before the budget", () => {
  const or = (length: number | null) => length ?? Infinity;
  fc.assert(fc.property(full, interval, fc.integer({ min: 0, max: 6000 }), (points, method, budget) => {
    const { length, earliest, latest } = breakEven(points, method, budget);
    ok(or(earliest) <= or(length) && or(length) <= or(latest), `${earliest} ${length} ${latest}`);
    for (const at of [length, earliest, latest]) ok(or(at) >= budget);
  }));
});

Deno.test("breakEven() of a line is its inverse", () => {
  fc.assert(
    fc.property(
      time,
      fc.double({ min: 1e-8, max: 1e-6, noNaN: true }),
      fc.double({ min: 300, max: 3900, noNaN: true }),
      (start, slope, at) => {
        const exact = (median: number) => ({ median, low: median, high: median });
        const points = [256, 512, 2000, 4096].map((length) => ({ length, ...exact(start + slope * length) }));
        const found = breakEven(points, exact(start + slope * at), 16);
        ok(Math.abs(found.length! - at) <= 0.51, `${found.length} is not ${at}`);
        deepEqual([found.earliest, found.latest], [found.length, found.length]);
      },
    ),
  );
});

Deno.test("medianInterval() holds the median, and grows no wider than the samples", () => {
  fc.assert(fc.property(fc.array(time, { minLength: 1, maxLength: 200 }), (values) => {
    const { low, median, high } = medianInterval(values);
    ok(Math.min(...values) <= low && low <= median && median <= high && high <= Math.max(...values));
  }));
});

Deno.test("medianInterval() covers the true median as often as it says", () => {
  let state = 1;
  const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  let covered = 0;
  const runs = 2000;
  for (let run = 0; run < runs; run++) {
    const { low, high } = medianInterval(Array.from({ length: 64 }, () => -Math.log(1 - uniform()))); // median ln 2
    if (low <= Math.LN2 && Math.LN2 <= high) covered++;
  }
  ok(covered / runs > 0.93 && covered / runs < 0.99, `${covered} of ${runs}`);
});
