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

const ofEntries = scores({ attention: true, exact: false }).filter((score) => {
  const reads = s.featuresOf(score);
  return !reads.has("keys") && !reads.has("values");
});

Deno.test("a compiled score gives what the expression says, whatever lies outside of the middle", () => {
  fc.assert(
    fc.property(
      ofEntries,
      fc.integer({ min: 1, max: 20 }),
      fc.nat(5),
      fc.nat(5),
      fc.nat(),
      (score, count, before, behind, seed) => {
        const program = compileScore(score);
        if (!program) {
          ok(nodes(score) > INSTRUCTIONS);
          return;
        }
        ok(program.instructions.length <= definition("INSTRUCTIONS"));
        const next = numbers(seed);
        const outside = [1e30, -1e30, NaN, 0, -Infinity];
        const entries = before + count + behind, end = before + count;
        const random = () =>
          range(0, entries).map((rank) =>
            rank < before || rank >= end ? outside[rank % 5]! : Math.fround(6 * next() - 3)
          );
        const [norm, paid, drawn] = [random().map(Math.abs), random(), random()];
        const round = (x: number) => x;
        const got = runProgram(program, {
          entries,
          sink: before,
          end,
          features: {
            key_norm: (rank) => norm[rank]!,
            attention: (rank) => paid[rank]!,
            random: (rank) => drawn[rank]!,
          },
        }, round).slice(before, end);
        let most = 1;
        const expected = evaluate(score, {
          entries: range(before, end).map((index) => ({ index, key: [norm[index]!], value: [], seen: new Map() })),
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
    { numRuns: 500 },
  );
});

/** Nodes of an expression. */
function nodes(score: s.Score): number {
  return 1 + ("a" in score ? nodes(score.a) + nodes(score.b) : "x" in score ? nodes(score.x) : 0);
}

Deno.test("every method's score is a program, but for those that read keys or values", () => {
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
    keydiff: undefined,
  });
});

Deno.test("a score of more instructions than a program has is none", () => {
  const long = (terms: number): s.Score => terms === 1 ? s.keyNorm : s.add(long(terms - 1), s.random);
  equal(compileScore(long(16))?.instructions.length, 31);
  equal(compileScore(long(17)), undefined);
});
