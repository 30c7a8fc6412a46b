/** Random numbers drawn by the graph. */
import { deepEqual, notDeepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { emitRandom, firstDraw } from "../../lib/cache/random_graph.ts";
import { Graph } from "../../lib/onnx/graph.ts";
import { Session } from "../../lib/ort/session.ts";
import { random } from "../../lib/policies/score.ts";
import { FedCache, runtime } from "./_device.ts";
import { range, uniform } from "../reference/cache.ts";

const session = (() => {
  const g = new Graph("random");
  const drawn = emitRandom(
    g,
    g.input("draw", "int64", [1]),
    g.input("row", "int64", ["rows", 1]),
    g.input("rank", "int64", [1, "entries"]),
  );
  g.output("drawn", drawn, "float32", ["rows", "entries"]);
  return new Session(runtime().ort, runtime().device, g.encode(), { threads: 1 });
})();

/** Numbers drawn by the graph, `[rows][entries]`. */
function drawn(draw: number, rows: number, entries: number): Float32Array[] {
  const { device } = runtime();
  using made = new DisposableStack();
  const ints = (numbers: number[]) => {
    const memory = made.use(device.allocate(8 * numbers.length));
    device.write(memory, 0, BigInt64Array.from(numbers, BigInt));
    return memory;
  };
  const out = made.use(device.allocate(4 * rows * entries));
  session.runOnce({
    draw: ["int64", [1], ints([draw]), 0],
    row: ["int64", [rows, 1], ints(range(0, rows)), 0],
    rank: ["int64", [1, entries], ints(range(0, entries)), 0],
  }, { drawn: ["float32", [rows, entries], out, 0] });
  const numbers = new Float32Array(rows * entries);
  device.read(out, 0, numbers);
  return range(0, rows).map((row) => numbers.slice(row * entries, (row + 1) * entries));
}

/** Correlation of two lists of numbers. */
function correlation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = Math.min(x.length, y.length);
  let [sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [a, b] = [x[i]!, y[i]!];
    sx += a, sy += b, sxx += a * a, syy += b * b, sxy += a * b;
  }
  return (n * sxy - sx * sy) / Math.sqrt((n * sxx - sx * sx) * (n * syy - sy * sy));
}

/** Pearson's chi-squared of whole numbers below `cells` against equal shares. */
function chiSquared(places: Iterable<number>, cells: number): number {
  const counts = new Float64Array(cells);
  let n = 0;
  for (const place of places) counts[place]!++, n++;
  return counts.reduce((sum, count) => sum + (count - n / cells) ** 2 / (n / cells), 0);
}

/** Limit that chi-squared exceeds once in a million times, by Wilson and Hilferty's approximation. */
const limit = (cells: number) =>
  (cells - 1) * (1 - 2 / (9 * (cells - 1)) + 4.75 * Math.sqrt(2 / (9 * (cells - 1)))) ** 3;

Deno.test("the graph draws what big integers do, bit for bit", () => {
  const seeds = fc.oneof(fc.nat(3), fc.nat(), fc.maxSafeNat());
  fc.assert(
    fc.property(seeds, fc.constantFrom("drop", "compact"), fc.nat(1e6), (seed, kind, passes) => {
      const draw = firstDraw(seed, kind) + passes;
      deepEqual(
        drawn(draw, 3, 40),
        range(0, 3).map((row) => Float32Array.from(range(0, 40), (rank) => uniform(draw, row, rank))),
      );
    }),
    { numRuns: 40 },
  );
});

Deno.test("a seed's draws are its own: the same ones again, and no other seed's, a few passes earlier or later", () => {
  deepEqual(drawn(firstDraw(7, "drop"), 8, 100), drawn(firstDraw(7, "drop"), 8, 100));
  notDeepEqual(drawn(firstDraw(7, "drop"), 8, 100), drawn(firstDraw(7, "compact"), 8, 100));
  // Draws count by their residue: sort the first draws of a thousand seeds by it.
  const prime = 2 ** 31 - 1;
  const starts = range(0, 1000).flatMap((seed) => [firstDraw(seed, "drop"), firstDraw(seed, "compact")])
    .map((draw) => draw % prime).sort((a, b) => a - b);
  const gaps = starts.map((start, i) => (starts[i + 1] ?? starts[0]! + prime) - start);
  ok(Math.min(...gaps) > 400_000, `two seeds are ${Math.min(...gaps)} draws apart`);
});

