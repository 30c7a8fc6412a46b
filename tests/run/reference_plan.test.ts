import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { MOST_REFERENCE_BYTES, rowAt, rowBytes, rowsOf, strideFor } from "../../lib/run/measure/reference_plan.ts";

Deno.test("every step is kept while all samples together are within the limit, else every k-th", () => {
  deepEqual(strideFor(2000, 50_304, 3), { first: 0, stride: 1 });
  // To the byte.
  deepEqual(strideFor(10, 25, 2, 2000), { first: 0, stride: 1 });
  deepEqual(strideFor(10, 25, 2, 1999), { first: 1, stride: 2 });
  // At least one step a sample.
  deepEqual(strideFor(10, 25, 2, 0), { first: 5, stride: 10 });
  deepEqual(strideFor(1, 25, 2, 0), { first: 0, stride: 1 });
});

Deno.test("for any run: within the limit, no sparser than needed, and spread evenly over the pass", () => {
  const sizes = [
    fc.integer({ min: 1, max: 50_000 }),
    fc.integer({ min: 1, max: 300_000 }),
    fc.integer({ min: 1, max: 20 }),
  ];
  fc.assert(fc.property(...sizes as [typeof sizes[0], typeof sizes[0], typeof sizes[0]], (steps, vocab, samples) => {
    const plan = strideFor(steps, vocab, samples);
    const kept = Array.from({ length: steps }, (_, step) => step).filter((step) => rowAt(plan, step) !== undefined);
    equal(kept.length, rowsOf(plan, steps));
    kept.forEach((step, row) => {
      equal(rowAt(plan, step), row);
      equal(step, plan.first + row * plan.stride);
    });
    ok(kept.length >= 1);
    const bytes = (rows: number) => samples * rows * rowBytes(vocab);
    ok(kept.length === 1 || bytes(kept.length) <= MOST_REFERENCE_BYTES);
    if (plan.stride > 1) ok(bytes(Math.ceil(steps / (plan.stride - 1))) > MOST_REFERENCE_BYTES);
    // No stretch at either end is longer than a stride.
    ok(plan.first < plan.stride && steps - kept.at(-1)! <= plan.stride);
  }));
});
