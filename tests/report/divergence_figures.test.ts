import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { divergenceSpread } from "../../lib/report/results/divergence_figures.ts";
import type { Divergence } from "../../lib/report/results/spread_types.ts";

const sample = (kl: number[], token_probability = kl.map(() => 0)): Divergence => ({
  kl,
  token_probability,
  same_top: kl.map(() => 1),
  first: 0,
  stride: 1,
});

Deno.test("the figures are over the steps of all samples, as in plain code", () => {
  const share = fc.double({ min: 0, max: 50, noNaN: true }), change = fc.double({ min: -1, max: 1, noNaN: true });
  const steps = fc.array(fc.tuple(share, change), { maxLength: 300 });
  fc.assert(fc.property(fc.array(steps, { minLength: 1, maxLength: 4 }), (samples) => {
    const all = samples.flat();
    if (all.length === 0) return;
    const found = divergenceSpread(samples.map((steps) => sample(steps.map(([kl]) => kl), steps.map(([, dp]) => dp))));
    const sorted = all.map(([kl]) => kl).sort((a, b) => a - b);
    equal(found.steps, all.length);
    equal(found.max_kl, sorted.at(-1));
    const half = Math.floor(all.length / 2);
    const median = all.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
    ok(Math.abs(found.median_kl - median) <= 1e-12 * median);
    ok(found.median_kl <= found.p99_kl && found.p99_kl <= found.max_kl);
    // At most 1 % of the steps are above the 99th percentile.
    ok(sorted.filter((kl) => kl > found.p99_kl * (1 + 1e-12)).length <= Math.ceil(0.01 * (all.length - 1)));
    const rms = Math.sqrt(all.reduce((sum, [, dp]) => sum + dp * dp, 0) / all.length);
    ok(Math.abs(found.rms_token_probability - rms) <= 1e-12);
  }));
});

Deno.test("known figures, steps that are no numbers, and no steps", () => {
  const kl = Array.from({ length: 101 }, (_, i) => i);
  deepEqual(divergenceSpread([sample(kl.slice(0, 40), kl.slice(0, 40).map(() => -0.5)), sample(kl.slice(40))]), {
    median_kl: 50,
    p99_kl: 99,
    max_kl: 100,
    rms_token_probability: Math.sqrt(40 * 0.25 / 101),
    steps: 101,
  });
  const { median_kl, p99_kl, max_kl } = divergenceSpread([sample([1, NaN, 3])]);
  deepEqual([median_kl, p99_kl, max_kl], [NaN, NaN, NaN]);
  equal(divergenceSpread([sample([1, Infinity, 3])]).max_kl, Infinity);
  throws(() => divergenceSpread([sample([])]), /^RangeError: Cannot describe a divergence: there are no steps$/);
});
