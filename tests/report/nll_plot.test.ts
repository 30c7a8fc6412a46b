import assert from "node:assert/strict";
import fc from "fast-check";
import { movingMean } from "../../lib/report/charts/moving_mean.ts";
import { FULL_CACHE_COLOR, lineLooks, METHOD_COLORS, seriesLooks } from "../../lib/report/charts/method_looks.ts";
import { nllDifferences, nllLines } from "../../lib/report/charts/nll_lines.ts";
import { drawNll } from "../../lib/report/charts/nll_plot.ts";
import { INK } from "../../lib/report/charts/palette.ts";
import { symmetricAxis } from "../../lib/report/charts/symmetric_axis.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { inventResults } from "./_invent.ts";
import { countColor, type Picture, readPicture } from "./_picture.ts";

async function draw(results: BenchmarkResults): Promise<{ picture: Picture; svg: string }> {
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
  try {
    await drawNll(results, `${folder}/nll.png`);
    return { picture: await readPicture(`${folder}/nll.png`), svg: await Deno.readTextFile(`${folder}/nll.svg`) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Results whose configurations name their methods as the benchmark does. */
function invent(...args: Parameters<typeof inventResults>): BenchmarkResults {
  const results = inventResults(...args);
  for (const record of results.configurations) {
    record.method = record.name.replace(/_\d+(@.*)?$/, "").replace(/^streaming$/, "streaming_llm");
  }
  return results;
}

/** NLL of a model that gets worse when its cache is full. */
const text = (length: number, before: number, after = before) =>
  Array.from({ length }, (_, position) => position < 300 ? before : after);

Deno.test("movingMean() is the mean of each window", () => {
  const lists = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(lists, fc.integer({ min: 1, max: 20 }), (values, window) => {
    const expected = Array.from(
      { length: Math.max(0, values.length - window + 1) },
      (_, at) => values.slice(at, at + window).reduce((sum, value) => sum + value, 0) / window,
    );
    const means = movingMean(values, window);
    assert.equal(means.length, expected.length);
    means.forEach((mean, at) => assert.ok(Math.abs(mean - expected[at]!) < 1e-9));
  }));
});

Deno.test("movingMean() recovers after a value that is not a number", () => {
  assert.deepEqual(movingMean([1, NaN, 3, 5, 7], 2), [NaN, NaN, 4, 6]);
  assert.deepEqual(movingMean([1, Infinity, 3, 5], 2), [NaN, NaN, 4]);
  assert.throws(() => movingMean([1], 0), RangeError);
});

Deno.test("nllLines() averages the samples, as far as all go, and keeps lines short", () => {
  const [line, ...more] = nllLines({
    configurations: [{ name: "baseline" }, { name: "failed" }],
    raw_results: [
      { method: "baseline", nll: text(40_000, Math.log(9)) },
      { method: "baseline", nll: text(50_000, Math.log(16)) },
    ],
  });
  assert.deepEqual(more, []);
  assert.equal(line?.window, 400);
  assert.ok(line.points.length <= 1501 && line.points.length > 1000);
  assert.equal(line.points[0]?.x, 400);
  assert.equal(line.points.at(-1)?.x, 40_000);
  assert.ok(line.points.every(({ y }) => Math.abs(y - 12) < 1e-6));
});

Deno.test("nllLines() shows a change where it happens, not before", () => {
  const [line] = nllLines({
    configurations: [{ name: "a" }],
    raw_results: [{ method: "a", nll: text(600, 1, 5) }],
  });
  assert.ok(line!.points.filter(({ x }) => x <= 300).every(({ y }) => Math.abs(y - Math.E) < 1e-9));
  assert.ok(line!.points.filter(({ x }) => x > 300).every(({ y }) => y > Math.E + 0.01));
});

Deno.test("nllDifferences() are the moving means of the difference on the same sample", () => {
  const nll = fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 8, maxLength: 40 });
  fc.assert(fc.property(nll, nll, nll, nll, (a0, a1, b0, b1) => {
    const raw_results = [
      { method: "baseline", sample: 0, nll: a0 },
      { method: "baseline", sample: 1, nll: a1 },
      // In another order, and with a sample that the baseline does not have.
      { method: "tova_64", sample: 1, nll: b1 },
      { method: "tova_64", sample: 7, nll: b1 },
      { method: "tova_64", sample: 0, nll: b0 },
    ];
    const [line, ...more] = nllDifferences(
      { configurations: [{ name: "baseline" }, { name: "tova_64" }], raw_results },
      "baseline",
      2,
    );
    assert.deepEqual(more, []);
    const length = Math.min(a0.length, a1.length, b0.length, b1.length);
    const plain = Array.from({ length }, (_, at) => (b0[at]! - a0[at]! + b1[at]! - a1[at]!) / 2);
    assert.deepEqual(line!.points.map(({ x }) => x), plain.slice(1).map((_, at) => at + 2));
    line!.points.forEach(({ y }, at) => assert.ok(Math.abs(y - (plain[at]! + plain[at + 1]!) / 2) < 1e-9));
  }));
  assert.deepEqual(nllDifferences({ configurations: [{ name: "baseline" }], raw_results: [] }, "baseline"), []);
});

