/** Rounding by the plain references: against ONNX Runtime's numbers, and within the bound that ties are judged by. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { roundTo } from "../../lib/model/step/round.ts";
import * as s from "../../lib/policies/score.ts";
import { numbers } from "../cache/_numbers.ts";
import { type Entry, evaluate } from "../reference/cache.ts";
import { roundingShare, sizesOf } from "../reference/magnitude.ts";
import { nearest, nudged, shaken, UNIT } from "../reference/rounding.ts";
import { emulate } from "./emulate.ts";
import limits from "../fixtures/rounding_limits.json" with { type: "json" };
import { FAMILIES, familyModel, familyReadings, logitCases } from "./family_parity.ts";
import { goldenRuns, titleOf } from "./golden.ts";
import { checked, Judge } from "./judge.ts";
import { kernelCases } from "./kernel_parity.ts";
import { CHOICES, nllLimit, SMOOTH } from "./limits.ts";

const TYPES = ["float32", "float16", "bfloat16"] as const;
const SIZES = fc.double({ min: 1e-4, max: 6e4, noNaN: true });

Deno.test("numbers are rounded to the nearest of their type, as the engine rounds them", () => {
  fc.assert(fc.property(fc.constantFrom(...TYPES), SIZES, fc.boolean(), (dtype, size, negative) => {
    const x = Math.fround(negative ? -size : size);
    equal(nearest(dtype, x), roundTo(dtype, x));
    ok(Math.abs(nearest(dtype, x) - x) <= UNIT[dtype] * Math.abs(x));
  }));
  for (const dtype of TYPES) {
    // A tie goes to the even number; the next number is one unit of the last place away.
    equal(nearest(dtype, 1 + UNIT[dtype]), 1);
    equal(nearest(dtype, 1 + 3 * UNIT[dtype]), 1 + 4 * UNIT[dtype]);
    for (const x of [0, -0, Infinity, -Infinity, NaN]) ok(Object.is(nearest(dtype, x), x));
  }
});

Deno.test("nudged numbers are of their type, and x in the mean; shaken ones are within half a unit", () => {
  fc.assert(
    fc.property(fc.constantFrom(...TYPES), SIZES, fc.nat(1e6), (dtype, x, seed) => {
      const uniform = numbers(seed);
      const all = Array.from({ length: 400 }, () => nudged(dtype, x, uniform));
      ok(all.every((y) => nearest(dtype, y) === y && Math.abs(y - x) <= 2 * UNIT[dtype] * x));
      const mean = all.reduce((a, b) => a + b) / all.length;
      ok(Math.abs(mean - x) < 0.4 * UNIT[dtype] * x, `${mean} for ${x}`);
      ok(Math.abs(shaken(dtype, x, uniform) - x) <= UNIT[dtype] * x * (1 + 1e-9));
    }),
    { numRuns: 50 },
  );
});

const vectors = (seed: number, share: number): Entry[] => {
  const next = numbers(seed), error = numbers(seed + 1);
  const vector = () => Array.from({ length: 8 }, () => (4 * next() - 2) * (1 + share * (2 * error() - 1)));
  return Array.from({ length: 12 }, (_, index) => ({ index, key: vector(), value: vector(), seen: new Map() }));
};

Deno.test("a score moves by no more of its size than the numbers it is made of", () => {
  const direction = s.div(s.keys, s.normOver("dim", s.keys));
  const SCORES = {
    norms: s.neg(s.keyNorm),
    "pooled norms": s.avgPool(5, s.sub(s.add(s.maxOver("entries", s.keyNorm), s.constant(1e-6)), s.keyNorm)),
    "sums of values": s.sumOver("dim", s.abs(s.values)),
    "largest of pools": s.maxPool(3, s.sumOver("dim", s.keys)),
    keydiff: s.neg(s.sumOver("dim", s.mul(direction, s.meanOver("entries", direction)))),
    "logarithms and powers": s.add(s.log(s.keyNorm), s.exp(s.neg(s.keyNorm))),
    roots: s.sqrt(s.normOver("dim", s.values)),
  };
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(SCORES)), fc.nat(1e6), (name, seed) => {
      const score = SCORES[name as keyof typeof SCORES] as s.Score;
      const share = 1e-6;
      const [exact, moved] = [0, share].map((share) => vectors(seed, share));
      const [a, b] = [exact!, moved!].map((entries) =>
        evaluate(score, { entries, paid: () => 0, random: () => 0, round: (x) => x })
      );
      const sizes = sizesOf(score, { entries: exact!, paid: () => 0, sharpest: 0 });
      // A quotient and a product of directions are off by each of their parts.
      a!.forEach((x, i) => ok(Math.abs(x - b![i]!) <= 2 * share * sizes[i]!, `${name}: ${x}, ${b![i]}, ${sizes[i]}`));
    }),
    { numRuns: 300 },
  );
});

Deno.test("the share that rounding takes grows with the type's unit, with depth and with width", () => {
  const shape = { hidden: 256, intermediate: 1024, headDim: 32, heads: 8 };
  const of = (dtype: typeof TYPES[number], layer = 0, hidden = 256) =>
    roundingShare(dtype, { ...shape, hidden }, layer, 64);
  ok(of("float32") < of("float16") && of("float16") < of("bfloat16"));
  ok(of("float32", 7) > of("float32") && of("float32", 0, 4096) > of("float32"));
  // A few tens of float32's units: scores that differ by more are no tie.
  ok(of("float32", 7) < 1000 * UNIT.float32);
});

Deno.test("a decoder that rounds is judged right, within the limits in the fixture, whatever the nudge", () => {
  const names = ["gemma, h2o", "llama-gqa, fix_size_l2", "qwen2-windows, streaming_llm"];
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.constantFrom("float16", "bfloat16"),
      fc.constantFrom("ort", "own"),
      fc.nat(1e6),
      (name, dtype, kernels, nudge) => {
        const reading = familyReadings(name.split(",")[0]!)[name]!;
        const judge = new Judge(reading);
        const { verdict, text } = checked(
          judge.judge(emulate(reading, { dtype, kernels, nudge }), dtype),
          reading,
          // What many nudges do may be more than what few did.
          2 * nllLimit(name, dtype),
        );
        equal(verdict, "passed", `${name}, ${dtype}, nudge ${nudge}: ${text}`);
      },
    ),
    { numRuns: 12 },
  );
});

Deno.test("everything that a GPU computes in half precision has a limit, and nothing else has", () => {
  const kernels = [...kernelCases("cuda")].filter(({ types }) => types.length > 1).map(({ name }) =>
    `kernels: ${name}`
  );
  const wanted = {
    nll: [...kernels, ...FAMILIES.flatMap((name) => Object.keys(familyReadings(name)))],
    logits: FAMILIES.flatMap((name) => logitCases(name, familyModel(name)).map(({ name }) => name)),
    perplexity: [CHOICES, SMOOTH, ...goldenRuns.map(titleOf)],
  };
  for (const [kind, names] of Object.entries(wanted)) {
    const measured = limits[kind as keyof typeof wanted] as Record<string, { float16: number; bfloat16: number }>;
    deepEqual(Object.keys(measured).sort(), [...new Set(names)].sort(), kind);
    for (const [name, { float16, bfloat16 }] of Object.entries(measured)) {
      ok(float16 > 0 && bfloat16 > 0 && float16 < bfloat16 * 2, `${kind} of ${name}: ${float16}, ${bfloat16}`);
    }
  }
});
