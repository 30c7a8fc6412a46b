/** How many entries layers hold in a run's sequence, compared with counting one pass after another. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { Keeper, type PassGroup, tabulate } from "../../lib/cache/schedule.ts";
import type { LayerState, Sizes } from "../../lib/policies/policy.ts";
import { numbers } from "./_numbers.ts";
import { kept, range } from "../reference/cache.ts";

/** Sizes without a pattern, the same for the same state; layers of one kind keep the same. */
function sizesOf({ layer, entries }: LayerState, seed: number, kinds: number, most: number): Sizes | "all" {
  const next = numbers(seed + entries * 7919 + (layer % kinds) * 104729);
  if (entries <= most && next() < 0.4) return "all";
  const count = Math.max(1, Math.floor(next() * Math.min(entries, most + 1)));
  const sink = Math.floor(next() * count);
  return { sink, heavy: 0, recent: count - sink };
}

const sequences = fc.array(
  fc.record<PassGroup>({
    tokens: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 9 })),
    times: fc.integer({ min: 1, max: 25 }),
  }),
  { minLength: 1, maxLength: 4 },
);

Deno.test("layers hold what counting says: at the end, at most, and in groups that hold as many as each other", () => {
  fc.assert(
    fc.property(
      sequences,
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 20 }),
      fc.subarray([0, 1, 2]),
      fc.nat(),
      (sequence, layers, kinds, most, skipped, seed) => {
        const keep = (state: LayerState) => sizesOf(state, seed, kinds, most);
        const table = tabulate({ method: "tested", params: {}, keep }, { layers }, skipped, [sequence]);
        const keeper = new Keeper(JSON.parse(JSON.stringify(table)));
        const groups = keeper.groups();
        const held = new Array<number>(layers).fill(0);
        const counted = range(0, layers).map(() => ({ capacity: 0, prefill: 0, held: 0, heldSum: 0 }));
        for (const { tokens } of sequence.flatMap(({ tokens, times }) => range(0, times).map(() => ({ tokens })))) {
          for (const layer of range(0, layers)) {
            const count = counted[layer]!;
            const entries = held[layer]! + tokens;
            if (held[layer] === 0 && tokens > 1) count.prefill = Math.max(count.prefill, entries);
            else count.capacity = Math.max(count.capacity, entries);
            const sizes = skipped.includes(layer) ? "all" : keep({ layer, layers, entries });
            const left = sizes === "all" ? entries : kept(sizes);
            const known = keeper.keep(layer, entries);
            deepEqual(known, left === entries ? "all" : sizes);
            ok(known === "all" || keeper.acts(layer));
            count.held = held[layer] = left;
            count.heldSum += left;
            count.capacity = Math.max(count.capacity, left);
          }
          groups.forEach((group, layer) => equal(held[layer], held[groups.indexOf(group)]));
        }
        deepEqual(range(0, layers).map((layer) => keeper.sequence(layer, sequence)), counted);
        // Groups are as few as possible if layers are alike.
        ok(new Set(groups).size <= kinds + 1);
      },
    ),
    { numRuns: 300 },
  );
});
