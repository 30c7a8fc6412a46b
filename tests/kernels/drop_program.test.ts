/** Scores compiled to programs, run on the machine that drop_program.cuh describes, against the plain evaluation. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { MAX_INSTRUCTIONS } from "../../lib/kernels/constants.ts";
import { compileScore } from "../../lib/kernels/drop_program.ts";
import * as s from "../../lib/policies/score.ts";
import { methods } from "../../lib/policies/registry.ts";
import { numbers } from "../cache/_numbers.ts";
import { scores } from "../cache/_scores.ts";
import { evaluate, range } from "../reference/cache.ts";
import { definition, enumeration } from "./_source.ts";
import { runProgram } from "../reference/stack_machine.ts";

/** x times the mean of all x, either way round. */
const productsWithMean = (x: s.Score): s.Score[] => {
  const mean = s.meanOver("entries", x);
  return [s.mul(x, mean), s.mul(mean, x)].map((product) => s.sumOver("dim", product));
};

/** What one instruction computes from keys or values. */
const FORMS: readonly s.Score[] = [s.keys, s.values].flatMap((x) => [
  ...[s.sumOver, s.meanOver, s.maxOver, s.normOver].flatMap((over) => [over("dim", x), over("dim", s.abs(x))]),
  ...productsWithMean(x),
  ...productsWithMean(s.div(x, s.normOver("dim", x))),
]);

/** Scores of these forms and of one number per entry; or of keys and values in any way. */
const anyScores = fc.oneof(
  { arbitrary: scores({ attention: true, exact: false, leaves: FORMS }), weight: 3 },
  { arbitrary: scores({ attention: true, exact: false }), weight: 1 },
);

Deno.test("a compiled score gives what the expression says, whatever lies outside of the middle", () => {
  fc.assert(
    fc.property(
      anyScores,
      fc.integer({ min: 1, max: 20 }),
      fc.nat(5),
      fc.nat(5),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      (score, count, before, behind, headDim, seed) => {
        const program = compileScore(score);
        if (!program) {
          ok(nodes(score) > MAX_INSTRUCTIONS || readsVectors(score));
          return;
        }
        ok(program.instructions.length <= definition("MAX_INSTRUCTIONS"));
        const next = numbers(seed);
        const outside = [1e30, -1e30, NaN, 0, -Infinity];
        const entries = before + count + behind, end = before + count;
        const isOutside = (rank: number) => rank < before || rank >= end;
        const random = () => Math.fround(6 * next() - 3);
        const numbersOf = () => range(0, entries).map((rank) => isOutside(rank) ? outside[rank % 5]! : random());
        const vectors = () =>
          range(0, entries).map((rank) =>
            range(0, headDim).map((i) => isOutside(rank) ? outside[(rank + i) % 5]! : random())
          );
        const [paid, drawn, keys, values] = [numbersOf(), numbersOf(), vectors(), vectors()];
        const round = (x: number) => x;
        const got = runProgram(program, {
          entries,
          sink: before,
          end,
          features: {
            key_norm: (rank) => Math.sqrt(keys[rank]!.reduce((sum, x) => sum + x * x, 0)),
            attention: (rank) => paid[rank]!,
            random: (rank) => drawn[rank]!,
          },
          keys: (rank) => keys[rank]!,
          values: (rank) => values[rank]!,
        }, round).slice(before, end);
        let most = 1;
        const expected = evaluate(score, {
          entries: range(before, end).map((index) => ({
            index,
            key: keys[index]!,
            value: values[index]!,
            seen: new Map(),
          })),
          paid: ({ index }) => paid[index]!,
          random: (i) => drawn[before + i]!,
          round: (x) => {
            most = Math.max(most, Math.abs(x));
            return x;
          },
        });
        // Sums may have another order; no float32 in between.
        expected.forEach((number, i) =>
          ok(Object.is(number, got[i]) || Math.abs(number - got[i]!) <= 1e-9 * most, `${i}: ${got[i]}, not ${number}`)
        );
      },
    ),
    { numRuns: 500 },
  );
});

/** Counts the nodes of an expression, each of which is an instruction. */
function nodes(score: s.Score): number {
  if (FORMS.includes(score)) return 1;
  return 1 + ("a" in score ? nodes(score.a) + nodes(score.b) : "x" in score ? nodes(score.x) : 0);
}

