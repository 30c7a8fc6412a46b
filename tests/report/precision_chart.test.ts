/** The picture, the table's columns and the notes of a run whose configurations have number types of their own. */
import assert from "node:assert/strict";
import { barFigure, precisionMetrics } from "../../lib/report/charts/bar_metrics.ts";
import { loadCanvas } from "../../lib/report/charts/canvas.ts";
import { picturesFor } from "../../lib/report/charts/pictures_for.ts";
import { drawPrecision, DTYPE_COLORS } from "../../lib/report/charts/precision_chart.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { changesAgainstBaseline } from "../../lib/report/tables/changes.ts";
import { detailGrid } from "../../lib/report/tables/detail_table.ts";
import { formatMarkdown } from "../../lib/report/tables/formats/markdown.ts";
import { rowFields } from "../../lib/report/tables/formats/row_fields.ts";
import { reportText } from "../../lib/report/tables/report_text.ts";
import { inventDivergence, inventInterval, inventRounds, inventSample } from "./_invent.ts";
import { findBars, readPicture } from "./_picture.ts";

const MIB = 2 ** 20;
const memory = inventSample("").memory!;
const { float32: GRAY, float16: GREEN, bfloat16: BLUE } = DTYPE_COLORS;

/** A run of three types: half of the weights, twice the speed. */
function types(config: Partial<BenchmarkResults["config"]> = {}): BenchmarkResults {
  const half = { throughput: 200, peak_vram_gb: 2, memory: { ...memory, weights: 60 * MIB } };
  const results = inventRounds({
    float32: [{ throughput: 100, accuracy: 0.4, peak_vram_gb: 4, memory: { ...memory, weights: 60 * MIB } }],
    float16: [{ ...half, accuracy: 0.4 }],
    bfloat16: [{ ...half, accuracy: 0.39 }],
  }, {
    method: "precision",
    dtype: "float32,float16,bfloat16",
    compared_with: "float32",
    tf32: false,
    num_samples: 1,
    ...config,
  });
  for (const record of results.configurations) {
    record.dtype = record.name as "float32";
    // As stored, they are as large in each type.
    record.weight_bytes = (record.name === "float32" ? 100 : 50) * MIB;
  }
  delete results.comparisons!["float32"];
  results.comparisons!["float16"]!.tokens = { first_difference: [null], tokens: 500 };
  results.comparisons!["bfloat16"]!.tokens = { first_difference: [37], tokens: 500 };
  const distance = (kl: number) => inventDivergence({ mean_kl: inventInterval(kl, kl / 2, kl * 2) });
  results.divergence = { float16: distance(1e-6), bfloat16: distance(1e-3) };
  return results;
}

/** The area of chart `index`: four in a row. */
function panelArea(index: number) {
  const [width, height] = [(1728 - 2 * 36 - 3 * 30) / 4, (864 - 108 - 18 - 22) / 2];
  return { x: 36 + (index % 4) * (width + 30), y: 108 + Math.floor(index / 4) * (height + 22), width, height };
}

Deno.test("drawPrecision() draws two rows of four charts, a bar for each type", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
  try {
    const path = `${folder}/precision.png`;
    await drawPrecision(types(), path, await loadCanvas());
    const picture = await readPicture(path);
    assert.deepEqual([picture.width, picture.height], [7200, 3600]);
    const bars = Array.from(
      { length: 8 },
      (_, index) => findBars(picture.area(panelArea(index)), [GRAY, GREEN, BLUE]),
    );
    // The reference has no distance from itself.
    bars.forEach((found, index) =>
      assert.deepEqual(found.map(({ color }) => color), index === 6 ? [GREEN, BLUE] : [GRAY, GREEN, BLUE])
    );
    const shares = (index: number) => bars[index]!.map(({ height }) => height / bars[index]![0]!.height);
    const close = (actual: number[], expected: number[]) =>
      actual.forEach((value, i) => assert.ok(Math.abs(value / expected[i]! - 1) < 0.02, `${actual} for ${expected}`));
    close(shares(0), [1, 2, 2]); // throughput
    close(shares(3), [1, 0.5, 0.5]); // VRAM
    // Accuracy from 0.95 x 39 = 37.05: 2.95, 2.95 and 1.95 over it.
    close(shares(5), [1, 1, 1.95 / 2.95]);
    // A logarithmic axis from a third of the least: 3 and 3000 times that.
    close(shares(6), [1, Math.log(3000) / Math.log(3)]);
    close(shares(7), [1, 0.5, 0.5]); // weights
    const svg = await Deno.readTextFile(`${folder}/precision.svg`);
    for (const text of [">float16<", ">reference<", ">KL Divergence<", "nats (logarithmic)", "no TF32", ">1e-6<"]) {
      assert.ok(svg.includes(text), text);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a CPU's picture has the KV cache in place of VRAM; a figure that was not measured has no bar", () => {
  const titles = (device: "cpu" | "cuda") => precisionMetrics(types({ device })).map(({ title }) => title);
  assert.equal(titles("cuda")[3], "VRAM Usage");
  assert.equal(titles("cpu")[3], "KV Cache (mean)");
  const results = types();
  assert.deepEqual(barFigure(results, "float32", "mean_kl"), { value: null, std: 0, missing: "reference" });
  assert.deepEqual(barFigure(results, "float16", "weights"), { value: 50 * MIB, std: 0 });
  results.divergence = {};
  delete results.configurations[1]!.weight_bytes;
  assert.deepEqual(barFigure(results, "float16", "weights"), { value: 60 * MIB, std: 0 });
  delete results.raw_results[1]!.memory;
  assert.deepEqual(barFigure(results, "float16", "mean_kl"), { value: null, std: 0 });
  assert.deepEqual(barFigure(results, "float16", "weights"), { value: null, std: 0 });
});

Deno.test("a run of types gets their picture, any other the comparison", () => {
  const wishes = { plotNll: false, traces: false };
  assert.deepEqual(picturesFor(types(), wishes), ["precision"]);
  const mixed = types();
  delete mixed.configurations[1]!.dtype;
  assert.deepEqual(picturesFor(mixed, wishes), ["comparison"]);
});

Deno.test("tables compare with the type that the run names", () => {
  const results = types();
  assert.deepEqual(changesAgainstBaseline(results).map(({ method }) => method), ["float16", "bfloat16"]);
  const { columns, rows } = detailGrid(results);
  const cells = (wanted: string) => {
    const at = columns.findIndex(({ title }) => title === wanted);
    return at < 0 ? undefined : rows.map(({ cells }) => cells[at]);
  };
  assert.ok(cells("vs float32"));
  assert.deepEqual(cells("Weights MiB"), ["100.0", "50.00", "50.00"]);
  assert.deepEqual(cells("First diff"), ["-", "none", "37"]);
  const text = reportText(results);
  for (const report of [text, formatMarkdown(results)]) {
    assert.match(report, /Change vs float32/);
    assert.match(report, /TF32 is not used/);
    assert.match(report, /differs from float32's, the earliest of 1 sample of 500 tokens/);
    assert.doesNotMatch(report, /baseline/);
  }
  assert.deepEqual(results.configurations.map((record) => rowFields(results, record)["dtype"]), [
    "float32",
    "float16",
    "bfloat16",
  ]);
  assert.doesNotMatch(reportText(types({ device: "cpu" })), /TF32/);
  assert.match(reportText(types({ tf32: true })), /TF32 is used \(NVIDIA_TF32_OVERRIDE=1\)/);
});
