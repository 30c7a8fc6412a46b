import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { compareQuality } from "../../../lib/report/statistics/quality_comparison.ts";

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const near = (a: number, b: number) => ok(Math.abs(a - b) < 1e-9, `${a}, ${b}`);

Deno.test("compareQuality() compares samples token by token, in whatever order they are", () => {
  const step = fc.tuple(fc.double({ min: 0, max: 9, noNaN: true }), fc.double({ min: 0, max: 9, noNaN: true }));
  const series = fc.array(fc.tuple(step, fc.tuple(fc.nat(1), fc.nat(1))), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(series, { minLength: 1, maxLength: 3 }), fc.nat(3), (samples, evictedFrom) => {
      const of = (which: 0 | 1) =>
        samples.map((steps, sample) => ({
          sample,
          nll: steps.map(([nll]) => nll[which]),
          right: steps.map(([, right]) => right[which]),
        }));
      const [own, baseline] = [of(0), of(1)];
      const compared = compareQuality(own, baseline.toReversed(), { texts: 3, evictedFrom });
      const losses = own.map(({ nll }, i) => nll.map((loss, step) => loss - baseline[i]!.nll[step]!));
      near(compared.ln_ppl_ratio.estimate, mean(losses.flat()));
      near(compared.ln_ppl_ratio_evicted!.estimate, mean(losses.flatMap((loss) => loss.slice(evictedFrom))));
      const rights = own.flatMap(({ right }, i) => right.map((value, step) => value - baseline[i]!.right[step]!));
      near(compared.accuracy.estimate, mean(rights));
      equal(compared.texts, 3);
      for (const { estimate, low, high } of [compared.ln_ppl_ratio, compared.accuracy]) {
        ok(low <= estimate + 1e-12 && estimate <= high + 1e-12);
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("compareQuality() has no accuracy where logits are not numbers, though a token may be right by chance", () => {
  const baseline = [{ sample: 0, nll: [1, 2, 3], right: [1, 0, 1] }];
  const own = [{ sample: 0, nll: [1, NaN, NaN], right: [1, 1, 0] }];
  for (const [a, b] of [[own, baseline], [baseline, own]] as const) {
    const { ln_ppl_ratio, ln_ppl_ratio_evicted, accuracy } = compareQuality(a, b, { texts: 1, evictedFrom: 1 });
    for (const interval of [ln_ppl_ratio, ln_ppl_ratio_evicted, accuracy]) {
      deepEqual(interval, { estimate: NaN, low: NaN, high: NaN, confidence: 0 });
    }
  }
  // An impossible token is a known loss: its prediction counts.
  const impossible = [{ sample: 0, nll: [1, Infinity, 3], right: [1, 0, 0] }];
  const { ln_ppl_ratio, accuracy } = compareQuality(impossible, baseline, { texts: 1, evictedFrom: null });
  deepEqual([ln_ppl_ratio.estimate, accuracy.estimate], [NaN, -1 / 3]);
});

Deno.test("compareQuality() has nothing after eviction if nothing evicts", () => {
  const samples = [{ sample: 0, nll: [1, 2, 3], right: [1, 0, 1] }];
  equal(compareQuality(samples, samples, { texts: 1, evictedFrom: null }).ln_ppl_ratio_evicted, null);
});