Deno.test("symmetricAxis() holds all figures and zero, in order, and its ticks say their places", () => {
  const figures = fc.array(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { maxLength: 20 }), {
    maxLength: 8,
  });
  fc.assert(fc.property(figures, (lines) => {
    const { place, min, max, ticks, linear } = symmetricAxis(lines);
    for (const value of [0, ...lines.flat()]) assert.ok(place(value) >= min && place(value) <= max);
    assert.ok(place(0) === 0 && place(1) > 0 && place(-1) < 0);
    assert.ok(ticks.length >= 1 && ticks.length <= 20, `${ticks.length} ticks`);
    for (const { value, label } of ticks) {
      const figure = Number(label.replace("−", "-"));
      assert.ok(Math.abs(place(figure) - value) <= 0.01 * (max - min), `${label} at ${value}, ${place(figure)}`);
    }
    assert.equal(linear, place(2) === 2);
  }));
  // One line far away leaves the others readable.
  const { linear, place, max } = symmetricAxis([[0.02], [0.03], [0.05], [6]]);
  assert.ok(!linear && place(0.05) > 0.15 * max && place(0.05) - place(0.02) > 0.05 * max);
});

Deno.test("lineLooks() and seriesLooks() give a method one colour, and every line another look", () => {
  const names = ["baseline", ...[1, 2, 3, 4].map((i) => `snapkv_${i}`), "tova_256", "mine_64", "mine_128", "own_64"];
  const configurations = names.map((name) => ({ name, method: name.replace(/_\d+$/, "") }));
  const lines = lineLooks(configurations);
  const series = seriesLooks(configurations);
  assert.equal(lines[0]?.color, FULL_CACHE_COLOR);
  assert.equal(lines[5]?.color, METHOD_COLORS.wine);
  assert.equal(new Set(lines.map(({ color, dash }) => `${color} ${dash}`)).size, names.length);
  // Sizes of one method are one series; another method has another colour, in every picture.
  assert.deepEqual(new Set(series.slice(1, 5).map((look) => JSON.stringify(look))).size, 1);
  assert.equal(new Set(series.map(({ color }) => color)).size, 5);
  assert.equal(new Set(series.map(({ marker }) => JSON.stringify(marker))).size, 5);
  // A method's colour does not depend on what else ran.
  assert.deepEqual(seriesLooks([configurations[5]!])[0], series[5]);
});

Deno.test("drawNll() marks the trained length in a text that goes beyond it", async () => {
  const marks = async (max_positions?: number) => {
    const long = { max_tokens: 20_000, ...(max_positions === undefined ? {} : { max_positions }) };
    const { picture } = await draw(invent({
      baseline: [{ nll: Array.from({ length: 20_000 }, (_, at) => at < 2048 ? 3.6 : Math.min(11, 3.6 + at / 1000)) }],
      "streaming_256@cache": [{ nll: Array.from({ length: 20_000 }, (_, at) => at < 2048 ? 3.65 : 3.6) }],
    }, long));
    // A band of the lower plot, with dashes but no line in the first half.
    const { width, data } = picture.area({ x: 135, y: 440, width: 780, height: 40 });
    const columns = Array.from({ length: width }, (_, x) => {
      let count = 0;
      for (let at = x; at < data.length; at += width) if (data[at] === Number.parseInt(INK.axis.slice(1), 16)) count++;
      return count;
    });
    return columns.flatMap((count, x) => count > 30 ? [x / width] : []);
  };
  const at = await marks(2048);
  // The plot's left edge is at 128 of 1008 points, its right at 948.
  assert.ok(at.length > 0 && at.every((x) => Math.abs(x - (128 + 820 * 2048 / 20_000 - 135) / 780) < 0.02), `${at}`);
  assert.deepEqual(await marks(), []);
  assert.deepEqual(await marks(32_768), []);
});

