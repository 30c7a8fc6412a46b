/** Prompts read in chunks, with eviction between them. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { type PassGroup, tabulate } from "../../lib/cache/schedule.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { measureSpeed } from "../../lib/run/measure/speed.ts";
import { speedPasses } from "../../lib/run/measure/speed_passes.ts";
import { goldenTokens } from "../parity/golden.ts";
import { configOf, lookUp, neox, randomWeights, storedWeights, temporaryFolder, writeModel } from "../model/_models.ts";
import { runtime } from "./_device.ts";
import { embedded } from "./_embedded.ts";
import { fewTies, follow } from "./_follow.ts";
import { pairs } from "./_pairs.ts";

const passesOf = (sequence: readonly PassGroup[]) =>
  sequence.flatMap(({ tokens, times }) => new Array<number>(times).fill(tokens));

const lengths = fc.record({
  promptTokens: fc.integer({ min: 1, max: 40 }),
  chunk: fc.integer({ min: 1, max: 50 }),
  newTokens: fc.integer({ min: 2, max: 12 }),
});

Deno.test("chunks are full except the last, and a prompt that fits in one chunk has none", () => {
  fc.assert(fc.property(lengths, ({ promptTokens, chunk, newTokens }) => {
    const whole = speedPasses({ promptTokens, newTokens });
    const sequence = speedPasses({ promptTokens, newTokens, chunk });
    if (chunk >= promptTokens) return deepEqual(sequence, whole);
    const prompt = passesOf(sequence.slice(0, -1));
    equal(prompt.reduce((a, b) => a + b), promptTokens);
    ok(prompt.slice(0, -1).every((tokens) => tokens === chunk) && prompt.at(-1)! <= chunk);
    deepEqual(sequence.at(-1), whole.at(-1));
  }));
});

/** Random eviction is left out: the test of the cache counts its draws. */
const followed = pairs(6).filter(({ name }) => name !== "random");

Deno.test("a random model holds what a plain one does that reads the same chunks, and gives the logits of it", () => {
  const shapes = fc.record({
    layers: fc.integer({ min: 2, max: 3 }),
    heads: fc.integer({ min: 1, max: 3 }),
    headDim: fc.constantFrom(8, 16),
    parallel: fc.boolean(),
  });
  // Half of the cases use one of these three methods, which stand for a window, key norms and attention.
  const some = followed.filter(({ name }) => ["streaming_llm", "fix_size_l2", "h2o"].includes(name));
  equal(some.length, 3);
  fc.assert(
    fc.property(
      shapes,
      fc.oneof(fc.constantFrom(...some), fc.constantFrom(...followed)),
      lengths,
      fc.constantFrom("absolute", "cache", "seed"),
      fc.constantFrom("explicit", "fused"),
      fc.boolean(),
      fc.nat(1e6),
      ({ headDim, ...shape }, { policy, method }, given, positions, wanted, skips, seed) => {
        const model = neox({ ...shape, hidden: shape.heads * headDim, rotary: headDim / 2 });
        const weights = randomWeights(model, seed);
        const passes = passesOf(speedPasses(given));
        const ids = Array.from({ length: passes.reduce((a, b) => a + b) }, (_, i) => (seed + 7 * i) % model.vocab);
        using folder = temporaryFolder();
        writeModel(folder.path, configOf(model), storedWeights(model, weights));
        const { nearTies, choices } = follow({
          model: openModelFolder(folder.path),
          neox: model,
          weights: lookUp(weights),
          policy,
          method,
          ids,
          passes,
          positions,
          attention: policy.attention || positions === "cache" ? "explicit" : wanted,
          skip: skips ? [0] : [],
          seed,
          logits: 1e-4,
        });
        fewTies(nearTies, choices);
      },
    ),
    { numRuns: 40 },
  );
});

function engineOf(
  policy: Policy,
  sequence: readonly PassGroup[],
  options: Pick<EngineOptions, "attention" | "logits">,
) {
  const { model } = embedded;
  return new Engine(runtime(), model, {
    dtype: "float32",
    maxPositions: 256,
    table: tabulate(policy, model.spec, [], [sequence]),
    score: policy.score,
    attentionUse: policy.attention,
    ...options,
  });
}

Deno.test("where nothing is evicted, chunks give the logits of the whole prompt", () => {
  const [promptTokens, newTokens] = [70, 3];
  for (const attention of ["fused", "explicit"] as const) {
    const logitsOf = (policy: Policy, chunk: number | undefined) => {
      const sequence = speedPasses({ promptTokens, newTokens, chunk });
      using engine = engineOf(policy, sequence, { attention, logits: true });
      using run = engine.sequence(sequence, 0);
      let at = 0;
      return passesOf(sequence).flatMap((tokens) => {
        run.forward(goldenTokens.slice(at, at += tokens), 0);
        run.evict();
        return [...run.logits()];
      });
    };
    const whole = logitsOf(methods.baseline(), undefined);
    deepEqual(logitsOf(methods.baseline(), 70), whole);
    // The last one has a budget that is never reached.
    const roomy = methods.streaming_llm({ start_size: 4, recent_size: 120 });
    for (const [policy, chunk] of [[methods.baseline(), 9], [methods.baseline(), 35], [roomy, 48]] as const) {
      const off = logitsOf(policy, chunk).reduce((most, x, i) => Math.max(most, Math.abs(x - whole[i]!)), 0);
      ok(off < 1e-4, `${attention}, chunks of ${chunk}: off by ${off}`);
    }
  }
});

Deno.test("a speed pass in chunks takes memory for what is kept and one chunk, and generates what its passes say", () => {
  const { model: { spec: { layers, kvHeads, headDim } } } = embedded;
  const policy = methods.streaming_llm({ start_size: 4, recent_size: 28 });
  const run = (chunk: number | undefined) => {
    const given = { promptTokens: 200, newTokens: 8, chunk };
    const sequence = speedPasses(given);
    using engine = engineOf(policy, sequence, { attention: "fused" });
    const speed = measureSpeed(engine, goldenTokens, given, 0);
    // The same steps, by hand.
    using passes = engine.sequence(sequence, 0);
    let [at, token] = [0, 0];
    const generated = passesOf(sequence).map((tokens, i) => {
      const ids = at < 200 ? goldenTokens.slice(at, at + tokens) : [token];
      if (i > 0) passes.evict();
      passes.forward(ids, 0);
      [at, token] = [at + tokens, passes.read().argmax];
      return at < 200 ? [] : [token];
    });
    deepEqual(speed.tokens, generated.flat());
    equal(speed.stepTimes.length, 7);
    ok(speed.stepTimes.every((seconds) => seconds > 2e-5), "each step's time is its own");
    const bytes = 2 * 4 * kvHeads * headDim;
    equal(speed.heldBytes, layers * 32 * bytes);
    return speed.allocatedBytes / layers / bytes;
  };
  equal(run(undefined), 200);
  equal(run(500), 200);
  equal(run(48), 32 + 48);
  equal(run(1), 33);
});
