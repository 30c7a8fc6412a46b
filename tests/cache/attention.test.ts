/** Attention over a cache that forgets, with several query heads to a KV head, against the same in float64. */
import { ok } from "node:assert/strict";
import fc from "fast-check";
import { firstDraw } from "../../lib/cache/random_graph.ts";
import { tabulate } from "../../lib/cache/schedule.ts";
import { type Neox, rotate } from "../reference/neox.ts";
import { AttendedCache, type AttentionShape } from "./_attended.ts";
import { followChoice } from "../reference/choice.ts";
import { compareAttention, fewTies, type NearTie, stretchesOf, tied } from "./_follow.ts";
import { numbers } from "./_numbers.ts";
import { pairs } from "./_pairs.ts";
import { range, ReferenceCache } from "../reference/cache.ts";
import { attend } from "../reference/decoder.ts";

const shapes = fc.record({
  layers: fc.integer({ min: 2, max: 3 }),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 4 }),
  headDim: fc.constantFrom(8, 16),
  rotary: fc.constantFrom(2, 4, 8),
  // Sliding window of each layer; in half of the runs no layer has one
  windows: fc.oneof(
    fc.constant([]),
    fc.array(fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }), { minLength: 3, maxLength: 3 }),
  ),
});

Deno.test("query heads that share a KV head choose together, and read what is kept, in every form and numbering", () => {
  fc.assert(
    fc.property(
      shapes,
      fc.constantFrom(...pairs(6), ...pairs(9)),
      fc.constantFrom([1], [5], [12], [18], [3, 1, 1, 2]),
      fc.integer({ min: 8, max: 20 }),
      fc.constantFrom("absolute", "cache", "seed"),
      fc.constantFrom("explicit", "fused"),
      fc.nat(1e6),
      ({ group, rotary, windows, ...shape }, { policy, method }, first, steps, numbering, wanted, seed) => {
        const { layers, kvHeads, headDim } = shape;
        const heads = kvHeads * group;
        const frequencies = range(0, rotary / 2).map((i) => Math.fround(100 ** (-2 * i / rotary)));
        const spec: AttentionShape = {
          ...shape,
          heads,
          rope: { dim: rotary, frequencies },
          ...(windows.length > 0 ? { window: (layer) => windows[layer] } : {}),
        };
        const passes = [...first, ...new Array<number>(steps).fill(1)];
        const attention = policy.attention || numbering === "cache" || windows.length > 0 ? "explicit" : wanted;
        const sequence = stretchesOf(passes);
        using device = new AttendedCache(
          spec,
          { attention, numbering, maxPositions: 64 },
          {
            stored: "float32",
            table: tabulate(policy, { layers }, [], [sequence]),
            score: policy.score,
            attentionUse: policy.attention,
            trace: true,
          },
          sequence,
          seed,
        );
        const { cache, eviction: { acting } } = device;
        const reference = new ReferenceCache({ layers, heads, kvHeads }, method);
        const turn = (x: Float64Array, position: number) =>
          rotate(x, position, { rotary, theta: 100, scale: 1 } as Neox);
        const next = numbers(seed);
        const nearTies: NearTie[] = [];
        let choices = 0;
        for (const [pass, tokens] of passes.entries()) {
          const random = (heads: number) =>
            range(0, layers).map(() => Float32Array.from({ length: tokens * heads * headDim }, () => 4 * next() - 2));
          const [queries, keys, values] = [random(heads), random(kvHeads), random(kvHeads)];
          device.pass(tokens, { queries, keys, values });
          const past = reference.rows[0]![0]!.length;
          for (const token of range(0, tokens)) {
            const index = reference.tokens;
            const position = numbering === "seed" ? past + token : index;
            for (const layer of range(0, layers)) {
              const part = (all: readonly Float32Array[], heads: number) =>
                range(0, heads).map((head) => {
                  const at = (token * heads + head) * headDim;
                  return Float64Array.from(all[layer]!.subarray(at, at + headDim));
                });
              const { attended } = attend(
                reference,
                layer,
                { queries: part(queries, heads), keys: part(keys, kvHeads), values: part(values, kvHeads) },
                { index, position, numbering, window: windows[layer] },
                turn,
              );
              const width = heads * headDim;
              const got = device.attended[layer]!.subarray(token * width, (token + 1) * width);
              const off = attended.reduce((most, x, i) => Math.max(most, Math.abs(x - got[i]!)), 0);
              ok(off < 1e-5, `token ${index}, layer ${layer}: attention is off by ${off}`);
            }
            reference.tokens++;
          }
          const held = cache.heldPositions();
          for (const layer of acting) {
            const sizes = reference.sizes(layer);
            for (const head of range(0, kvHeads)) {
              const row = acting.indexOf(layer) * kvHeads + head;
              const draw = firstDraw(seed, tokens === 1 ? "drop" : "compact") + (tokens === 1 ? pass : 0);
              const at = { method: policy.method, layer, head, row, draw };
              const dispute = followChoice(reference, at, sizes, held[layer]![head]!);
              // Queries, keys and values are exact: nothing but attention itself is rounded.
              if (dispute) nearTies.push(tied(dispute, { hidden: 0, intermediate: 0, headDim, heads }));
              choices++;
            }
          }
        }
        fewTies(nearTies, choices);
        if (policy.attention) compareAttention(cache, reference);
      },
    ),
    { numRuns: 80 },
  );
});
