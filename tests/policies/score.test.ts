import assert from "node:assert/strict";
import fc from "fast-check";
import { scoreFault } from "../../lib/policies/check_score.ts";
import { definePolicy } from "../../lib/policies/policy.ts";
import {
  abs,
  add,
  attention,
  avgPool,
  constant,
  div,
  exp,
  type Feature,
  featuresOf,
  keyNorm,
  keys,
  log,
  maxOver,
  maxPool,
  meanOver,
  mul,
  neg,
  normOver,
  random,
  type Score,
  sqrt,
  sub,
  sumOver,
  values,
} from "../../lib/policies/score.ts";

const sizes = () => () => "all" as const;
const all = { from: "all", accumulate: true } as const;

Deno.test("the type system refuses a score of attention that does not say which", () => {
  const parts = { name: "mine", params: { size: 4 }, keep: sizes };
  const refused = [
    // @ts-expect-error: no attention
    () => definePolicy({ ...parts, score: () => attention })(),
    // @ts-expect-error: through every combinator
    () => definePolicy({ ...parts, score: () => neg(avgPool(3, mul(keyNorm, add(attention, constant(1))))) })(),
    // @ts-expect-error: on one side
    () => definePolicy({ ...parts, score: () => div(keyNorm, meanOver("entries", attention)) })(),
    // @ts-expect-error: for some parameters
    () => definePolicy({ ...parts, score: ({ size }) => size > 2 ? attention : keyNorm })(),
    // @ts-expect-error: a score that may read any feature may read attention
    () => definePolicy({ ...parts, score: () => attention as Score })(),
  ];
  // Without type checking, making the policy throws the same.
  for (const make of refused) {
    assert.throws(make, /^TypeError: Cannot make mine: its score reads attention, and it has no/);
  }
  // @ts-expect-error: attention without a score
  definePolicy({ ...parts, attention: () => all });
});

Deno.test("the type system takes every score that can be computed", () => {
  const parts = { name: "mine", params: { size: 4 }, keep: sizes };
  definePolicy({ ...parts, score: () => mul(attention, normOver("dim", values)), attention: () => all })();
  definePolicy({ ...parts, score: ({ size }) => size > 2 ? neg(keyNorm) : random })();
  definePolicy({ ...parts, score: () => neg(sumOver("dim", mul(keys, meanOver("entries", keys)))) })();
  const known: Score<"key_norm" | "values"> = sub(keyNorm, maxOver("dim", abs(values)));
  const nothing: Score<never> = sqrt(exp(log(constant(2))));
  definePolicy({ ...parts, score: () => add(known, nothing) })();
});

Deno.test("scoreFault() names what is no number for each entry", () => {
  const faults: [Score, RegExp][] = [
    [keys, /vector for each entry/],
    [sub(values, meanOver("entries", values)), /vector for each entry/],
    [constant(1), /one number for all entries/],
    [maxOver("entries", keyNorm), /one number for all entries/],
    [sumOver("dim", meanOver("entries", keys)), /one number for all entries/],
    [sumOver("dim", keyNorm), /takes a sum over "dim" of what has no such dimension/],
    [mul(keyNorm, normOver("dim", constant(2))), /takes a norm over "dim"/],
    [add(keyNorm, meanOver("entries", constant(2))), /takes a mean over "entries" of what is one number/],
    [add(keyNorm, maxOver("entries", maxOver("entries", keyNorm))), /takes a max over "entries" of what is one/],
    [sumOver("dim", avgPool(3, keys)), /pools what is not one number for each entry/],
    [add(keyNorm, maxPool(3, constant(1))), /pools what is not one number for each entry/],
    [mul(keyNorm, constant(NaN)), /the constant NaN/],
    [avgPool(4, keyNorm), /pools over 4 neighbours/],
    [maxPool("3" as unknown as number, keyNorm), /pools over "3" neighbours/],
    [add(3 as unknown as Score, keyNorm), /has 3 where an expression is needed/],
    [neg(undefined as unknown as Score), /has undefined where an expression/],
    [(() => keyNorm) as unknown as Score, /has a function where/],
    [null as unknown as Score, /has null where/],
    [{ op: "median", x: keyNorm } as unknown as Score, /has \{"op":"median"/],
    [{ op: "feature", name: "age" } as unknown as Score, /reads "age"; there are keys, values, key_norm/],
    [sumOver("heads" as "dim", keys), /over "heads"; give "dim" or "entries"/],
  ];
  for (const [score, pattern] of faults) assert.match(scoreFault({ score }) ?? "none", pattern);
});

Deno.test("scoreFault() looks at the attention that is asked for", () => {
  const fault = (attention: unknown) => scoreFault({ score: keyNorm, attention: attention as typeof all });
  assert.equal(fault(all), undefined);
  assert.equal(fault({ from: "last", window: 1, share: "layer" }), undefined);
  assert.match(fault({ from: "first" })!, /its attention is from "first"; give "all" or "last"/);
  for (const window of [0, -1, 1.5, "8", undefined]) {
    assert.match(fault({ from: "last", window })!, /last .* queries; give an integer of at least 1/);
  }
});

/** Any valid expression, with its shape: per entry or one for all; a number or a vector. */
const right = fc.letrec<{ number: Score; vector: Score; total: Score }>((tie) => ({
  number: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Score>(keyNorm, attention, random),
    fc.tuple(fc.constantFrom(neg, abs, sqrt, exp, log), tie("number")).map(([make, x]) => make(x)),
    fc.tuple(fc.constantFrom(add, sub, mul, div), tie("number"), fc.oneof(tie("number"), tie("total"))).map((
      [make, a, b],
    ) => make(a, b)),
    fc.tuple(fc.constantFrom(avgPool, maxPool), fc.constantFrom(1, 3, 5), tie("number")).map(([make, kernel, x]) =>
      make(kernel, x)
    ),
    fc.tuple(fc.constantFrom(maxOver, meanOver, sumOver, normOver), tie("vector")).map(([make, x]) => make("dim", x)),
  ),
  vector: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Score>(keys, values),
    fc.tuple(fc.constantFrom(add, mul), tie("vector"), fc.oneof(tie("vector"), tie("number"), tie("total"))).map((
      [make, a, b],
    ) => make(a, b)),
    tie("vector").map((x) => sub(x, meanOver("entries", x))),
  ),
  total: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value): Score => constant(value)),
    fc.tuple(fc.constantFrom(maxOver, meanOver, sumOver, normOver), tie("number")).map(([make, x]) =>
      make("entries", x)
    ),
  ),
}));

Deno.test("scoreFault() accepts every right expression, and featuresOf() finds what it reads", () => {
  fc.assert(fc.property(right.number, (score) => {
    assert.equal(scoreFault({ score, attention: all }), undefined);
    const read = JSON.stringify(score).matchAll(/"op":"feature","name":"(\w+)"/g);
    assert.deepEqual(featuresOf(score), new Set([...read].map(([, name]) => name as Feature)));
  }));
  fc.assert(fc.property(right.vector, (score) => assert.match(scoreFault({ score }) ?? "", /vector for each/)));
  fc.assert(fc.property(right.total, (score) => assert.match(scoreFault({ score }) ?? "", /one number for all/)));
});
