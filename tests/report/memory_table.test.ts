import assert from "node:assert/strict";
import { formatMemory } from "../../lib/report/memory_table.ts";
import { inventResults } from "./_invent.ts";

const MIB = 2 ** 20;

const memory = (kv: number, peak: number) => ({
  memory: {
    weights: 5200 * MIB,
    kv_held: kv,
    kv_allocated: 2 * kv,
    allocator_peak: peak,
    process_peak: peak + 100 * MIB,
    process_before: 400 * MIB,
  },
});

const RUN = {
  baseline: [memory(600 * MIB, 6000 * MIB), memory(640 * MIB, 6200 * MIB)],
  "streaming_256@cache": [memory(0.5 * MIB, 5300 * MIB)],
  h2o_l2_512: `Out of memory:\n  4.2 GB asked for ${"again ".repeat(40)}`,
  snapkv_512_obs32: "",
};

Deno.test("formatMemory() averages over the samples, in units that fit", () => {
  const lines = formatMemory(inventResults(RUN)).split("\n");
  assert.deepEqual(lines.slice(0, 4), [
    "Memory                     Weights       KV held  KV allocated  Allocator peak  Process peak   Before load",
    "-".repeat(106),
    "baseline                  5.08 GiB    620.00 MiB      1.21 GiB        5.96 GiB      6.05 GiB    400.00 MiB",
    "streaming_256@cache       5.08 GiB      0.50 MiB      1.00 MiB        5.18 GiB      5.27 GiB    400.00 MiB",
  ]);
  assert.match(lines[4]!, /^h2o_l2_512 {14}failed: Out of memory: 4\.2 GB asked for .*…$/);
  assert.equal(lines[4]!.length, 106);
  assert.equal(lines[5], "snapkv_512_obs32        not run");
  assert.equal(lines[6], "=".repeat(106));
});

Deno.test("formatMemory() has no figures of a GPU where there is none", () => {
  const [, , row] = formatMemory(inventResults({ baseline: [memory(MIB, 0)] }, { device: "cpu" })).split("\n");
  assert.equal(row!.replaceAll(/\s+/g, " "), "baseline 5.08 GiB 1.00 MiB 2.00 MiB - - -");
});

Deno.test("formatMemory() keeps the columns under their titles beside a long name", () => {
  const name = "fix1024_keep_high_kr=0.5@absolute";
  const lines = formatMemory(inventResults({ baseline: [{}], [name]: [{}] })).split("\n");
  assert.ok(lines[3]!.startsWith(`${name}    0.00 MiB`));
  assert.equal(new Set(lines.map(({ length }) => length)).size, 1);
});
