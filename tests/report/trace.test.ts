import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../../lib/util/errors.ts";
import { isTraceFile, readTrace, runsOf, traceFileName, writeTrace } from "../../lib/report/results/trace.ts";
import type { Trace } from "../../lib/report/results/trace_types.ts";

async function inFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const TRACE: Trace = {
  configuration: "streaming_8@cache",
  positions: "cache",
  skip_layers: [0],
  layers: 3,
  kv_heads: 2,
  snapshots: [
    { step: 3, tokens: 4, held: [[], [], []] },
    { step: 99, tokens: 100, held: [[], [[[0, 4], [96, 4]], [[0, 4], [96, 4]]], [[[0, 1], [50, 7]], []]] },
  ],
};

Deno.test("runsOf() tells every set of positions by maximal runs", () => {
  const sets = fc.uniqueArray(fc.integer({ min: 0, max: 60 })).map((list) => list.sort((a, b) => a - b));
  fc.assert(fc.property(sets, (positions) => {
    const runs = runsOf(Int32Array.from(positions));
    assert.deepEqual(runs.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)), positions);
    runs.slice(1).forEach(([first], index) => assert.ok(first > runs[index]![0] + runs[index]![1]));
  }));
});

Deno.test("runsOf() refuses positions that do not ascend", () => {
  for (const positions of [[3, 2], [3, 3], [-1]]) assert.throws(() => runsOf(positions), RangeError);
});

Deno.test("traceFileName() gives every configuration a file of its own, fit for any system", () => {
  assert.equal(traceFileName("fix256_keep_low_kr=0.5@cache"), "trace_fix256_keep_low_kr=0.5@cache.json");
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (name) => {
    const file = traceFileName(name);
    assert.match(file, /^trace_[A-Za-z0-9._=@+,-]*\.json$/);
    assert.ok(file.length < 150 && isTraceFile(file));
  }));
  const names = ["a b", "a_b", "a/b", "a\\b", "ab", "x".repeat(200), "x".repeat(201)];
  assert.equal(new Set(names.map(traceFileName)).size, names.length);
});

Deno.test("readTrace() gives back what writeTrace() wrote, which is compact and leaves no other file", () =>
  inFolder(async (folder) => {
    await writeTrace(folder, { ...TRACE, snapshots: [] });
    const path = await writeTrace(folder, TRACE);
    assert.equal(path, `${folder}/trace_streaming_8@cache.json`);
    assert.deepEqual(await readTrace(path), TRACE);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["trace_streaming_8@cache.json"]);
    const text = await Deno.readTextFile(path);
    assert.ok(
      text.includes('    {"step":99,"tokens":100,"held":[\n      [],\n      [[[0,4],[96,4]],[[0,4],[96,4]]],\n'),
    );
  }));

Deno.test("readTrace() names the file and what is wrong in it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/trace_x.json`;
    // deno-lint-ignore no-explicit-any
    const reads = async (change: (trace: any) => void, message: string) => {
      const trace = structuredClone(TRACE);
      change(trace);
      await Deno.writeTextFile(path, JSON.stringify(trace));
      await assert.rejects(readTrace(path), new InputError(`Cannot read ${path}: ${message}`));
    };
    await reads((t) => delete t.kv_heads, "kv_heads is missing, a number is needed");
    await reads((t) => t.layers = 2.5, "layers is 2.5, a count is needed");
    await reads((t) => t.layers = 4, "snapshots[0].held has 3 layers, layers is 4");
    await reads((t) => t.snapshots[1].held[2].pop(), "snapshots[1].held[2] has 1 heads, kv_heads is 2");
    await reads(
      (t) => t.snapshots[1].tokens = 99,
      "snapshots[1].held[1][0] holds position 99, only 99 tokens were read",
    );
    await reads((t) => t.snapshots[1].held[1][0] = {}, "snapshots[1].held[1][0] is an object, an array is needed");
    const at = "snapshots[1].held[1][0][1] is";
    for (const run of [[3, 1], [9, 0], [9], [9, 1.5], ["9", 1], 9]) {
      await reads(
        (t) => t.snapshots[1].held[1][0][1] = run,
        `${at} ${JSON.stringify(run)}, [first, count] from position 4 on is needed`,
      );
    }
    await assert.rejects(readTrace(`${folder}/none.json`), /^InputError: Cannot read .*: there is no such file$/);
  }));

Deno.test("writeTrace() says that a folder cannot be written to", () =>
  inFolder(async (folder) => {
    await assert.rejects(writeTrace(`${folder}/none`, TRACE), InputError);
  }));
