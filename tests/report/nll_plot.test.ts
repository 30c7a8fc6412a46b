import assert from "node:assert/strict";
import fc from "fast-check";
import { movingMean } from "../../lib/report/charts/moving_mean.ts";
import { drawNll, nllLines } from "../../lib/report/charts/nll_plot.ts";
import { INK, KIND_COLORS, shadesOf } from "../../lib/report/charts/palette.ts";
import { inventResults } from "./_invent.ts";
import { countColor, readPicture } from "./_picture.ts";

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

Deno.test("shadesOf() gives every line of a kind another look", () => {
  const names = ["baseline", ...Array.from({ length: 12 }, (_, i) => `snapkv_${i}`), "streaming_256"];
  const shades = shadesOf(names);
  assert.equal(shades[0]?.color, KIND_COLORS.baseline);
  assert.equal(shades.at(-1)?.color, KIND_COLORS.streaming);
  assert.equal(new Set(shades.map((shade) => JSON.stringify(shade))).size, names.length);
  assert.deepEqual(shadesOf(["baseline@cache"]), shadesOf(["baseline"]));
});

Deno.test("drawNll() marks the trained length in a text that goes beyond it", async () => {
  const path = await Deno.makeTempFile({ prefix: "kvcompress_test_", suffix: ".png" });
  const marks = async (max_positions?: number) => {
    const long = { max_tokens: 20_000, ...(max_positions === undefined ? {} : { max_positions }) };
    const results = inventResults({
      baseline: [{ nll: Array.from({ length: 20_000 }, (_, at) => at < 2048 ? 3.6 : Math.min(11, 3.6 + at / 1000)) }],
      "streaming_256@cache": [{ nll: Array(20_000).fill(3.65) }],
    }, long);
    await drawNll(results, path);
    // A band over the middle of the plot, with grid lines and dashes but no line yet.
    const { width, data } = (await readPicture(path)).area({ x: 130, y: 250, width: 800, height: 40 });
    const columns = Array.from({ length: width }, (_, x) => {
      let count = 0;
      for (let at = x; at < data.length; at += width) if (data[at] === Number.parseInt(INK.axis.slice(1), 16)) count++;
      return count;
    });
    return columns.flatMap((count, x) => count > 30 ? [x / width] : []);
  };
  try {
    const at = await marks(2048);
    // The plot's left edge is at about 116 of 1008 points, its right at 972.
    assert.ok(at.length > 0 && at.every((x) => Math.abs(x - (116 + 856 * 2048 / 20_000 - 130) / 800) < 0.02), `${at}`);
    assert.deepEqual(await marks(), []);
    assert.deepEqual(await marks(32_768), []);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("drawNll() draws a line for each configuration", async () => {
  const path = await Deno.makeTempFile({ prefix: "kvcompress_test_", suffix: ".png" });
  try {
    await drawNll(
      inventResults({
        baseline: [{ nll: text(1000, 3.7) }],
        streaming_256: [{ nll: text(1000, 3.7, 3.9) }],
        recent_only_256: [{ nll: text(1000, 3.7, 7) }],
        h2o_l2_256: "Out of memory",
      }),
      path,
    );
    const picture = await readPicture(path);
    assert.deepEqual([picture.width, picture.height], [4200, 2400]);
    const pixels = picture.area({ x: 60, y: 108, width: 700, height: 440 });
    for (const kind of ["baseline", "streaming", "recent_only"] as const) {
      assert.ok(countColor(pixels, KIND_COLORS[kind]) > 2000, kind);
    }
    assert.equal(countColor(pixels, KIND_COLORS.other), 0);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("drawNll() draws what is finite of a text, and a run of which nothing is", async () => {
  const path = await Deno.makeTempFile({ prefix: "kvcompress_test_", suffix: ".png" });
  const draw = async (results: Parameters<typeof drawNll>[0]) => {
    await drawNll(results, path);
    return (await readPicture(path)).area({ x: 60, y: 170, width: 700, height: 360 }); // below the legend
  };
  try {
    const broken = (from: number) => text(1000, 3.7).map((nll, step) => step < from ? nll : NaN);
    const pixels = await draw(inventResults({
      streaming_256: [{ nll: broken(700) }],
      recent_only_256: [{ nll: broken(0) }],
      h2o_l2_256: [{ nll: text(1000, 3.7, Infinity) }],
    }));
    assert.ok(countColor(pixels, KIND_COLORS.streaming) > 1000);
    assert.equal(countColor(pixels, KIND_COLORS.recent_only), 0);
    await draw(inventResults({ baseline: [{ nll: broken(0) }] }));
  } finally {
    await Deno.remove(path);
  }
});
