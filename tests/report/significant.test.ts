import assert from "node:assert/strict";
import fc from "fast-check";
import { significant } from "../../lib/report/tables/significant.ts";

Deno.test("significant() has the decimals the size asks for", () => {
  const texts = [0, 156.78, 42.35, 4.5, 0.01234, 99.96, 999.96, 12345, 1e6, 2.5e-9, -3.14159, NaN, Infinity]
    .map((value) => significant(value, 3));
  assert.deepEqual(texts, [
    "0",
    "157",
    "42.4",
    "4.50",
    "0.0123",
    "100",
    "1000",
    "12345",
    "1.00e6",
    "2.50e-9",
    "-3.14",
    "NaN",
    "Infinity",
  ]);
});

Deno.test("significant() is within half a unit of the last digit", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-5, max: 1e8, noNaN: true }), fc.integer({ min: 1, max: 6 }), (value, digits) => {
      const error = Math.abs(Number(significant(value, digits)) / value - 1);
      assert.ok(error <= 0.5 * 10 ** (1 - Math.min(digits, value >= 1e6 ? 3 : digits)) * (1 + 1e-9));
    }),
  );
});
