/** What a page says of many runs: rows, groups, terms, needles. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import type { FoundResults } from "../../../lib/study/find_results.ts";
import { collectPage } from "../../../lib/study/page/collect.ts";
import { makePage } from "../../../lib/study/page/make_page.ts";
import { groupLabels } from "../../../lib/study/page/terms.ts";
import { inventResults } from "../../report/_invent.ts";
import { inventNeedles, inventNights, inventRun, inventSweep } from "./_invent_runs.ts";

Deno.test("a measurement that several results.json hold is one row", async () => {
  // Two jobs, the second with 10 of its 40 cells.
  const found = inventSweep(50);
  const { rows, runs, data } = await collectPage(found);
  equal(runs, 50);
  equal(rows.filter(({ method }) => method !== "baseline").length, 50);
  equal(rows.filter(({ method }) => method === "baseline").length, 2);
  equal(data.groups.length, 2);
  // The same baseline, measured in another run, is another row.
  const again = inventRun({ timestamp: "20250601_000000", methods: [] });
  equal((await collectPage([...found, again])).rows.length, 53);
});

Deno.test("runs under the same terms are one line, whatever their commit, and one of them is the newest", async () => {
  const { data, terms } = await collectPage(inventNights(30));
  equal(data.groups.length, 1);
  equal(data.cells.length, 30 * 10);
  equal(new Set(data.cells.map(({ line }) => line)).size, 10);
  deepEqual(
    new Set(data.cells.filter(({ newest }) => newest).map(({ time }) => time)),
    new Set(["2025-01-30 02:00:00"]),
  );
  equal(data.cells.filter(({ newest }) => newest).length, 10);
  // Three commits, so three lists of terms.
  equal(terms.length, 3);
  deepEqual(new Set(data.cells.map(({ commit }) => commit)), new Set(["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"]));
});

Deno.test("other models, lengths, hardware and weights are other groups, and labels tell them apart", async () => {
  const runs = [
    inventRun({ folder: "a" }),
    inventRun({ folder: "b", model: "example/model-3b" }),
    inventRun({ folder: "c", max_tokens: 4000 }),
    inventRun({ folder: "d", device: "cpu" }),
    inventRun({ folder: "e" }),
    inventRun({ folder: "f", host: "node2", commit: "dddd" }),
  ];
  runs[4]!.results.environment.model_sha256 = { "config.json": "0", "model.safetensors": "abcdef0123456789" };
  const { data } = await collectPage(runs);
  equal(data.groups.length, 5);
  equal(new Set(data.groups.map(({ label }) => label)).size, 5);
  ok(data.groups.some(({ label }) => label.endsWith("weights abcdef01")), JSON.stringify(data.groups));
  deepEqual(groupLabels([{ parts: ["a", "x"], hashes: ["1"] }, { parts: ["b", "x"], hashes: ["2"] }]), ["a", "b"]);
});

Deno.test("a method has its own look under its usual positions, and another under others", async () => {
  const newer = inventRun({ timestamp: "20250202_000000" });
  for (const record of newer.results.configurations) record.positions = "cache";
  const { data: { cells, looks } } = await collectPage([inventRun(), newer]);
  const lookOf = (series: string) => looks[cells.find((cell) => cell.series === series)!.look]!;
  deepEqual(lookOf("h2o").dash, []);
  equal(lookOf("h2o").marker.style, "rect");
  ok(lookOf("h2o@cache").dash.length > 0 && lookOf("h2o@cache").light === lookOf("h2o").light);
});

Deno.test("figures, changes and intervals of a row are those of its results", async () => {
  const found = inventRun({ methods: ["h2o"], budgets: [25], marks: { "h2o_25%": ["shared"] } });
  const { rows, data } = await collectPage([found]);
  const { results } = found;
  const row = rows.find(({ method }) => method === "h2o")!;
  const stats = results.aggregated_stats["h2o_25%"]!;
  const { figures, changes, spreads } = row.cell;
  const near = (a: number | undefined, b: number) => ok(Math.abs(a! / b - 1) < 1e-6, `${a} ${b}`);
  near(figures.tpot, 1000 * stats.tpot);
  near(figures.ttft, 1000 * stats.ttft);
  near(figures.accuracy, 100 * stats.accuracy);
  near(figures.vram, stats.peak_vram_gb!);
  near(figures.held, 25);
  near(figures.cache, 25 / 16);
  const { time, quality } = results.comparisons!["h2o_25%"]!;
  near(changes.tpot?.[1], (time!.tpot.low - 1) * 100);
  near(changes.perplexity?.[2], (Math.exp(quality!.ln_ppl_ratio.high) - 1) * 100);
  near(changes.accuracy?.[0], -1);
  near(spreads.tpot?.[2], 1000 * results.aggregated_stats["baseline"]!.tpot * time!.tpot.high);
  near(spreads.kl?.[1], results.divergence!["h2o_25%"]!.mean_kl.low);
  deepEqual(row.cell.marks, ["shared"]);
  match(row.remarks.join(), /1\.4 cores busy/);
  match(row.about.join(), /heavy_size 500/);
  // The full cache is at no distance from itself, and is compared with nothing.
  const full = data.cells.find(({ role }) => role === "baseline")!;
  equal(full.figures.kl, 0);
  deepEqual(full.changes, {});
  // Nothing of single steps is kept.
  ok(!JSON.stringify({ rows, data }).includes("step"));
});

Deno.test("results of schema 1, of speed alone and of failures are read", async () => {
  const old: FoundResults = {
    file: "/r/old/results.json",
    results: inventResults({
      baseline: [{}, {}],
      streaming_256: [{ final_cache_size: 500 }, { final_cache_size: 500, tpot: 0.005 }],
      streaming_512: "Out of memory",
      streaming_1024: "",
    }),
  };
  const fast: FoundResults = {
    file: "/r/fast/results.json",
    results: inventResults({ baseline: [{ perplexity: NaN, accuracy: NaN, peak_vram_gb: null }] }, { passes: "speed" }),
  };
  const { rows, failures } = await collectPage([old, fast]);
  equal(rows.length, 3);
  const streaming = rows.find(({ method }) => method === "streaming")!;
  equal(streaming.cell.figures.held, 25);
  equal(streaming.cell.figures.cache, undefined);
  equal(streaming.changeTexts.tpot, "+5.6 % ± 7.9");
  deepEqual(rows.find(({ file }) => file === "fast/results.json")!.cell.figures, {
    ttft: 12.3,
    tpot: 4.5,
    throughput: 156.78,
    held: 100,
  });
  deepEqual(failures.map(({ name, reason }) => `${name}: ${reason}`), [
    "streaming_512: Out of memory",
    "streaming_1024: not run",
  ]);
});

Deno.test("needles are shown where results have them, and refused where they are of another shape", async () => {
  const { needles, data } = await collectPage([inventRun({ needles: inventNeedles("h2o_25%") }), ...inventNights(2)]);
  deepEqual(needles.map(({ name, group, cells }) => [name, group, cells.length]), [["h2o_25%", 0, 20]]);
  equal(data.groups.length, 1);
  const page = await makePage(await collectPage([inventRun({ needles: inventNeedles("h2o_25%") })]));
  match(page, /<td class="h10">100 %<small>of 20<\/small><\/td>/);
  ok(!(await makePage(await collectPage([inventRun()]))).includes('id="needles"'));
  const wrong = inventRun();
  Object.assign(wrong.results, { needles: [{ configuration: "a", tokens: "many", depth: 0, score: 1 }] });
  await rejects(collectPage([wrong]), {
    name: "InputError",
    message: `Cannot read ${wrong.file}: needles[0].tokens is "many", a number is needed`,
  });
});

Deno.test("the same runs give the same bytes, in any order and any folder", async () => {
  const runs = [...inventNights(4), inventRun({ folder: "b", model: "x/other" }), ...inventSweep(5)];
  const page = await makePage(await collectPage(runs));
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(runs, { minLength: runs.length }), async (shuffled) => {
      const moved = shuffled.map(({ file, results }) => ({ file: `/elsewhere${file}`, results }));
      equal(await makePage(await collectPage(moved)), page);
    }),
    { numRuns: 5 },
  );
});
