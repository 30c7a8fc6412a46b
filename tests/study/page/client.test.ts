/** The page's code: how it is joined, and what it chooses to show. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { fromFileUrl, join } from "@std/path";
import { collectPage } from "../../../lib/study/page/collect.ts";
import { clientCode } from "../../../lib/study/page/client_code.ts";
import { frontierLines, frontierPoints } from "../../../lib/study/page/client/frontier_points.ts";
import { commitChanges, historyLines } from "../../../lib/study/page/client/history_points.ts";
import { type Key, rowOrder, searchFor } from "../../../lib/study/page/client/row_order.ts";
import { inventNights, inventRun } from "./_invent_runs.ts";

/** Joins modules, given by name, and returns the code. */
async function joined(modules: Record<string, string>): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, code] of Object.entries(modules)) await Deno.writeTextFile(join(folder, name), code);
    return await clientCode(join(folder, "main.ts"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("joined modules run as modules do: each once, with names of its own", async () => {
  const code = await joined({
    "main.ts": `import { a as first, type T } from "./a.ts";
import {
  b,
} from "./b.ts";
const hidden: T = "main";
globalThis.told = [first(), b, hidden];`,
    "a.ts": `import { b } from "./b.ts";
export type T = string;
const hidden = "a";
/** import { x } from "./nowhere.ts" is only said here. */
export function a(): string {
  return hidden + b;
}`,
    "b.ts": `globalThis.count = (globalThis.count ?? 0) + 1;
const hidden = "b";
export const b: string = hidden;`,
  });
  new Function(code)();
  const { told, count } = globalThis as unknown as { told: string[]; count: number };
  deepEqual(told, ["ab", "b", "main"]);
  equal(count, 1);
});

Deno.test("what cannot be joined is refused with its line", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ "main.ts": "export default 1;" }, /main\.ts: it has "export default 1;"; import and export by name/],
    [{ "main.ts": 'import * as a from "./a.ts";', "a.ts": "" }, /it has "import \* as a/],
    [{ "main.ts": 'export { a } from "./a.ts";', "a.ts": "" }, /it has "export \{ a \}/],
    [{ "main.ts": 'const a = await import("./a.ts");' }, /it has "import\("/],
    [{ "main.ts": 'import { a } from "chart.js";' }, /it has "import \{ a \} from "chart\.js/],
    [
      {
        "main.ts": 'import { a } from "./a.ts";\nexport const b = a;',
        "a.ts": 'import { b } from "./main.ts";\nexport const a = b;',
      },
      /main\.ts imports .*a\.ts imports .*main\.ts/,
    ],
  ];
  for (const [modules, message] of cases) await rejects(joined(modules), message);
});

Deno.test("the page's own code can be joined", async () => {
  const code = await clientCode(fromFileUrl(new URL("../../../lib/study/page/client/main.ts", import.meta.url)));
  // Without a page, it is read but not started.
  new Function(code)();
  match(code, /function paretoOptimal\(points +\)/);
});

Deno.test("rowOrder() orders as a plain sort of what is known, the unknown last", () => {
  const key = fc.option(fc.double({ noNaN: true }), { nil: undefined });
  fc.assert(fc.property(fc.array(key), fc.boolean(), (keys: Key[], descending) => {
    const order = rowOrder(keys, descending);
    deepEqual(order.toSorted((a, b) => a - b), [...keys.keys()]);
    const known = keys.filter((key) => key !== undefined) as number[];
    const sorted = known.toSorted((a, b) => descending ? b - a : a - b);
    deepEqual(
      order.map((row) => keys[row]).slice(0, known.length).map((key) => Number(key) + 0),
      sorted.map((key) => key + 0),
    );
    // Rows with equal keys keep their order.
    order.slice(1).forEach((row, place) => ok(keys[row] !== keys[order[place]!] || row > order[place]!));
  }));
  deepEqual(rowOrder(["h2o_100", "h2o_25", "H2O_9"], false), [2, 1, 0]);
});

Deno.test("searchFor() finds all words, in any order and case", () => {
  const isFound = searchFor("  SHARED h2o ");
  ok(isFound("h2o_25% shared") && !isFound("h2o_25%") && searchFor("")("anything"));
});

Deno.test("the frontier has the newest run of each configuration of a group", async () => {
  const { data: { cells } } = await collectPage([...inventNights(3), inventRun({ model: "x/other" })]);
  const all = { group: 0, quality: "kl", cost: "tpot", hidden: new Set<string>() } as const;
  const points = frontierPoints(cells, all);
  equal(points.length, 10);
  ok(points.every(({ cell }) => cell.time.startsWith("2025-01-03") && cell.group === 0));
  equal(frontierPoints(cells, { ...all, hidden: new Set(["h2o"]) }).length, 7);
  equal(frontierPoints(cells, { ...all, group: 1 }).length, 10);
  const lines = frontierLines(points);
  deepEqual(lines.map((line) => line.map(({ cell }) => cell.name)), [
    ["baseline"],
    ...["streaming_llm", "h2o", "snapkv"].map((name) => [10, 25, 50].map((budget) => `${name}_${budget}%`)),
  ]);
});

Deno.test("the history has what was measured twice, by machine, and where the commit changed", async () => {
  const nights = inventNights(12);
  const { data: { cells } } = await collectPage([...nights, inventRun({ model: "x/once" })]);
  const lines = historyLines(cells, 0, { figure: "tpot", isChange: false });
  equal(lines.length, 10);
  ok(lines.every(({ points }) => points.length === 12 && points[0]!.at < points[11]!.at));
  equal(historyLines(cells, 1, { figure: "tpot", isChange: false }).length, 0);
  // The baseline has no change against itself; the others' have intervals.
  const changes = historyLines(cells, 0, { figure: "tpot", isChange: true });
  equal(changes.length, 9);
  equal(changes[0]!.points[0]!.figure.length, 3);
  deepEqual(commitChanges(lines.flatMap(({ points }) => points)), [
    { at: Date.UTC(2025, 0, 11, 2), commit: "bbbbbbbbbb" },
  ]);
  const moved = await collectPage([...nights, inventRun({ timestamp: "20250301_000000", host: "node2" })]);
  const labels = historyLines(moved.data.cells, 0, { figure: "perplexity", isChange: false }).map(({ label }) => label);
  ok(labels.includes("h2o_25% on node1") && labels.includes("h2o_25% on node2"), labels.join());
});
