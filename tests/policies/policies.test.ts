import assert from "node:assert/strict";
import fc from "fast-check";
import { checkPolicy } from "../../lib/policies/check_policy.ts";
import type { LayerState, Policy, Sizes } from "../../lib/policies/policy.ts";
import { methodNames, methods } from "../../lib/policies/registry.ts";
import { attention, avgPool, featuresOf, maxPool } from "../../lib/policies/score.ts";
import { evaluate, highest } from "../reference/cache.ts";

const at = (policy: Policy, entries: number, layer = 0, layers = 1): Sizes | "all" =>
  policy.keep({ layer, layers, entries });
const sizes = (sink: number, heavy: number, recent: number): Sizes => ({ sink, heavy, recent });

const size = fc.integer({ min: 1, max: 600 });
const ratio = fc.double({ min: 0.01, max: 1, noNaN: true });
const anyPolicy: fc.Arbitrary<Policy> = fc.oneof(
  fc.constant(methods.baseline()),
  size.map((window_size) => methods.recent_only({ window_size })),
  fc.record({ start_size: fc.nat(20), recent_size: size }).map(methods.streaming_llm),
  fc.record({ keep_ratio: ratio, prune_after: size }).map(methods.l2_compress),
  fc.record({
    fix_kv_size: size,
    keep_ratio: ratio,
    strategy: fc.constantFrom("keep_low", "keep_high", "random"),
  }).map(methods.fix_size_l2),
  fc.record({ start_size: fc.nat(20), heavy_hitter_size: size, recent_size: fc.nat(600) }).map(methods.h2o_l2),
  fc.record({ observation_window: size, keep_size: size }).map(methods.snapkv_lite),
  fc.record({
    base_size: size,
    layer_decay: ratio,
    min_size: size,
    profile: fc.constantFrom("exponential", "linear", "constant"),
  }).map(methods.pyramid_kv),
  fc.tuple(size, size, size).map(([target_size, one, other]) =>
    methods.adaptive_l2({ target_size, soft_limit: Math.min(one, other), hard_limit: Math.max(one, other) })
  ),
  fc.record({ start_size: fc.nat(20), heavy_size: size, recent_size: fc.nat(600) }).map(methods.h2o),
  size.map((cache_size) => methods.tova({ cache_size })),
  fc.record({ cache_size: size, observation_window: size, pooling: fc.constantFrom("avg", "max") }).map(methods.snapkv),
  fc.record({
    cache_size: size,
    observation_window: size,
    pooling_kernel: fc.constantFrom(1, 5, 7),
    beta: fc.double({ min: 1, max: 50, noNaN: true }),
  }).map(methods.pyramid_snapkv),
  fc.record({ cache_size: size, recent_size: fc.nat(600) }).map(methods.keydiff),
);
const state: fc.Arbitrary<LayerState> = fc.integer({ min: 1, max: 48 }).chain((layers) =>
  fc.record({ layer: fc.nat(layers - 1), layers: fc.constant(layers), entries: fc.integer({ min: 1, max: 3000 }) })
);

