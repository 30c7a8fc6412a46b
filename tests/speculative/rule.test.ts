import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { distributionOf, draw, normalized } from "../../lib/speculative/decode/distribution.ts";
import { acceptGreedy, acceptSampled } from "../../lib/speculative/decode/rule.ts";

const near = (a: number, b: number) => Math.abs(a - b) < 1e-12;

/** Probabilities over a few tokens, some of them 0. */
const distribution = (tokens: number) =>
  fc.array(fc.integer({ min: 0, max: 20 }), { minLength: tokens, maxLength: tokens })
    .filter((weights) => weights.some((weight) => weight > 0))
    .map((weights) => normalized(Float64Array.from(weights)));

/** A generator that returns these numbers, one after another. */
function given(...numbers: readonly number[]): () => number {
  let at = 0;
  return () => {
    if (at === numbers.length) throw new Error("no number is left");
    return numbers[at++]!;
  };
}

/**
 * The exact distribution of a rule's first token after one drafted: integrates over its random numbers. What the rule
 * does changes only at the chance of acceptance and between tokens, so a fine grid that avoids these says it all.
 */
function exactly(p: Float64Array, q: Float64Array | undefined, token: number): Float64Array {
  const chance = Math.min(1, p[token]! / (q?.[token] ?? 1));
  const result = new Float64Array(p.length);
  if (chance > 0) {
    const { accepted } = acceptSampled([token], [q], () => p, given(chance * (1 - 1e-9), 0));
    ok(accepted === 1, "accepted just below the chance");
    result[token]! += chance;
  }
  if (chance < 1) {
    const rejected = (random: number) =>
      acceptSampled([token], [q], () => p, given(chance + (1 - chance) * 1e-9, random));
    ok(rejected(0).accepted === 0, "rejected just above the chance");
    // The ends of each token's share of the second number, by bisection.
    let from = 0;
    while (from < 1) {
      const { next } = rejected(from);
      let [low, high] = [from, 1];
      if (rejected(1 - 2 ** -53).next !== next) {
        for (let i = 0; i < 60; i++) {
          const middle = (low + high) / 2;
          if (rejected(middle).next === next) low = middle;
          else high = middle;
        }
      }
      result[next]! += (1 - chance) * (high - from);
      from = high;
    }
  }
  return result;
}

Deno.test("sampling has the target's distribution exactly, whatever the draft's is", () => {
  fc.assert(
    fc.property(distribution(5), distribution(5), (p, q) => {
      const all = new Float64Array(p.length);
      for (let token = 0; token < q.length; token++) {
        if (q[token] === 0) continue;
        exactly(p, q, token).forEach((share, i) => all[i]! += q[token]! * share);
      }
      all.forEach((share, i) => ok(Math.abs(share - p[i]!) < 1e-9, `token ${i}: ${share}, not ${p[i]}`));
    }),
    { numRuns: 200 },
  );
});

Deno.test("sampling has the target's distribution exactly after a token that was not drawn", () => {
  fc.assert(
    fc.property(distribution(5), fc.integer({ min: 0, max: 4 }), (p, token) => {
      exactly(p, undefined, token).forEach((share, i) => ok(Math.abs(share - p[i]!) < 1e-9));
    }),
    { numRuns: 200 },
  );
});

Deno.test("a longer draft is sampled row by row, and the token after it from the target's last row", () => {
  const sure = (token: number) => Float64Array.from({ length: 4 }, (_, i) => i === token ? 1 : 0);
  const p = [sure(1), sure(2), sure(3), sure(0)];
  const at = (row: number) => p[row]!;
  const draws = [0.5, 0.5, 0.5, 0.5];
  deepEqual(acceptSampled([1, 2, 3], [sure(1), sure(2), sure(3)], at, given(...draws)), { accepted: 3, next: 0 });
  deepEqual(acceptSampled([1, 3, 3], [sure(1), sure(3), sure(3)], at, given(...draws)), { accepted: 1, next: 2 });
  deepEqual(acceptSampled([], [], at, given(0.5)), { accepted: 0, next: 1 });
});

Deno.test("greedy keeps what a plain decoder would have written, and one token more", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { maxLength: 6 }),
      fc.array(fc.nat(3), { minLength: 7, maxLength: 7 }),
      (drafted, predicted) => {
        const { accepted, next } = acceptGreedy(drafted, predicted);
        deepEqual([...drafted.slice(0, accepted), next], predicted.slice(0, accepted + 1));
        ok(accepted === drafted.length || drafted[accepted] !== predicted[accepted]);
      },
    ),
  );
});

Deno.test("probabilities are the softmax of logits over the temperature, cut to the most likely", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 12 }),
      fc.double({ min: 0.2, max: 3, noNaN: true }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (logits, temperature, topP) => {
        const all = distributionOf(Float32Array.from(logits), { temperature, topP: 1 });
        const sum = logits.reduce((sum, logit) => sum + Math.exp(Math.fround(logit) / temperature), 0);
        all.forEach((share, i) => ok(near(share, Math.exp(Math.fround(logits[i]!) / temperature) / sum)));
        const cut = distributionOf(Float32Array.from(logits), { temperature, topP });
        ok(near(cut.reduce((a, b) => a + b), 1));
        const kept = [...all].filter((_, i) => cut[i]! > 0).sort((a, b) => b - a);
        const left = [...all].filter((_, i) => cut[i] === 0);
        ok(left.every((share) => share <= kept.at(-1)! + 1e-15));
        const held = kept.reduce((a, b) => a + b);
        ok(held >= topP - 1e-9);
        ok(kept.length === 1 || held - kept.at(-1)! < topP + 1e-9, "one token less would be too few");
      },
    ),
  );
});

Deno.test("a token of no probability is never drawn", () => {
  fc.assert(
    fc.property(distribution(6), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (p, random) => {
      ok(p[draw(p, random)]! > 0);
    }),
  );
  ok(draw(Float64Array.of(0, 0.3, 0.7 - 1e-9, 0), 1 - 2 ** -53) === 2);
});
