import { equal } from "node:assert/strict";
import fc from "fast-check";
import { tabulate } from "../../lib/cache/schedule.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { qualityPasses } from "../../lib/run/measure/quality.ts";
import { speedPasses } from "../../lib/run/measure/speed_passes.ts";
import { evictedFrom } from "../../lib/run/plan/evicted_from.ts";

const layers = 3;

/** Step by step: the first step that reads a cache from which something was dropped; undefined if none does. */
function firstCompressed(policy: Policy, skipped: readonly number[], steps: number): number | undefined {
  const held = Array<number>(layers).fill(0);
  for (let step = 0; step < steps; step++) {
    if (held.some((entries) => entries < step)) return step;
    for (const layer of held.keys()) {
      const entries = held[layer]! + 1;
      const sizes = skipped.includes(layer) ? "all" : policy.keep({ layer, layers, entries });
      held[layer] = sizes === "all" ? entries : sizes.sink + sizes.heavy + sizes.recent;
    }
  }
  return undefined;
}

const size = fc.integer({ min: 8, max: 160 });
const policies = fc.oneof(
  fc.constant(methods.baseline()),
  size.map((window_size) => methods.recent_only({ window_size })),
  size.map((cache_size) => methods.tova({ cache_size })),
  size.map((base_size) => methods.pyramid_kv({ base_size, min_size: 4 })),
  size.map((prune_after) => methods.l2_compress({ keep_ratio: 0.8, prune_after })),
  size.map((hard_limit) => methods.adaptive_l2({ target_size: 8, soft_limit: 8, hard_limit })),
);

Deno.test("evictedFrom() is the first step from which on all that ever drop anything have dropped something", () => {
  fc.assert(fc.property(
    fc.array(policies, { minLength: 1, maxLength: 4 }),
    fc.subarray([0, 1, 2]),
    fc.integer({ min: 1, max: 150 }),
    fc.integer({ min: 1, max: 200 }),
    (policies, skipped, steps, promptTokens) => {
      // The table has the sizes of speed passes too, whose counts are others.
      const passes = [qualityPasses(steps), speedPasses({ promptTokens, newTokens: 5, chunk: 60 })];
      const tables = policies.map((policy) => tabulate(policy, { layers }, skipped, passes));
      const first = policies.flatMap((policy) => firstCompressed(policy, skipped, steps) ?? []);
      equal(evictedFrom(tables, steps), first.length === 0 ? null : Math.max(...first));
    },
  ));
});

Deno.test("evictedFrom() takes tables of long texts and many layers", () => {
  const rows = Array.from({ length: 50_000 }, (_, i) => [i + 100, 0, 0, 99] as const);
  equal(evictedFrom([{ layers: Array(40).fill(rows) }], 60_000), 100);
});
