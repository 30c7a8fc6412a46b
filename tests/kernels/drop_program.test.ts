/** Scores compiled to programs, run on the machine that step.cu describes, against the plain evaluation. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { compileScore, INSTRUCTIONS } from "../../lib/kernels/drop_program.ts";
import * as s from "../../lib/policies/score.ts";
import { methods } from "../../lib/policies/registry.ts";
import { numbers } from "../cache/_numbers.ts";
import { scores } from "../cache/_scores.ts";
import { evaluate, range } from "../cache/reference.ts";
import { definition, enumeration } from "./_source.ts";
import { runProgram } from "./stack_machine.ts";

/** Each entry's product with the mean of the middle's: of vectors, or of their directions. */
const withMean = fc.record({
  x: fc.constantFrom<s.Score>(s.keys, s.values),
  isDirection: fc.boolean(),
  isFirst: fc.boolean(),
})
  .map(({ x, isDirection, isFirst }) => {
    const vector = isDirection ? s.div(x, s.normOver("dim", x)) : x;
    const mean = s.meanOver("entries", vector);
    return s.sumOver("dim", isFirst ? s.mul(vector, mean) : s.mul(mean, vector));
  });
const any = scores({ attention: true, exact: false });
const combined = fc.oneof(
  { arbitrary: any, weight: 4 },
  withMean,
  fc.tuple(any, withMean, fc.boolean()).map(([a, b, isFirst]) => isFirst ? s.add(b, a) : s.sub(a, s.avgPool(3, b))),
);

Deno.test("a compiled score gives what the expression says, whatever lies outside of the middle", () => {
  let compiled = 0, wholes = 0;
  fc.assert(
    fc.property(
      combined,
      fc.integer({ min: 1, max: 20 }),
      fc.nat(5),
      fc.nat(5),
      fc.nat(),
      (score, count, before, behind, seed) => {
        const program = compileScore(score);
        const reads = s.featuresOf(score);
        const isOfNumbers = !reads.has("keys") && !reads.has("values");
        if (!program) {
          ok(!isOfNumbers || nodes(score) > INSTRUCTIONS);
          return;
        }
        compiled++;
        if (isOfNumbers) wholes++;
        deepEqual(program.reads, reads);
        ok(program.instructions.length <= definition("INSTRUCTIONS"));
        const next = numbers(seed);
        const outside = [1e30, -1e30, NaN, 0, -Infinity];
        const entries = before + count + behind, end = before + count;
        const random = () =>
          range(0, entries).map((rank) =>
            rank < before || rank >= end ? outside[rank % 5]! : Math.fround(6 * next() - 3)
          );
        const vector = (rank: number) =>
          Float32Array.from({ length: 4 }, () => rank < before || rank >= end ? outside[rank % 5]! : 6 * next() - 3);
        const [paid, drawn] = [random(), random()];
        const [keys, values] = [range(0, entries).map(vector), range(0, entries).map(vector)];
        const norm = keys.map((key) => Math.hypot(...key));
        const got = runProgram(program, {
          entries,
          sink: before,
          end,
          features: {
            key_norm: (rank) => norm[rank]!,
            attention: (rank) => paid[rank]!,
            random: (rank) => drawn[rank]!,
          },
          vectors: { keys: (rank) => keys[rank]!, values: (rank) => values[rank]! },
        }, (x) => x).slice(before, end);
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
        // One order of sums or another; no float32 in between.
        expected.forEach((number, i) =>
          ok(Object.is(number, got[i]) || Math.abs(number - got[i]!) <= 1e-9 * most, `${i}: ${got[i]}, not ${number}`)
        );
      },
    ),
    { numRuns: 800 },
  );
  ok(compiled - wholes > 100 && wholes > 100, `${compiled} programs, ${wholes} without keys and values`);
});

/** Nodes of an expression. */
function nodes(score: s.Score): number {
  return 1 + ("a" in score ? nodes(score.a) + nodes(score.b) : "x" in score ? nodes(score.x) : 0);
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

Deno.test("a score of more instructions than a program has is none", () => {
  const long = (terms: number): s.Score => terms === 1 ? s.keyNorm : s.add(long(terms - 1), s.random);
  equal(compileScore(long(16))?.instructions.length, 31);
  equal(compileScore(long(17)), undefined);
});

Deno.test("compileScore() knows of keys and values what instructions say, and nothing else", () => {
  const ops = enumeration("Op");
  const of = (score: s.Score) => compileScore(score)?.instructions.map(({ op, number }) => [ops[op], number]);
  deepEqual(of(s.sumOver("dim", s.abs(s.values))), [["over_dim", definition("OF_VALUES") | definition("ABSOLUTE")]]);
  deepEqual(of(s.normOver("dim", s.keys)), [["over_dim", 3 << 2]]);
  equal(of(s.sumOver("dim", s.mul(s.keys, s.values))), undefined);
  equal(of(s.sumOver("dim", s.mul(s.keys, s.meanOver("entries", s.values)))), undefined);
  equal(of(s.sumOver("dim", s.neg(s.keys))), undefined);
  equal(of(s.maxOver("dim", s.mul(s.keys, s.meanOver("entries", s.keys)))), undefined);
});