Deno.test("numbers drawn are uniform, over ranks, rows and passes", () => {
  const [rows, entries, passes] = [16, 512, 24];
  const all = range(0, passes).flatMap((pass) => drawn(firstDraw(1, "drop") + pass, rows, entries).map((x) => [...x]));
  const numbers = all.flat();
  ok(numbers.every((x) => x >= 0 && x <= 1));
  const cells = (count: number) => (x: number) => Math.min(count - 1, Math.floor(x * count));
  for (const count of [10, 256]) {
    const found = chiSquared(numbers.map(cells(count)), count);
    ok(found < limit(count), `chi-squared of ${count} cells is ${found}`);
  }
  // Pairs of neighbours in rank, in row and in pass show no lattice.
  const at = (pass: number, row: number, rank: number) => all[pass * rows + row]![rank]!;
  for (const [name, dPass, dRow, dRank] of [["rank", 0, 0, 1], ["row", 0, 1, 0], ["pass", 1, 0, 0]] as const) {
    const pairs: number[] = [];
    for (let pass = 0; pass < passes - dPass; pass++) {
      for (let row = 0; row < rows - dRow; row++) {
        for (let rank = 0; rank < entries - dRank; rank++) {
          const place = cells(16);
          pairs.push(16 * place(at(pass, row, rank)) + place(at(pass + dPass, row + dRow, rank + dRank)));
        }
      }
    }
    const found = chiSquared(pairs, 256);
    ok(found < limit(256), `chi-squared of neighbours in ${name} is ${found}`);
  }
});

Deno.test("rows, passes and seeds are independent of each other, shifted or not", () => {
  const entries = 4000;
  // Five standard deviations of the correlation of independent numbers
  const most = 5 / Math.sqrt(entries - 50);
  const lists = [
    ...range(0, 3).map((seed) => drawn(firstDraw(seed, "drop"), 3, entries)),
    ...[1, 2, 3, 64].map((pass) => drawn(firstDraw(0, "drop") + pass, 3, entries)),
    drawn(firstDraw(0, "compact"), 3, entries),
  ].flat();
  lists.forEach((x, i) =>
    lists.forEach((y, j) => {
      for (const shift of i === j ? [1, 2, 7] : i < j ? [0, 1, 2] : []) {
        const found = correlation(x, y.subarray(shift));
        ok(Math.abs(found) < most, `lists ${i} and ${j}, shifted by ${shift}: ${found}`);
      }
    })
  );
});

Deno.test("which entry of a full row leaves is uniform", () => {
  // The lowest number of a middle of 50, over many passes and rows: the entry that single-slot eviction drops.
  const [rows, middle] = [32, 50];
  const places: number[] = [];
  for (let pass = 0; pass < 400; pass++) {
    for (const row of drawn(firstDraw(3, "drop") + pass, rows, middle)) places.push(row.indexOf(Math.min(...row)));
  }
  const found = chiSquared(places, middle);
  ok(found < limit(middle), `chi-squared is ${found}`);
  // A row's choices do not depend on the ones before.
  const [now, later] = [places.slice(0, -rows), places.slice(rows)];
  ok(Math.abs(correlation(now, later)) < 5 / Math.sqrt(now.length));
});

Deno.test("a random run is the same for the same seed, and differs for another, after a prompt and in steps", () => {
  const shape = { layers: 2, kvHeads: 2, headDim: 1 };
  const run = (seed: number, passes: readonly number[]) => {
    const table = { layers: [0, 1].map(() => [[24, 0, 8, 4], [13, 0, 8, 4]] as const) };
    const sequence = passes.map((tokens) => ({ tokens, times: 1 }));
    using fed = new FedCache(shape, { stored: "float32", table, score: random, trace: true }, sequence, seed);
    for (const tokens of passes) {
      const zeros = [0, 1].map(() => new Float32Array(2 * tokens));
      fed.pass(tokens, { keys: zeros, values: zeros });
    }
    return fed.cache.heldPositions().flat().map((held) => held.join());
  };
  for (const passes of [[24], new Array<number>(30).fill(1)]) {
    deepEqual(run(5, passes), run(5, passes));
    const rows = [5, 6, 7, 1000].flatMap((seed) => run(seed, passes));
    deepEqual([...new Set(rows)], rows, "two heads or seeds chose alike");
  }
});