Deno.test("keep() answers whole sizes that drop something, or all", () => {
  fc.assert(
    fc.property(anyPolicy, state, (policy, state) => {
      const kept = policy.keep(state);
      if (kept === "all") return;
      for (const part of [kept.sink, kept.heavy, kept.recent]) assert(Number.isSafeInteger(part) && part >= 0);
      const sum = kept.sink + kept.heavy + kept.recent;
      assert(sum > 0 && sum < state.entries, `${sum} of ${state.entries}`);
      assert(kept.heavy === 0 || policy.score !== undefined);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("keep() never holds less than before where the size is fixed", () => {
  fc.assert(
    fc.property(anyPolicy, state, (policy, { layer, layers }) => {
      if (policy.method === "l2_compress") return;
      let held = 0;
      for (let step = 0; step < 700; step++) {
        const kept = policy.keep({ layer, layers, entries: held + 1 });
        const next = kept === "all" ? held + 1 : kept.sink + kept.heavy + kept.recent;
        assert(next >= held || policy.method === "adaptive_l2");
        held = next;
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("checkPolicy() accepts every method that comes with the benchmark", () => {
  fc.assert(
    fc.property(anyPolicy, (policy) => checkPolicy(policy, { layers: 4, maxEntries: 700 })),
    { numRuns: 200 },
  );
  for (const name of methodNames) checkPolicy(methods[name](), { layers: 8, maxEntries: 2000 });
});

Deno.test("baseline keeps all", () => assert.equal(at(methods.baseline(), 1_000_000), "all"));

Deno.test("recent_only acts over its window", () => {
  const policy = methods.recent_only({ window_size: 10 });
  assert.equal(at(policy, 10), "all");
  assert.deepEqual(at(policy, 11), sizes(0, 0, 10));
});

Deno.test("streaming_llm acts over sinks + window", () => {
  const policy = methods.streaming_llm({ start_size: 4, recent_size: 6 });
  assert.equal(at(policy, 10), "all");
  assert.deepEqual(at(policy, 500), sizes(4, 0, 6));
});

Deno.test("l2_compress rounds up, and does nothing where nothing would go", () => {
  const policy = methods.l2_compress({ keep_ratio: 0.8, prune_after: 3 });
  assert.equal(at(policy, 3), "all");
  assert.equal(at(policy, 4), "all"); // ceil(3.2) = 4
  assert.deepEqual(at(policy, 5), sizes(0, 4, 0));
  assert.deepEqual(at(policy, 6), sizes(0, 5, 0)); // ceil(4.8)
  assert.equal(at(methods.l2_compress({ keep_ratio: 1, prune_after: 3 }), 100), "all");
});

Deno.test("fix_size_l2 truncates its recent part", () => {
  assert.deepEqual(at(methods.fix_size_l2({ fix_kv_size: 128, keep_ratio: 0.2 }), 129), sizes(0, 103, 25));
  assert.deepEqual(at(methods.fix_size_l2({ fix_kv_size: 3, keep_ratio: 0.3 }), 4), sizes(0, 3, 0));
  assert.deepEqual(at(methods.fix_size_l2({ fix_kv_size: 128, keep_ratio: 1 }), 129), sizes(0, 0, 128));
  assert.throws(() => methods.fix_size_l2({ strategy: "toString" }), /keep_low, keep_high, random/);
});

Deno.test("h2o_l2 acts over its sum", () => {
  const policy = methods.h2o_l2({ start_size: 4, heavy_hitter_size: 64, recent_size: 188 });
  assert.equal(at(policy, 256), "all");
  assert.deepEqual(at(policy, 257), sizes(4, 64, 188));
});

Deno.test("snapkv_lite keeps its window only where the window takes the budget", () => {
  assert.deepEqual(at(methods.snapkv_lite({ observation_window: 32, keep_size: 256 }), 257), sizes(0, 224, 32));
  const policy = methods.snapkv_lite({ observation_window: 64, keep_size: 32 });
  assert.equal(at(policy, 40), "all");
  assert.equal(at(policy, 64), "all");
  assert.deepEqual(at(policy, 65), sizes(0, 0, 64));
});

Deno.test("snapkv_lite pools over the padded scores", () => {
  const score = methods.snapkv_lite().score;
  assert(score?.op === "avg_pool");
  assert.equal(score.kernel, 5);
});

Deno.test("pyramid_kv's profiles", () => {
  const budgets = (policy: Policy, layers: number) =>
    Array.from({ length: layers }, (_, layer) => {
      const kept = at(policy, 5000, layer, layers);
      assert(kept !== "all");
      return kept.sink + kept.heavy + kept.recent;
    });
  const params = { base_size: 256, layer_decay: 0.9, min_size: 64 };
  assert.deepEqual(budgets(methods.pyramid_kv(params), 8), [256, 230, 207, 186, 167, 151, 136, 122]);
  assert.deepEqual(budgets(methods.pyramid_kv({ ...params, profile: "linear" }), 8), [
    256,
    228,
    201,
    173,
    146,
    118,
    91,
    64,
  ]);
  assert.deepEqual(budgets(methods.pyramid_kv({ ...params, profile: "constant" }), 3), [256, 256, 256]);
  assert.deepEqual(budgets(methods.pyramid_kv({ ...params, layer_decay: 0.1 }), 3), [256, 64, 64]);
  assert.deepEqual(budgets(methods.pyramid_kv({ ...params, profile: "linear" }), 1), [256]);
  assert.throws(() => methods.pyramid_kv({ profile: "cubic" }), /exponential, linear, constant/);
});

Deno.test("pyramid_kv's sinks shrink with the budget", () => {
  const tiny = (base_size: number) => at(methods.pyramid_kv({ base_size, min_size: 1, profile: "constant" }), 100);
  assert.deepEqual(tiny(1), sizes(0, 1, 0));
  assert.deepEqual(tiny(7), sizes(0, 4, 3));
  assert.deepEqual(tiny(17), sizes(2, 7, 8));
  assert.deepEqual(tiny(64), sizes(4, 28, 32));
});

Deno.test("adaptive_l2's two phases", () => {
  const policy = methods.adaptive_l2({ target_size: 256, soft_limit: 128, hard_limit: 512 });
  assert.equal(at(policy, 128), "all");
  assert.deepEqual(at(policy, 129), sizes(0, 103, 25)); // int(115.9) is under the soft limit
  assert.deepEqual(at(policy, 320), sizes(0, 154, 38)); // half-way: 0.6
  assert.deepEqual(at(policy, 512), sizes(0, 123, 30)); // the end: 0.3
  assert.deepEqual(at(policy, 513), sizes(4, 124, 128));
});

Deno.test("adaptive_l2 with a target over the hard limit leaves what the target allows", () => {
  const policy = methods.adaptive_l2({ target_size: 600, soft_limit: 128, hard_limit: 512 });
  assert.equal(at(policy, 600), "all");
  assert.deepEqual(at(policy, 601), sizes(4, 296, 300));
});

Deno.test("adaptive_l2 never keeps more or less than a tiny target", () => {
  const hard = (target_size: number) => at(methods.adaptive_l2({ target_size, soft_limit: 20, hard_limit: 20 }), 21);
  assert.deepEqual(hard(1), sizes(0, 0, 1));
  assert.deepEqual(hard(4), sizes(0, 0, 4));
  assert.deepEqual(hard(6), sizes(4, 0, 2));
  assert.deepEqual(hard(8), sizes(4, 0, 4));
  assert.deepEqual(hard(9), sizes(4, 1, 4));
});

Deno.test("h2o acts over its sum, and has no sinks by default", () => {
  const policy = methods.h2o({ heavy_size: 100, recent_size: 156 });
  assert.equal(at(policy, 256), "all");
  assert.deepEqual(at(policy, 257), sizes(0, 100, 156));
  assert.deepEqual(at(methods.h2o({ start_size: 4, heavy_size: 2, recent_size: 3 }), 900), sizes(4, 2, 3));
  assert.deepEqual(policy.attention, { from: "all", accumulate: true });
});

Deno.test("tova keeps by the newest query's attention alone, one choice for all heads of a layer", () => {
  const policy = methods.tova({ cache_size: 256 });
  assert.equal(at(policy, 256), "all");
  assert.deepEqual(at(policy, 257), sizes(0, 256, 0));
  assert.deepEqual(policy.attention, { from: "last", window: 1, share: "layer" });
});

Deno.test("snapkv keeps its window and the best of the rest, never more than its size", () => {
  const policy = methods.snapkv({ cache_size: 256 });
  assert.equal(at(policy, 256), "all");
  assert.deepEqual(at(policy, 257), sizes(0, 224, 32));
  assert.deepEqual(policy.attention, { from: "last", window: 32 });
  assert.deepEqual(policy.score, avgPool(5, attention));
  assert.deepEqual(methods.snapkv({ pooling: "max", pooling_kernel: 7 }).score, maxPool(7, attention));
  assert.deepEqual(at(methods.snapkv({ cache_size: 16, observation_window: 64 }), 17), sizes(0, 0, 16));
  assert.throws(() => methods.snapkv({ pooling: "toString" }), /Cannot make snapkv: pooling toString .* avg, max/);
  assert.throws(() => methods.snapkv({ pooling_kernel: 4 }), TypeError);
});

Deno.test("pyramid_snapkv falls along a line, never rises, and its mean is exactly its size", () => {
  const budgets = (policy: Policy, layers: number) =>
    Array.from({ length: layers }, (_, layer) => {
      const kept = at(policy, 200_000, layer, layers);
      assert(kept !== "all");
      assert.equal(kept.sink, 0);
      return kept.heavy;
    });
  // (256 - 32) / 20 = 11.2; 2 x 224 - 11 = 437; (437 - 11) / 7 = 60.86
  assert.deepEqual(budgets(methods.pyramid_snapkv({ cache_size: 256 }), 8), [437, 376, 315, 254, 194, 133, 72, 11]);
  assert.deepEqual(budgets(methods.pyramid_snapkv({ cache_size: 256, beta: 1 }), 3), [224, 224, 224]);
  assert.deepEqual(budgets(methods.pyramid_snapkv({ cache_size: 256 }), 1), [224]);
  assert.throws(() => methods.pyramid_snapkv({ beta: 0 }), /Cannot make pyramid_snapkv: beta is 0/);
  const params = fc.record({
    cache_size: fc.integer({ min: 1, max: 4000 }),
    observation_window: fc.integer({ min: 1, max: 64 }),
    beta: fc.double({ min: 1, max: 50, noNaN: true }),
  });
  fc.assert(
    fc.property(params, fc.integer({ min: 1, max: 80 }), (given, layers) => {
      const heavy = budgets(methods.pyramid_snapkv(given), layers);
      const mean = given.cache_size - Math.min(given.observation_window, given.cache_size);
      assert.equal(heavy.reduce((a, b) => a + b), layers * mean);
      assert.deepEqual(heavy, heavy.toSorted((a, b) => b - a));
      const least = Math.trunc(mean / given.beta), most = 2 * mean - least;
      heavy.forEach((count, layer) => {
        const line = layers === 1 ? mean : most - layer * (most - least) / (layers - 1);
        assert(Math.abs(count - line) < 1, `layer ${layer}: ${count}, on the line ${line}`);
      });
    }),
    { numRuns: 500 },
  );
});

Deno.test("keydiff keeps its recent part, and the keys least like the mean", () => {
  const policy = methods.keydiff({ cache_size: 256, recent_size: 64 });
  assert.equal(at(policy, 256), "all");
  assert.deepEqual(at(policy, 257), sizes(0, 192, 64));
  assert.deepEqual(at(methods.keydiff({ cache_size: 8, recent_size: 64 }), 9), sizes(0, 0, 8));
  assert.deepEqual(featuresOf(policy.score!), new Set(["keys"]));
});

Deno.test("methods need attention where their papers do, and no other", () => {
  const need = methodNames.filter((name) => methods[name]().attention !== undefined);
  assert.deepEqual(need, ["h2o", "tova", "snapkv", "pyramid_snapkv"]);
});

Deno.test("snapkv_lite favours no entry for being next to the middle's ends, nor for having the largest norm", () => {
  const { score } = methods.snapkv_lite({ observation_window: 4, keep_size: 12, pooling_kernel: 5 });
  const scoresOf = (norms: readonly number[]) => {
    const entries = norms.map((norm, index) => ({ index, key: [norm], value: [0], seen: new Map() }));
    return evaluate(score!, { entries, paid: () => 0, random: () => 0, round: Math.fround });
  };
  // Of equal norms, those with fewer neighbours score less, and none scores zero: padding is no entry.
  const equals = scoresOf(new Array(10).fill(3));
  assert.deepEqual(highest(equals, 6), [2, 3, 4, 5, 6, 7]);
  assert.ok(equals.every((score) => score > 0));
  // The lowest norms, whose neighbours are low too, are kept.
  assert.deepEqual(highest(scoresOf([9, 9, 9, 9, 1, 1, 1, 9, 9, 9]), 3), [4, 5, 6]);
});
