import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { headStarts, makeLayout, rowStarts } from "../../lib/cache/layout.ts";

Deno.test("makeLayout() gives every head of every sequence and layer slots of its own, acting layers first", () => {
  fc.assert(fc.property(
    fc.record({
      capacities: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
      kvHeads: fc.integer({ min: 1, max: 4 }),
      sequences: fc.integer({ min: 1, max: 3 }),
      chosen: fc.integer({ min: 0, max: 63 }),
    }),
    ({ capacities, kvHeads, sequences, chosen }) => {
      const acting = capacities.map((_, layer) => layer).filter((layer) => chosen >> layer & 1);
      const layout = makeLayout({ capacities, kvHeads, sequences, headDim: 2, acting });
      equal(layout.rows, acting.length * sequences * kvHeads);
      const taken = capacities.flatMap((capacity, layer) =>
        headStarts(layout, layer).flatMap((start) => Array.from({ length: capacity }, (_, i) => start + i))
      );
      deepEqual(taken.toSorted((a, b) => a - b), Array.from({ length: layout.slots }, (_, i) => i));
      const rows = rowStarts(layout);
      equal(rows.length, layout.rows);
      deepEqual(rows, rows.toSorted((a, b) => a - b));
      if (acting.length > 0) equal(rows[0], 0);
    },
  ));
});
