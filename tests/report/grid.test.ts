import assert from "node:assert/strict";
import fc from "fast-check";
import { formatGrid, type Grid } from "../../lib/report/tables/grid.ts";
import { wrap } from "../../lib/report/tables/wrap.ts";

const grid: Grid = {
  title: "Method",
  columns: [
    { title: "TPOT ms", group: 0 },
    { title: "p95 ms", group: 0 },
    { title: "KL", group: 1 },
    { title: "Top-1 %", group: 1 },
  ],
  rows: [
    { name: "baseline", cells: ["1.234", "1.5", "-", "-"] },
    { name: "tova_256", cells: "failed: Out of memory: 4.2 GB asked for" },
    { name: "streaming_256", cells: ["12.34", "20.0", "0.00123", "97.5"] },
  ],
  ruled: true,
};

Deno.test("formatGrid() is as wide as its cells", () => {
  assert.equal(
    formatGrid(grid),
    `\
Method         TPOT ms  p95 ms       KL  Top-1 %
------------------------------------------------
baseline         1.234     1.5        -        -
tova_256       failed: Out of memory: 4.2 GB asked for
streaming_256    12.34    20.0  0.00123     97.5
================================================`,
  );
});

Deno.test("formatGrid() narrows the gaps first, then breaks into blocks between groups", () => {
  assert.equal(formatGrid(grid, 44).split("\n")[0], "Method        TPOT ms p95 ms      KL Top-1 %");
  assert.equal(
    formatGrid(grid, 40),
    `\
Method         TPOT ms  p95 ms
------------------------------
baseline         1.234     1.5
tova_256       failed: Out of memory:
  4.2 GB asked for
streaming_256    12.34    20.0
==============================

Method              KL  Top-1 %
-------------------------------
baseline             -        -
streaming_256  0.00123     97.5
===============================`,
  );
});

Deno.test("formatGrid() gives a name a line of its own where no column fits next to it", () => {
  assert.equal(
    formatGrid({ ...grid, ruled: false }, 18),
    `\
Method
   TPOT ms p95 ms
baseline
     1.234    1.5
tova_256  failed:
  Out of memory:
  4.2 GB asked for
streaming_256
     12.34   20.0

Method
        KL Top-1 %
baseline
         -       -
streaming_256
   0.00123    97.5`,
  );
});

Deno.test("formatGrid() cuts nothing at any width, and fits every width that its widest figure fits", () => {
  const text = fc.stringMatching(/^[a-z0-9_.%]{1,12}$/);
  fc.assert(fc.property(
    fc.array(fc.record({ title: text, group: fc.nat(3) }), { minLength: 1, maxLength: 8 }),
    fc.array(fc.tuple(fc.stringMatching(/^[a-z0-9_=.]{1,30}$/), fc.array(text, { minLength: 8, maxLength: 8 })), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.integer({ min: 20, max: 120 }),
    fc.boolean(),
    (columns, given, width, ruled) => {
      const rows = given.map(([name, cells]) => ({ name, cells: cells.slice(0, columns.length) }));
      const lines = formatGrid({ title: "Method", columns, rows, ruled }, width).split("\n");
      const words = (lines: string[]) => lines.flatMap((line) => line.split(/\s+/)).filter((word) => word !== "");
      const shown = words(lines);
      const count = (list: string[], word: string) => list.filter((other) => other === word).length;
      const wanted = [...columns.map(({ title }) => title), ...rows.flatMap(({ cells }) => cells)];
      for (const word of wanted) assert.ok(count(shown, word) >= count(wanted, word), word);
      // A name on a line of its own may be longer than the line.
      const long = Math.max(width, ...rows.map(({ name }) => name.length));
      for (const line of lines) assert.ok(line.length <= long, line);
    },
  ));
});

Deno.test("wrap() breaks at blanks only, keeps columns that are lined up, and leaves long words whole", () => {
  assert.equal(wrap("one two three", undefined), "one two three");
  assert.equal(wrap("one two three", 13), "one two three");
  assert.equal(wrap("one two three\nfour", 8), "one two\n  three\nfour");
  assert.equal(wrap("tova_256      tova: window_size 256", 26, 4), "tova_256      tova:\n    window_size 256");
  assert.equal(wrap("https://a.very/long/address is it", 10), "https://a.very/long/address\n  is it");
  assert.equal(wrap("a https://a.very/long/address", 10), "a\n  https://a.very/long/address");
  const line = fc.array(fc.stringMatching(/^[a-z]{1,15}$/), { maxLength: 30 });
  fc.assert(fc.property(line, fc.integer({ min: 4, max: 40 }), fc.nat(3), (words, width, indent) => {
    const lines = wrap(words.join(" "), width, indent).split("\n");
    assert.deepEqual(lines.flatMap((line) => line.trim().split(" ")), words.length === 0 ? [""] : words);
    for (const line of lines) assert.ok(line.length <= width || !line.trim().includes(" "), line);
  }));
});
