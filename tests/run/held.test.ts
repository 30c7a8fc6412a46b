/** What configurations hold over a pass, compared with counting one pass after another. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { Keeper, type PassGroup, tabulate } from "../../lib/cache/schedule.ts";
import { methods } from "../../lib/policies/registry.ts";
import { heldInPasses } from "../../lib/run/plan/held.ts";
import { qualityPasses } from "../../lib/run/measure/quality.ts";
import { speedPasses } from "../../lib/run/measure/speed_passes.ts";

const policies = [
  methods.baseline(),
  methods.recent_only({ window_size: 7 }),
  methods.l2_compress({ keep_ratio: 0.5, prune_after: 10 }),
  methods.adaptive_l2({ target_size: 8, soft_limit: 12, hard_limit: 20 }),
  methods.pyramid_kv({ base_size: 16, layer_decay: 0.7, min_size: 3 }),
];

Deno.test("heldInPasses() is what a plain loop over layers and passes counts", () => {
  const groups = fc.array(
    fc.record<PassGroup>({ tokens: fc.integer({ min: 1, max: 9 }), times: fc.integer({ min: 1, max: 30 }) }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(fc.property(
    fc.constantFrom(...policies),
    groups,
    groups,
    fc.subarray([0, 1, 2]),
    fc.integer({ min: 1, max: 4 }),
    (policy, speed, quality, skipped, layers) => {
      const model = { layers, kvHeads: 3, headDim: 5 };
      const table = tabulate(policy, model, skipped, [speed, quality]);
      const keeper = new Keeper(table);
      const held = heldInPasses(table, { speed, quality }, model, 2);
      for (const [pass, sequence] of [["speed", speed], ["quality", quality]] as const) {
        const entries = new Array<number>(layers).fill(0), sums = new Array<number>(layers).fill(0);
        let passes = 0, read = 0, full = 0;
        for (const { tokens, times } of sequence) {
          for (let i = 0; i < times; i++) {
            passes++;
            full += read += tokens;
            for (let layer = 0; layer < layers; layer++) {
              const sizes = keeper.keep(layer, entries[layer]! + tokens);
              entries[layer] = sizes === "all" ? entries[layer]! + tokens : sizes.sink + sizes.heavy + sizes.recent;
              sums[layer]! += entries[layer]!;
            }
          }
        }
        const sum = sums.reduce((a, b) => a + b), end = entries.reduce((a, b) => a + b);
        deepEqual(held[pass], {
          mean_entries: sum / (layers * passes),
          by_layer: sums.map((sum) => sum / passes),
          share: sum / (layers * full),
          mean_kv_bytes: 2 * 3 * 5 * 2 * sum / passes,
          final_kv_bytes: 2 * 3 * 5 * 2 * end,
        });
      }
    },
  ));
});

Deno.test("heldInPasses() of the default run: the size at the end in one layer says little about the mean", () => {
  const model = { layers: 32, kvHeads: 32, headDim: 80 };
  const passes = { quality: qualityPasses(1280), speed: speedPasses({ promptTokens: 512, newTokens: 128 }) };
  const of = (policy: typeof policies[number]) => {
    const table = tabulate(policy, model, [0, 1], [passes.quality, passes.speed]);
    const keeper = new Keeper(table);
    const ends = Array.from({ length: 32 }, (_, layer) => keeper.sequence(layer, passes.quality).held);
    return { ends, ...heldInPasses(table, passes, model, 2).quality };
  };
  const streaming = of(methods.streaming_llm({ start_size: 4, recent_size: 252 }));
  equal(streaming.ends[2], 256);
  // Two layers hold everything: 1 .. 1280. Thirty hold 1 .. 256, then 256.
  const full = 1280 * 1281 / 2, cut = 256 * 257 / 2 + 1024 * 256;
  equal(streaming.share, (2 * full + 30 * cut) / (32 * full));
  equal(streaming.share.toFixed(2), "0.40");
  equal(streaming.mean_entries, (2 * full + 30 * cut) / (32 * 1280));
  equal(streaming.final_kv_bytes, 2 * 32 * 80 * 2 * (2 * 1280 + 30 * 256));
  equal(of(methods.baseline()).share, 1);
  // The column "Cache" has the first layer that is compressed, which holds the most of a pyramid.
  const pyramid = of(methods.pyramid_kv({ base_size: 512 }));
  equal(pyramid.ends[2], 414);
  equal((pyramid.ends.slice(2).reduce((a, b) => a + b) / 30).toFixed(0), "143");
  equal(pyramid.final_kv_bytes, 2 * 32 * 80 * 2 * pyramid.ends.reduce((a, b) => a + b));
  equal(pyramid.mean_entries.toFixed(1), "162.6");
});

Deno.test("heldInPasses() takes a long text without counting every step", () => {
  const quality = qualityPasses(100_000), speed = quality;
  const model = { layers: 32, kvHeads: 8, headDim: 128 };
  const table = tabulate(methods.streaming_llm(), model, [0, 1], [quality]);
  const start = performance.now();
  ok(heldInPasses(table, { quality, speed }, model, 2).quality.share < 0.1);
  ok(performance.now() - start < 500);
});

Deno.test("heldInPasses() has no mean of no pass", () => {
  const passes = { quality: [{ tokens: 1, times: 3 }], speed: [] };
  throws(() => heldInPasses({ layers: [[]] }, passes, { layers: 1, kvHeads: 1, headDim: 1 }, 4), RangeError);
});