Deno.test("drawNll() draws the difference from the full cache, and the full cache's perplexity above", async () => {
  const { picture, svg } = await draw(invent({
    baseline: [{ nll: text(1000, 3.7) }],
    streaming_256: [{ nll: text(1000, 3.7, 3.9) }],
    recent_only_256: [{ nll: text(1000, 3.7, 4.7) }],
    h2o_l2_256: "Out of memory",
  }, { max_tokens: 1000 }));
  assert.deepEqual([picture.width, picture.height], [4200, 2400]);
  const [upper, lower] = [{ y: 128, height: 96 }, { y: 235, height: 280 }].map((box) =>
    picture.area({ x: 130, width: 815, ...box })
  );
  assert.ok(countColor(upper!, FULL_CACHE_COLOR) > 2000, "no full cache");
  assert.equal(countColor(lower!, FULL_CACHE_COLOR), 0);
  for (const color of [METHOD_COLORS.green, METHOD_COLORS.rose]) {
    assert.ok(countColor(lower!, color) > 2000, color);
    assert.equal(countColor(upper!, color), 0);
  }
  assert.equal(countColor(lower!, METHOD_COLORS.indigo), 0);
  // Zero is marked: the line of zero runs across the plot.
  const isZero = (row: number) => {
    const { width, data } = lower!;
    let count = 0;
    for (let x = 0; x < width; x++) if (data[row * width + x] === Number.parseInt(INK.text.slice(1), 16)) count++;
    return count > 0.5 * width;
  };
  const rows = lower!.data.length / lower!.width;
  assert.ok(Array.from({ length: rows }, (_, row) => row).some(isZero), "no line of zero");
  assert.match(svg, />NLL along the text: difference from the full cache</);
  assert.match(svg, />NLL less the full cache's \(nats\)</);
  for (const label of ["streaming_256", "recent_only_256", "PPL of the", "full cache"]) {
    assert.ok(svg.includes(`>${label}<`), label);
  }
});

Deno.test("drawNll() draws perplexity where there is no full cache to compare with", async () => {
  const { picture, svg } = await draw(
    invent({ streaming_256: [{ nll: text(1000, 3.7) }], tova_256: [{ nll: text(1000, 4) }] }),
  );
  const pixels = picture.area({ x: 130, y: 140, width: 815, height: 370 });
  for (const color of [METHOD_COLORS.green, METHOD_COLORS.wine]) assert.ok(countColor(pixels, color) > 2000, color);
  assert.match(svg, />Perplexity along the text</);
  assert.match(svg, />PPL, mean over 64 tokens</);
});

Deno.test("drawNll() draws what is finite of a text, and a run of which nothing is", async () => {
  const broken = (from: number) => text(1000, 3.7).map((nll, step) => step < from ? nll : NaN);
  const { picture } = await draw(invent({
    streaming_256: [{ nll: broken(700) }],
    recent_only_256: [{ nll: broken(0) }],
    h2o_l2_256: [{ nll: text(1000, 3.7, Infinity) }],
  }));
  const pixels = picture.area({ x: 130, y: 150, width: 815, height: 360 });
  assert.ok(countColor(pixels, METHOD_COLORS.green) > 1000);
  assert.equal(countColor(pixels, METHOD_COLORS.rose), 0);
  await draw(invent({ baseline: [{ nll: broken(0) }] }));
  await draw(invent({ baseline: [{ nll: broken(0) }], streaming_256: [{ nll: broken(500) }] }));
});

Deno.test("drawNll() keeps an SVG file of 40 long lines under two megabytes", async () => {
  const noise = (seed: number) => Array.from({ length: 8000 }, (_, at) => 3 + Math.sin(seed + at * at % 977));
  const run = Object.fromEntries(
    ["baseline", ...Array.from({ length: 39 }, (_, i) => `snapkv_${i + 10}`)].map((
      name,
      i,
    ) => [name, [{ nll: noise(i) }]]),
  );
  const { svg } = await draw(invent(run, { max_tokens: 8000 }));
  assert.ok(svg.length < 2e6, `${svg.length}`);
  assert.equal(svg.match(/>snapkv_\d\d</g)?.length, 39);
  assert.ok(svg.includes('stroke-dasharray="7 4"'));
});
