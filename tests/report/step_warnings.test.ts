import assert from "node:assert/strict";
import { stepWarnings } from "../../lib/report/tables/step_warnings.ts";

/** Steps of about 4 ms that vary by 1 %, always the same. */
const steady = (count: number) => Array.from({ length: count }, (_, i) => 0.004 * (1 + 0.01 * Math.sin(i * 7)));

Deno.test("stepWarnings() is silent about steady steps", () => {
  assert.deepEqual(stepWarnings([steady(200), steady(200)]), []);
});

Deno.test("stepWarnings() is silent about a baseline whose steps grow with its cache", () => {
  assert.deepEqual(stepWarnings([Array.from({ length: 500 }, (_, i) => 0.004 + i * 1e-5)]), []);
});

Deno.test("stepWarnings() points out a cold first step and in how many samples", () => {
  const cold = [0.02, ...steady(99)];
  assert.deepEqual(stepWarnings([cold, steady(100)]), [
    "The first step took 20.0 ms, 5.0 times the median of the others (4.00 ms) (in 1 of 2 samples): " +
    "more warm-up may help (--num_warmup)",
  ]);
});

Deno.test("stepWarnings() points out outliers beyond one in a hundred", () => {
  const disturbed = steady(200);
  disturbed[50] = 0.5;
  assert.deepEqual(stepWarnings([disturbed]), []);
  disturbed[60] = disturbed[70] = 0.02;
  assert.deepEqual(stepWarnings([disturbed]), [
    "3 of 199 steps are outliers (the slowest took 500 ms): other work on this machine may have disturbed " +
    "the measurement",
  ]);
});

Deno.test("stepWarnings() does not call a hiccup of a few percent an outlier, however steady the rest", () => {
  const exact = Array(100).fill(0.004);
  exact.fill(0.0044, 40, 60);
  assert.deepEqual(stepWarnings([exact]), []);
});

Deno.test("stepWarnings() is silent about a handful of steps", () => {
  assert.deepEqual(stepWarnings([[1, 0.001, 0.001], []]), []);
});
