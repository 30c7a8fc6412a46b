/** Names under bars and labels beside points. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { fitNames, heightOf, LINE_HEIGHT } from "../../lib/report/charts/fit_names.ts";
import { overlap, placeLabels } from "../../lib/report/charts/place_labels.ts";

const measure = (text: string, size: number) => 0.58 * size * text.length;

/** The slot of one of `count` bars in a chart of a comparison, points. */
const slotOf = (count: number) => (532 - 80) / count;

for (const count of [1, 3, 7, 17, 40]) {
  Deno.test(`fitNames() fits ${count} long names in full, without touching each other`, () => {
    const names = Array.from({ length: count }, (_, i) => `fix${512 + i}_keep_low_kr=0.8@cache`);
    const slot = slotOf(count);
    const fitted = fitNames(names, { slot, height: 160, measure });
    deepEqual(fitted.lines.map((lines) => lines.join("")), names);
    ok(heightOf(fitted, measure) <= 160);
    for (const lines of fitted.lines) {
      const across = lines.length * fitted.size * LINE_HEIGHT;
      const along = Math.max(...lines.map((line) => measure(line, fitted.size)));
      ok(fitted.upright ? across <= slot && along <= 160 : along <= slot && across <= 160);
    }
    // Print of 24 x 12 inches: 8 points can be read.
    ok(fitted.size >= 8, `${fitted.size}`);
    equal(fitted.upright, count >= 17);
  });
}

Deno.test("fitNames() keeps every name whole, whatever it is", () => {
  const names = fc.array(fc.string({ unit: fc.constantFrom("a", "W", "_", "@", "=", "1"), maxLength: 120 }), {
    maxLength: 60,
  });
  fc.assert(fc.property(names, fc.double({ min: 3, max: 500, noNaN: true }), (names, slot) => {
    deepEqual(fitNames(names, { slot, height: 160, measure }).lines.map((lines) => lines.join("")), names);
  }));
});

Deno.test("placeLabels() places labels in the bounds, over no other label and no point", () => {
  const point = fc.record({
    x: fc.integer({ min: 0, max: 400 }),
    y: fc.integer({ min: 0, max: 300 }),
    width: fc.integer({ min: 5, max: 60 }),
    height: fc.constant(13),
  });
  const bounds = { x: 0, y: 0, width: 400, height: 300 };
  fc.assert(fc.property(fc.array(point, { maxLength: 40 }), (labels) => {
    const placed = placeLabels(labels, { bounds, distance: 8 });
    const boxes = placed.filter((box) => box !== undefined);
    boxes.forEach((box, at) => {
      ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 400 && box.y + box.height <= 300);
      ok(!boxes.slice(at + 1).some((other) => overlap(box, other)));
      ok(!labels.some(({ x, y }) => overlap(box, { x: x - 5, y: y - 5, width: 10, height: 10 })));
    });
    // Alone, a point always has its label.
    if (labels.length === 1) equal(boxes.length, 1);
  }));
});

Deno.test("placeLabels() covers a line only where there is no other place near", () => {
  const label = { x: 100, y: 100, width: 30, height: 12 };
  const options = { bounds: { x: 0, y: 0, width: 200, height: 200 }, distance: 8 };
  const [first] = placeLabels([label], options);
  const line = { x: first!.x, y: first!.y, width: 5, height: 5 };
  const [second] = placeLabels([label], { ...options, lines: [line] });
  ok(!overlap(second!, line));
  const everywhere = { x: 0, y: 0, width: 200, height: 200 };
  deepEqual(placeLabels([label], { ...options, lines: [everywhere] }), [first]);
});
