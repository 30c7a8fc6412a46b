import assert from "node:assert/strict";
import fc from "fast-check";
import { drawHeatmap, type HeatmapOptions } from "../../lib/report/charts/heatmap.ts";
import { heldShare, pickEvenly } from "../../lib/report/charts/held_share.ts";
import { HEAT_NONE, heatColor } from "../../lib/report/charts/palette.ts";
import { linearTicks } from "../../lib/report/charts/round_ticks.ts";
import { runsOf } from "../../lib/report/results/trace.ts";
import type { Run, Trace } from "../../lib/report/results/trace_types.ts";
import { countColor, type Picture, readPicture } from "./_picture.ts";

const ALL = heatColor(1);

const invent = (snapshots: [tokens: number, held: Run[][][]][], given: Partial<Trace> = {}): Trace => ({
  configuration: "streaming_256",
  positions: "absolute",
  skip_layers: [0],
  layers: snapshots[0]?.[1].length ?? 0,
  kv_heads: 2,
  snapshots: snapshots.map(([tokens, held]) => ({ step: tokens - 1, tokens, held })),
  ...given,
});

async function draw(traces: Trace[], look: (picture: Picture, svg: string) => void, options?: HeatmapOptions) {
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
  try {
    await drawHeatmap(traces, `${folder}/trace.png`, options);
    look(await readPicture(`${folder}/trace.png`), await Deno.readTextFile(`${folder}/trace.svg`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Shares of the width of a layer in the first map, by colour. */
function rowColors(picture: Picture, y: number, height: number, colors: string[]): number[] {
  const area = picture.area({ x: 94, y, width: 1008 - 2 * 36 - 58 - 128, height });
  return colors.map((color) => countColor(area, color) / area.data.length);
}

Deno.test("heldShare() is the mean over heads and positions of a plain table of what is held", () => {
  const sets = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 49 })), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(sets, fc.integer({ min: 1, max: 60 }), (sets, width) => {
    const runs = sets.map((positions) => runsOf(positions.sort((a, b) => a - b)));
    const shares = heldShare(runs, 50, width);
    assert.equal(shares.length, Math.ceil(50 / width));
    shares.forEach((share, at) => {
      const positions = Array.from({ length: 50 }, (_, p) => p).slice(at * width, (at + 1) * width);
      const held = sets.reduce((sum, set) => sum + positions.filter((p) => set.includes(p)).length, 0);
      assert.ok(Math.abs(share - held / (positions.length * sets.length)) < 1e-12);
    });
  }));
  assert.deepEqual([...heldShare([], 5, 2)], [1, 1, 1]);
});

Deno.test("pickEvenly() keeps the first and the last", () => {
  assert.deepEqual(pickEvenly([1, 2, 3], 6), [1, 2, 3]);
  assert.deepEqual(pickEvenly(Array.from({ length: 101 }, (_, i) => i), 6), [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(pickEvenly([1, 2, 3], 1), [3]);
});

Deno.test("linearTicks() are round, within the axis and not too many", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (min, size) => {
    const ticks = linearTicks(min, min + size, 10);
    assert.ok(ticks.length >= 1 && ticks.length <= 10, `${ticks}`);
    assert.ok(ticks.every((tick) => Number.isInteger(tick) && tick >= min && tick <= min + size));
  }));
});

Deno.test("drawHeatmap() draws layers as rows: what all heads hold, what none does, and skipped layers as held", () => {
  const held: Run[][][] = [[], [[[0, 100], [900, 100]], [[0, 100], [900, 100]]], [[[0, 500]], []]];
  return draw([invent([[1000, held]])], (picture) => {
    assert.equal(picture.width, 4200);
    // Rows are 34 points high, the first begins at 108 + 26.
    const [skipped, ...others] = rowColors(picture, 136, 30, [ALL, HEAT_NONE, heatColor(0.5)]);
    assert.ok(skipped! > 0.95 && others.every((share) => share === 0)); // its label is white
    const [ends, middle] = rowColors(picture, 170, 30, [ALL, HEAT_NONE]);
    assert.ok(Math.abs(ends! - 0.2) < 0.01 && Math.abs(middle! - 0.8) < 0.01);
    const [half, none] = rowColors(picture, 204, 30, [heatColor(0.5), HEAT_NONE]);
    assert.ok(Math.abs(half! - 0.5) < 0.01 && Math.abs(none! - 0.5) < 0.01);
  });
});

Deno.test("drawHeatmap() shows a single position of one head among 20,000", () => {
  const held: Run[][][] = [[...Array.from({ length: 8 }, (_, head): Run[] => head === 3 ? [[12_345, 1]] : [])]];
  return draw([invent([[20_000, held]], { skip_layers: [], kv_heads: 8 })], (picture) => {
    const { width, data } = picture.area({ x: 94, y: 150, width: 750, height: 1 });
    const colored = [...data.subarray(0, width)].map((color) => color !== Number.parseInt(HEAT_NONE.slice(1), 16));
    assert.equal(colored.indexOf(true) > 0.6 * width && colored.lastIndexOf(true) < 0.63 * width, true);
    assert.ok(colored.filter(Boolean).length >= 4);
  });
});

Deno.test("drawHeatmap() stacks up to six moments, and leaves white what had not been read", () => {
  const moments = Array.from({ length: 9 }, (_, at): [number, Run[][][]] => [(at + 1) * 100, [[], []]]);
  return draw([invent(moments)], (picture) => {
    // Two rows of 24 points, with 26 above them, six times.
    assert.equal(picture.height, Math.round((108 + 6 * 74 + 58) * 300 / 72));
    for (const [panel, share] of [[0, 1 / 9], [5, 1]] as const) {
      const [read] = rowColors(picture, 108 + panel * 74 + 26 + 26, 20, [ALL]);
      assert.ok(Math.abs(read! - share) < 0.01, `${panel}: ${read}`);
    }
  });
});

Deno.test("drawHeatmap() draws several traces at their last moments, and of many heads and layers", () =>
  draw(
    ["pyramid_512", "snapkv_512_obs32"].map((configuration) =>
      invent([[10, Array(80).fill([])], [30_000, Array(80).fill([[[0, 4], [29_000, 1000]]])]], {
        configuration,
        layers: 80,
        kv_heads: 1,
        skip_layers: [0, 1],
      })
    ),
    (picture) => assert.ok(picture.height > 4000 && picture.height < 6000),
    { model: "llama" },
  ));

Deno.test("drawHeatmap() refuses what holds no moment", async () => {
  for (const traces of [[], [invent([])]]) {
    await assert.rejects(drawHeatmap(traces, "/nowhere.png"), /^RangeError: Cannot draw a trace/);
  }
});

Deno.test("drawHeatmap() writes an SVG file of shapes, and of bitmaps where shapes would be too many", async () => {
  const held: Run[][][] = [[], [[[0, 100], [900, 100]], [[0, 100], [900, 100]]]];
  await draw([invent([[1000, held]])], (_, svg) => {
    assert.ok(!svg.includes("<image"));
    assert.ok(svg.includes(`fill="${HEAT_NONE.toUpperCase()}"`) && svg.includes(`fill="${ALL}"`));
  });
  const many = Array.from({ length: 48 }, (_, layer): Run[][] => [
    Array.from({ length: 250 }, (_, at): Run => [4 * at + layer % 3, 1 + at % 2]),
  ]);
  await draw([invent([[1000, many]], { skip_layers: [], kv_heads: 1 })], (_, svg) => {
    assert.equal(svg.match(/<image/g)?.length, 1);
    assert.ok(svg.length < 1_000_000);
    assert.match(svg, />Position in the text/);
  });
});
