import assert from "node:assert/strict";
import { notesOf } from "../../lib/report/results/notes.ts";
import { formatTable, formatTableWithin } from "../../lib/report/tables/table.ts";
import { formatLegend, formatNotes } from "../../lib/report/tables/table_notes.ts";
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

Deno.test("formatTable() is the Python benchmark's table to the byte", () => {
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

Deno.test("formatTable() keeps figures under their titles next to names that say how positions are numbered", () => {
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

Deno.test("formatTable() tells what is not finite, and VRAM that was not measured from none", () => {
  const [, , broken, unmeasured] = formatTable(inventResults({
    baseline: [{ perplexity: NaN, accuracy: NaN, peak_vram_gb: 0 }, { peak_vram_gb: 0 }],
    streaming_256: [{ peak_vram_gb: null }],
  })).split("\n");
  assert.equal(
    broken,
    "baseline                   0.0123     0.0045     156.78        nan        nan       0.00     2000",
  );
  assert.equal(
    unmeasured,
    "streaming_256              0.0123     0.0045     156.78      42.35     35.67%        n/a     2000",
  );
});

Deno.test("formatTable() marks VRAM of the whole GPU, digits under digits, and formatNotes() says what that means", () => {
  const results = inventResults({
    baseline: [{ vram_method: "process" }],
    streaming_256: [{ vram_method: "process" }, { vram_method: "device" }],
    tova_256: [{ vram_method: "unavailable", peak_vram_gb: null }],
    recent_only_256: "Out of memory",
  });
  const [, , process, device, unavailable] = formatTable(results).split("\n");
  assert.ok(process!.endsWith(" 5.23     2000"), process);
  assert.ok(device!.endsWith(" 5.23*    2000"), device);
  assert.ok(unavailable!.endsWith(" n/a     2000"), unavailable);
  assert.equal(process!.length, device!.length);
  assert.match(formatNotes(results), /^\* VRAM: NVML does not list this process, so it is the whole GPU's use [^\n]*$/);
  assert.equal(formatNotes(inventResults({ baseline: [{ vram_method: "process" }] })), "");
});

Deno.test("formatTable() marks a TPOT that is to be doubted, digits under digits, and formatNotes() says why", () => {
  const results = inventResults({ baseline: [{}], streaming_256: [STREAMING], tova_256: [STREAMING] });
  results.configurations[1]!.marks = ["shared", "unsteady"];
  results.configurations[1]!.notes = ["other processes kept 1.2 cores busy"];
  results.configurations[2]!.marks = ["shared"];
  assert.equal(
    formatTable(results),
    `\
Method                    TTFT(s)    TPOT(s)    Thruput        PPL        Acc   VRAM(GB)    Cache
----------------------------------------------------------------------------------------------------
baseline                   0.0123     0.0045     156.78      42.35     35.67%       5.23     2000
streaming_256              0.0098     0.0052!    142.31      45.12     34.89%       3.21      256
tova_256                   0.0098     0.0052!    142.31      45.12     34.89%       3.21      256
====================================================================================================`,
  );
  assert.equal(
    formatNotes(results),
    `\
! shared (other processes ran meanwhile): streaming_256, tova_256
! unsteady (times vary): streaming_256
streaming_256: other processes kept 1.2 cores busy`,
  );
});

Deno.test("formatTable() has - for figures that were not asked for, and nan for those that were", () => {
  const noSpeed = { ttft: NaN, tpot: NaN, throughput: NaN, peak_vram_gb: null };
  const [, , quality] = formatTable(
    inventResults({ baseline: [{ ...noSpeed, perplexity: NaN }] }, { passes: "quality" }),
  )
    .split("\n");
  assert.equal(
    quality,
    "baseline                        -          -          -        nan     35.67%          -     2000",
  );
  const noQuality = { perplexity: NaN, accuracy: NaN, final_cache_size: NaN };
  const [, , speed] = formatTable(inventResults({ baseline: [{ ...noQuality, tpot: NaN }] }, { passes: "speed" }))
    .split("\n");
  assert.equal(
    speed,
    "baseline                   0.0123        nan     156.78          -          -       5.23        -",
  );
});

Deno.test("formatTableWithin() has the same figures on a narrow terminal, and the same bytes on a wide one", () => {
  const reason = "Cannot allocate 4.2 GB for keys and values of 2000 entries: the GPU has 3.1 GB left";
  const results = inventResults({
    baseline: [{}],
    "fix256_keep_low_kr=0.8": [{ ...STREAMING, vram_method: "device" }],
    tova_256: reason,
    snapkv_512: "",
  });
  results.configurations[1]!.marks = ["shared"];
  assert.equal(formatTableWithin(results, undefined), formatTable(results));
  assert.equal(formatTableWithin(results, 100), formatTable(results));
  assert.equal(
    formatTableWithin(results, 80),
    `\
Method                  TTFT s  TPOT s   Thruput    PPL     Acc  VRAM GB   Cache
--------------------------------------------------------------------------------
baseline                0.0123  0.0045    156.78  42.35  35.67%     5.23    2000
fix256_keep_low_kr=0.8  0.0098  0.0052!   142.31  45.12  34.89%     3.21*    256
tova_256                failed: Cannot allocate 4.2 GB for keys and values of
  2000 entries: the GPU has 3.1 GB left
snapkv_512              not run
================================================================================`,
  );
  assert.equal(
    formatTableWithin(inventResults({ baseline: [{}], streaming_256: [STREAMING] }), 80),
    `\
Method         TTFT s  TPOT s  Thruput    PPL     Acc  VRAM GB  Cache
---------------------------------------------------------------------
baseline       0.0123  0.0045   156.78  42.35  35.67%     5.23   2000
streaming_256  0.0098  0.0052   142.31  45.12  34.89%     3.21    256
=====================================================================`,
  );
  for (const width of [20, 30, 40, 60, 79]) {
    const lines = formatTableWithin(results, width).split("\n");
    assert.ok(lines.every((line) => line.length <= Math.max(width, 22)), `${width}:\n${lines.join("\n")}`);
  }
});

/** A run whose records say what each pass drops: quality, speed. */
function dropping(dropped: Record<string, [number, number]>, config = {}) {
  const results = inventResults(Object.fromEntries(Object.keys(dropped).map((name) => [name, [{}]])), {
    skip_layers: [0],
    ...config,
  });
  for (const record of results.configurations) {
    const [quality, speed] = dropped[record.name]!;
    record.dropped = { quality, speed };
    const notes = notesOf(record, [], results.config);
    if (notes.length > 0) record.notes = notes;
  }
  return results;
}

Deno.test("formatNotes() says once which rows compressed nothing, and in which pass", () => {
  const results = dropping({
    baseline: [0, 0],
    streaming_4096: [0, 0],
    streaming_256: [5, 5],
    fix8192: [0, 0],
    tova_1024: [7, 0],
    pyramid_900: [0, 3],
  });
  assert.deepEqual(formatNotes(results).split("\n"), [
    "Nothing was dropped in streaming_4096, fix8192: all 2000 tokens of the quality pass and all 627 of the speed pass are kept",
    "Nothing was dropped in tova_1024: all 627 tokens of the speed pass are kept",
    "Nothing was dropped in pyramid_900: all 2000 tokens of the quality pass are kept",
  ]);
  assert.deepEqual(results.configurations.map(({ notes }) => notes), [
    undefined,
    ["nothing was dropped: it keeps all 2000 tokens of the quality pass and all 627 of the speed pass"],
    undefined,
    ["nothing was dropped: it keeps all 2000 tokens of the quality pass and all 627 of the speed pass"],
    ["nothing was dropped: it keeps all 627 tokens of the speed pass"],
    ["nothing was dropped: it keeps all 2000 tokens of the quality pass"],
  ]);
  assert.equal(formatNotes(dropping({ baseline: [0, 0], streaming_256: [5, 5] })), "");
});

Deno.test("formatNotes() says that all layers are skipped, and speaks of all rows at once", () => {
  const none: [number, number] = [0, 0];
  const rows = { baseline: none, streaming_64: none, tova_64: none, h2o_64: none, keydiff_64: none };
  assert.match(formatNotes(dropping(rows)), /^Nothing was dropped in any row: all 2000 tokens of [^\n]*$/);
  // The invented results are of two layers.
  assert.equal(
    formatNotes(dropping({ ...rows, tova_64: none }, { skip_layers: [0, 1] })),
    "Nothing was dropped in any row: all 2 layers are skipped (skip_layers)",
  );
});

Deno.test("formatNotes() names a configuration with each of its notes, those of rows without figures aside", () => {
  const results = inventResults({ baseline: [{}], streaming_256: "Out of memory" });
  for (const record of results.configurations) record.notes = ["perplexity is not finite in sample 1"];
  assert.equal(formatNotes(results), "baseline: perplexity is not finite in sample 1");
});

Deno.test("formatLegend() says what each row is, with all its parameters", () => {
  const results = inventResults({
    baseline: [{}],
    recent_only_512: [{}],
    snapkv_512: [{}],
    "l2_kr=0.2": [{}],
    own: [{}],
  });
  const [, , snapkv, l2, own] = results.configurations;
  Object.assign(snapkv!, { method: "snapkv_lite", params: { keep_size: 512, pooling_kernel: 5 } });
  Object.assign(l2!, { method: "l2_compress", params: { keep_ratio: 0.25, prune_after: 100 } });
  Object.assign(own!, { method: "mine", params: {} });
  assert.equal(
    formatLegend(results),
    `\
snapkv_512            snapkv_lite: keep_size 512, pooling_kernel 5
l2_kr=0.2             l2_compress: keep_ratio 0.25, prune_after 100
own                   mine`,
  );
  // A name need not contain how its tokens are numbered.
  own!.positions = "cache";
  assert.match(
    formatLegend(results),
    /^l2_kr=0\.2 .*prune_after 100; positions absolute\nown +mine; positions cache$/m,
  );
  assert.equal(formatLegend(inventResults({ baseline: [{}], recent_only_512: [{}] })), "");
});
