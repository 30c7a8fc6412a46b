import assert from "node:assert/strict";
import { formatTable } from "../../lib/report/table.ts";
import { inventResults } from "./_invent.ts";

const STREAMING = {
  ttft: 0.0098,
  tpot: 0.0052,
  throughput: 142.31,
  perplexity: 45.12,
  accuracy: 0.3489,
  peak_vram_gb: 3.21,
  final_cache_size: 256,
};

Deno.test("formatTable() is the original's table to the byte", () => {
  assert.equal(
    formatTable(inventResults({ baseline: [{}], streaming_256: [STREAMING] })),
    `\
Method                    TTFT(s)    TPOT(s)    Thruput        PPL        Acc   VRAM(GB)    Cache
----------------------------------------------------------------------------------------------------
baseline                   0.0123     0.0045     156.78      42.35     35.67%       5.23     2000
streaming_256              0.0098     0.0052     142.31      45.12     34.89%       3.21      256
====================================================================================================`,
  );
});

Deno.test("formatTable() says on one line why a configuration has no figures", () => {
  const lines = formatTable(inventResults({
    baseline: "Out of memory:\n  4.2 GB asked for",
    h2o_l2_512: `Cannot run: ${"long ".repeat(40)}`,
    snapkv_512_obs32: "",
    streaming_256: [STREAMING],
  })).split("\n");
  assert.equal(lines[2], "baseline                  failed: Out of memory: 4.2 GB asked for");
  assert.match(lines[3]!, /^h2o_l2_512 {16}failed: Cannot run: .*…$/);
  assert.equal(lines[3]!.length, 100);
  assert.equal(lines[4], "snapkv_512_obs32          not run");
  assert.match(lines[5]!, /^streaming_256 +0\.0098/);
});

Deno.test("formatTable() widens the first column for a long name, for every line", () => {
  const name = "fix1024_keep_high_kr=0.5_and_more";
  const lines = formatTable(inventResults({ baseline: [{}], [name]: [{}] })).split("\n");
  assert.ok(lines[3]!.startsWith(`${name}     0.0123`));
  assert.equal(lines[0]!.length, lines[2]!.length);
  assert.equal(lines[2]!.length, lines[3]!.length);
  assert.equal(lines[1]!.length, 100 + name.length - 22);
});

Deno.test("formatTable() keeps figures under their titles beside names that say how positions are numbered", () => {
  const names = ["baseline", "fix1024_keep_high_kr=0.5@absolute", "streaming_256@cache"];
  const lines = formatTable(inventResults({ ...Object.fromEntries(names.map((name) => [name, [{}]])), tova_256: "" }))
    .split("\n");
  const at = lines[0]!.indexOf("TTFT(s)") + "TTFT(s)".length;
  for (const [index, name] of names.entries()) {
    assert.ok(lines[2 + index]!.startsWith(`${name} `));
    assert.equal(lines[2 + index]!.slice(at - 6, at), "0.0123");
  }
  assert.equal(lines[5]!.indexOf("not run"), names[1]!.length + 4);
});

Deno.test("formatTable() keeps figures apart that are larger than their column", () => {
  const [, , row] = formatTable(inventResults({
    baseline: [{ perplexity: 123456789.12, throughput: NaN, tpot: Infinity, accuracy: 1 }],
  })).split("\n");
  assert.equal(
    row,
    "baseline                   0.0123        inf        nan   1.235e+8    100.00%       5.23     2000",
  );
});