/** Whether it reads keys or values in another way than by {@linkcode FORMS}. */
function readsVectors(score: s.Score): boolean {
  if (FORMS.includes(score)) return false;
  if (score.op === "feature") return score.name === "keys" || score.name === "values";
  return "a" in score ? readsVectors(score.a) || readsVectors(score.b) : "x" in score && readsVectors(score.x);
}

Deno.test("every method's score is a program", () => {
  const programs = {
    fix_size_l2: methods.fix_size_l2({ fix_kv_size: 8, keep_ratio: 0.5 }),
    random: methods.fix_size_l2({ fix_kv_size: 8, keep_ratio: 0.5, strategy: "random" }),
    h2o: methods.h2o({ heavy_size: 4, recent_size: 4 }),
    tova: methods.tova({ cache_size: 8 }),
    snapkv: methods.snapkv({ cache_size: 8, observation_window: 2 }),
    snapkv_lite: methods.snapkv_lite({ observation_window: 2, keep_size: 8 }),
    streaming_llm: methods.streaming_llm({ start_size: 1, recent_size: 7 }),
    keydiff: methods.keydiff({ cache_size: 8, recent_size: 2 }),
  };
  const ops = enumeration("Op");
  const compiled = Object.entries(programs).map(([name, { score }]) => [
    name,
    compileScore(score)?.instructions.map(({ op }) => ops[op]).join(" "),
  ]);
  deepEqual(Object.fromEntries(compiled), {
    fix_size_l2: "key_norm neg",
    random: "random",
    h2o: "attention",
    tova: "attention",
    snapkv: "attention avg_pool",
    snapkv_lite: "key_norm max_over constant add key_norm sub avg_pool",
    streaming_llm: "",
    keydiff: "dot_mean neg",
  });
});

Deno.test("a score of more instructions than a program can have is not compiled", () => {
  const long = (terms: number): s.Score => terms === 1 ? s.keyNorm : s.add(long(terms - 1), s.random);
  equal(compileScore(long(16))?.instructions.length, 31);
  equal(compileScore(long(17)), undefined);
});

Deno.test("what reads keys or values is a program only as one number of each, or as a product with the mean", () => {
  const { keys, values, mul, div, sumOver, meanOver, maxOver, normOver } = s;
  const names = enumeration("Op");
  const of = (score: s.Score) => compileScore(score)?.instructions.map(({ op, number }) => [names[op], number]);
  const [ofValues, absolute, direction] = ["OF_VALUES", "ABSOLUTE", "DIRECTION"].map(definition);
  deepEqual(of(mul(s.attention, sumOver("dim", s.abs(values)))), [
    ["attention", 0],
    ["over_dim", ofValues! | absolute!],
    ["mul", 0],
  ]);
  const directions = div(values, normOver("dim", values));
  deepEqual(of(sumOver("dim", mul(meanOver("entries", directions), directions))), [[
    "dot_mean",
    ofValues! | direction!,
  ]]);
  deepEqual(FORMS.filter((form) => of(form)?.length !== 1), []);
  const others: Record<string, s.Score> = {
    "no number": keys,
    "two vectors": sumOver("dim", mul(keys, values)),
    "another's mean": sumOver("dim", mul(keys, meanOver("entries", values))),
    "another's norm": sumOver("dim", mul(div(keys, normOver("dim", values)), meanOver("entries", keys))),
    "directions by the mean of vectors": sumOver("dim", mul(directions, meanOver("entries", values))),
    "the largest rather than the mean": sumOver("dim", mul(keys, maxOver("entries", keys))),
    "a mean of products": meanOver("dim", mul(keys, meanOver("entries", keys))),
    "its mean over headDim": sumOver("dim", mul(keys, meanOver("dim", keys))),
    "a mean without signs": sumOver("dim", mul(s.abs(keys), meanOver("entries", s.abs(keys)))),
    "a norm over entries": sumOver("dim", normOver("entries", keys)),
    "what is changed first": maxOver("dim", s.neg(keys)),
  };
  for (const [name, score] of Object.entries(others)) equal(of(score), undefined, name);
});

Deno.test("a program says whether it needs room for a mean, and for how many arrays", () => {
  const { keys, values, add, random, sumOver } = s;
  const room = (score: s.Score) => {
    const { depth, means } = compileScore(score)!;
    return { depth, means };
  };
  const [product] = productsWithMean(keys);
  deepEqual(room(sumOver("dim", values)), { depth: 1, means: 0 });
  deepEqual(room(product!), { depth: 1, means: 1 });
  deepEqual(room(add(product!, random)), { depth: 2, means: 1 });
  deepEqual(room(add(random, product!)), { depth: 2, means: 1 });
});
