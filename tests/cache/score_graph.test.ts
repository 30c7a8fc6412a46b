/** Scores computed by the graph, compared with the plain evaluation. */
import { ok } from "node:assert/strict";
import fc from "fast-check";
import { emitScore } from "../../lib/cache/score_graph.ts";
import { Graph } from "../../lib/onnx/graph.ts";
import { Session, type View } from "../../lib/ort/session.ts";
import { type Feature, featuresOf, type Score } from "../../lib/policies/score.ts";
import { runtime } from "./_device.ts";
import { numbers } from "./_numbers.ts";
import { scores } from "./_scores.ts";
import { type Entry, evaluate, range } from "../reference/cache.ts";

const DIM = 4;

/** A row's middle, with numbers for the features that are not computed from keys and values. */
interface DropRange {
  readonly entries: readonly Entry[];
  readonly paid: readonly number[];
  readonly random: readonly number[];
}

/**
 * Scores of rows, `[rows][entries]`, in either of the graph's forms: of the middle alone, or of rows of `width` entries
 * in which the middle begins at `sink`, among numbers that must not matter.
 */
function scored(score: Score, rows: readonly DropRange[], masked?: { readonly width: number; readonly sink: number }) {
  const { device, ort } = runtime();
  const entries = rows[0]!.entries.length;
  const { width, sink } = masked ?? { width: entries, sink: 0 };
  const names = [...featuresOf(score)];
  const g = new Graph("scored", 24);
  const isDeep = (name: Feature) => name === "keys" || name === "values";
  const shape = (name: Feature) => ["rows", "width", ...(isDeep(name) ? [DIM] : [])];
  const inputs = new Map(names.map((name) => [name, g.input(name, "float32", shape(name))]));
  const count = g.input("count", "float32", ["rows", 1]);
  const mask = masked ? { mask: g.input("mask", "bool", ["rows", "width"]) } : {};
  const result = emitScore(g, score, { feature: (name) => inputs.get(name)!, count, ...mask });
  g.output("scored", result, "float32", ["rows", "width"]);

  using made = new DisposableStack();
  const given = (data: ArrayBufferView<ArrayBuffer>) => {
    const memory = made.use(device.allocate(data.byteLength));
    device.write(memory, 0, data);
    return memory;
  };
  const floats = (...numbers: number[]) => given(Float32Array.from(numbers));
  const outside = [1e30, -1e30, 7, 0, -3];
  const featureOf = ({ entries, paid, random }: DropRange, name: Feature, i: number): number[] => {
    const entry = entries[i];
    if (!entry) return range(0, isDeep(name) ? DIM : 1).map((j) => outside[(i + 50 + j) % outside.length]!);
    switch (name) {
      case "keys":
        return [...Array.from(entry.key)];
      case "values":
        return [...Array.from(entry.value)];
      case "key_norm":
        return [Math.sqrt(Array.from(entry.key).reduce((sum, x) => sum + x * x, 0))];
      case "attention":
        return [paid[i]!];
      case "random":
        return [random[i]!];
    }
  };
  const views: Record<string, View> = {
    count: ["float32", [rows.length, 1], floats(...rows.map(() => entries)), 0],
  };
  for (const name of names) {
    const data = rows.flatMap((row) => range(0, width).flatMap((slot) => featureOf(row, name, slot - sink)));
    views[name] = ["float32", [rows.length, width, ...(isDeep(name) ? [DIM] : [])], floats(...data), 0];
  }
  if (masked) {
    const inMiddle = rows.flatMap(() => range(0, width).map((slot) => Number(slot >= sink && slot < sink + entries)));
    views.mask = ["bool", [rows.length, width], given(Uint8Array.from(inMiddle)), 0];
  }
  const out = made.use(device.allocate(4 * rows.length * width));
  using session = new Session(ort, device, g.encode(), { threads: 1 });
  session.runOnce(views, { scored: ["float32", [rows.length, width], out, 0] });
  const all = new Float32Array(rows.length * width);
  device.read(out, 0, all);
  return rows.map((_, row) => all.slice(row * width + sink, row * width + sink + entries));
}

Deno.test("scores are what the expression says, alone or among others, whatever it is made of", () => {
  fc.assert(
    fc.property(
      scores({ attention: true, exact: false }),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(5),
      fc.nat(5),
      fc.nat(),
      (score, entries, before, behind, seed) => {
        const next = numbers(seed);
        const vector = () => Float32Array.from({ length: DIM }, () => 6 * next() - 3);
        const rows = range(0, 2).map((): DropRange => ({
          entries: range(0, entries).map((index) => ({ index, key: vector(), value: vector(), seen: new Map() })),
          paid: range(0, entries).map(() => Math.fround(next())),
          random: range(0, entries).map(() => Math.fround(next())),
        }));
        const masked = { width: before + entries + behind, sink: before };
        const forms = [scored(score, rows), scored(score, rows, masked)];
        rows.forEach((row, i) => {
          // The rounding error is relative to the largest intermediate number.
          let most = 1;
          const expected = evaluate(score, {
            entries: row.entries,
            paid: (entry) => row.paid[entry.index]!,
            random: (i) => row.random[i]!,
            round: (x) => {
              most = Math.max(most, Math.abs(x));
              return x;
            },
          });
          for (const [form, of] of forms.entries()) {
            expected.forEach((number, entry) => {
              const off = Math.abs(of[i]![entry]! - number);
              ok(off <= 1e-5 * most, `form ${form}, entry ${entry}: ${of[i]![entry]} instead of ${number}`);
            });
          }
        });
      },
    ),
    { numRuns: 150 },
  );
});
