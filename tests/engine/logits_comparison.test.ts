/** The distance of two distributions on the device, against plain float64. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { LogitsComparison } from "../../lib/engine/logits_comparison.ts";
import { normals, runtime } from "../model/_models.ts";
import { distanceOf } from "../reference/divergence.ts";

/** Returns a function that compares two rows of logits. */
function comparer(vocab: number) {
  const { device } = runtime();
  const comparison = new LogitsComparison(runtime(), vocab, 1);
  const memory = device.allocate(4 * vocab);
  const bound = comparison.bind(memory);
  return {
    compare: (reference: Float32Array<ArrayBuffer>, own: Float32Array<ArrayBuffer>, target: number) => {
      device.write(memory, 0, own);
      return bound.queue(new Uint8Array(reference.buffer, reference.byteOffset, 4 * vocab), target)();
    },
    [Symbol.dispose]: () => [bound, memory, comparison].forEach((part) => part[Symbol.dispose]()),
  };
}

function isRight(got: ReturnType<typeof distanceOf>, right: ReturnType<typeof distanceOf>, what: string): void {
  ok(Math.abs(got.kl - right.kl) <= 1e-6 * right.kl + 1e-13, `${what}: KL ${got.kl}, not ${right.kl}`);
  const off = Math.abs(got.tokenProbability - right.tokenProbability);
  ok(off <= 1e-6 * Math.abs(right.tokenProbability) + 1e-13, `${what}: token's probability is off by ${off}`);
  equal(got.sameTop, right.sameTop, what);
}

Deno.test("the divergence is right to 1e-6 for every vocabulary, of near and of far distributions", () => {
  for (const vocab of [2, 300, 4096, 50_257, 151_936]) {
    using of = comparer(vocab);
    for (const scale of [1, 5, 20]) {
      const normal = normals(vocab + scale);
      const reference = Float32Array.from({ length: vocab }, () => scale * normal());
      for (const noise of [1e-5, 1e-3, 0.1, 1, 10]) {
        const own = reference.map((x) => x + noise * normal());
        const target = Math.abs(Math.trunc(1e6 * normal())) % vocab;
        isRight(of.compare(reference, own, target), distanceOf(reference, own, target), `${vocab}, ${scale}, ${noise}`);
      }
    }
  }
});

Deno.test("any two small distributions, ties and excluded tokens included", () => {
  const vocab = 7;
  using of = comparer(vocab);
  const logit = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ min: -80, max: 80, noNaN: true }));
  const row = (of: fc.Arbitrary<number>) =>
    fc.array(of, { minLength: vocab, maxLength: vocab }).map((x) => Float32Array.from(x));
  // Of the reference, single tokens may have no probability at all.
  const excluding = fc.tuple(row(logit), fc.subarray([0, 1, 2, 3, 4, 5], { maxLength: 6 })).map(([x, out]) => {
    for (const i of out) x[i] = -Infinity;
    return x;
  });
  fc.assert(fc.property(excluding, row(logit), fc.nat(vocab - 1), (reference, own, target) => {
    isRight(of.compare(reference, own, target), distanceOf(reference, own, target), `${reference} | ${own}`);
    deepEqual(of.compare(reference, reference, target), { kl: 0, tokenProbability: 0, sameTop: true });
  }));
});

Deno.test("equal logits are at a distance of exactly 0", () => {
  for (const vocab of [1, 33, 4097, 50_257, 151_936]) {
    using of = comparer(vocab);
    const normal = normals(vocab);
    for (let i = 0; i < 5; i++) {
      const row = Float32Array.from({ length: vocab }, () => 4 * normal());
      deepEqual(of.compare(row, row.slice(), i % vocab), { kl: 0, tokenProbability: 0, sameTop: true });
    }
  }
});

Deno.test("a token that the pass excludes is infinitely far, and what is no number stays none", () => {
  using of = comparer(3);
  const flat = new Float32Array(3);
  equal(of.compare(flat, Float32Array.of(0, -Infinity, 0), 0).kl, Infinity);
  for (const [reference, own] of [[flat, flat.map(() => NaN)], [Float32Array.of(0, NaN, 1), flat]] as const) {
    const { kl, sameTop } = of.compare(reference, own, 0);
    ok(Number.isNaN(kl));
    equal(sameTop, false);
  }
});

Deno.test("logits of several tokens are refused", () => {
  using comparison = new LogitsComparison(runtime(), 4, 1);
  using memory = runtime().device.allocate(32);
  throws(() => comparison.bind(memory), /^RangeError: Cannot compare logits in 32 bytes: one token's are 16$/);
});
