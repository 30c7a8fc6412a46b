import assert from "node:assert/strict";
import { type CanvasName, loadCanvas } from "../../lib/report/charts/canvas.ts";
import { drawComparison } from "../../lib/report/charts/comparison.ts";
import "../../lib/report/charts/nll_plot.ts"; // what it registers with Chart.js must not show in bar charts
import { INK, KIND_COLORS } from "../../lib/report/charts/palette.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { inventResults } from "./_invent.ts";
import { countColor, findBars, panelArea, type Picture, readPicture } from "./_picture.ts";

const COLORS = Object.values(KIND_COLORS);
const { baseline: GRAY, recent_only: RED, streaming: GREEN, other: BLUE } = KIND_COLORS;

async function draw(
  results: BenchmarkResults,
  look: (picture: Picture, file: Uint8Array, svg: string) => void,
  name?: CanvasName,
) {
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
  try {
    const path = `${folder}/bars.png`;
    await drawComparison(results, path, await loadCanvas(name === undefined ? undefined : [name]));
    look(await readPicture(path), await Deno.readFile(path), await Deno.readTextFile(`${folder}/bars.svg`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bars = (picture: Picture, panel: number) => findBars(picture.area(panelArea(panel)), COLORS);

/** Heights as shares of the first bar's. */
const shares = (found: { height: number }[]) => found.map(({ height }) => height / found[0]!.height);

function assertClose(actual: number[], expected: number[]) {
  assert.equal(actual.length, expected.length);
  // A pixel or two of rounding, and the bars' rounded corners.
  actual.forEach((value, index) => assert.ok(Math.abs(value - expected[index]!) < 0.02, `${actual} for ${expected}`));
}

const GROUP = inventResults({
  baseline: [{ throughput: 200, tpot: 0.004, ttft: 0.02, perplexity: 42, peak_vram_gb: 5, final_cache_size: 2000 }],
  recent_only_512: [{
    throughput: 100,
    tpot: 0.008,
    ttft: 0.01,
    perplexity: 44,
    peak_vram_gb: 4,
    final_cache_size: 500,
  }],
  streaming_512: [{
    throughput: 150,
    tpot: 0.006,
    ttft: 0.015,
    perplexity: 40,
    peak_vram_gb: 3,
    final_cache_size: 500,
  }],
  h2o_l2_512: [{ throughput: 50, tpot: 0.002, ttft: 0.005, perplexity: 43, peak_vram_gb: 2, final_cache_size: 1000 }],
});

for (const name of ["@napi-rs/canvas", "skia-canvas"] as const) {
  const loads = await loadCanvas([name]).then(() => true, () => false);
  Deno.test({
    name: `drawComparison() draws six charts at 7200 x 3600 and 300 DPI, with ${name}`,
    // The skia-canvas package does not contain its binary.
    ignore: name === "skia-canvas" && !loads,
    fn: () =>
      draw(GROUP, (picture, file) => {
        assert.deepEqual([picture.width, picture.height], [7200, 3600]);
        const phys = new TextDecoder("latin1").decode(file).indexOf("pHYs");
        const view = new DataView(file.buffer);
        assert.deepEqual([view.getUint32(phys + 4), view.getUint32(phys + 8), file[phys + 12]], [11811, 11811, 1]);

        const panels = Array.from({ length: 6 }, (_, panel) => bars(picture, panel));
        for (const found of panels) assert.deepEqual(found.map(({ color }) => color), [GRAY, RED, GREEN, BLUE]);
        const heights = panels.map(shares);
        // From 0: bars are as long as their figures.
        assertClose(heights[0]!, [1, 0.5, 0.75, 0.25]);
        assertClose(heights[1]!, [1, 2, 1.5, 0.5]);
        assertClose(heights[2]!, [1, 0.5, 0.75, 0.25]);
        // Perplexity from 0.95 x 40 = 38: 4, 6, 2 and 5 above it.
        assertClose(heights[3]!, [1, 1.5, 0.5, 1.25]);
        assertClose(heights[4]!, [1, 0.8, 0.6, 0.4]);
        assertClose(heights[5]!, [1, 0.25, 0.25, 0.5]);

        const { x, y, width } = panelArea(0);
        const drawn = (x: number, y: number, width: number, height: number) =>
          countColor(picture.area({ x, y, width, height }), INK.text);
        assert.ok(drawn(36, 28, 300, 30) > 5000, "no title");
        assert.ok(drawn(36, 64, 600, 22) > 5000, "no line of terms");
        assert.ok(drawn(1300, 34, 392, 22) > 3000, "no legend");
        assert.ok(drawn(x, y, width, 24) > 3000, "no title of a chart");
        assert.ok(drawn(x, y + 300, width, 58) > 3000, "no names under the bars");
      }, name),
  });
}

Deno.test("drawComparison() says why there is nothing to see: a configuration failed", () =>
  draw(inventResults({ baseline: [{}], h2o_l2_512: "Out of memory", streaming_512: [{}] }), (picture) => {
    assert.deepEqual(bars(picture, 0).map(({ color }) => color), [GRAY, GREEN]);
    const { x, y, width, height } = panelArea(0);
    const middle = { x: x + width / 3 + 20, y: y + height / 2, width: width / 3, height: height / 2 };
    assert.ok(countColor(picture.area(middle), INK.failed) > 500, "no word in the empty place");
  }));

Deno.test("drawComparison() shows the KV cache where there is no GPU: its mean, or what was held at the end", async () => {
  const memory = inventResults({ a: [{}] }).raw_results[0]!.memory!;
  const results = inventResults({
    baseline: [{ memory: { ...memory, kv_held: 4 * 2 ** 20 } }],
    streaming_512: [{ memory: { ...memory, kv_held: 2 ** 20 } }, { memory: { ...memory, kv_held: 3 * 2 ** 20 } }],
  }, { device: "cpu" });
  await draw(results, (picture, _, svg) => {
    assertClose(shares(bars(picture, 4)), [1, 0.5]);
    assert.match(svg, />KV Cache \(at the end\)</);
    assert.match(svg, />MiB</);
    assert.doesNotMatch(svg, /VRAM Usage/);
  });
  results.configurations.forEach((record, index) => {
    const pass = { mean_entries: 1, by_layer: [1], share: 1, mean_kv_bytes: (index + 1) * 2 ** 20, final_kv_bytes: 1 };
    record.held = { speed: pass, quality: { ...pass, mean_kv_bytes: 1 } };
  });
  await draw(results, (picture, _, svg) => {
    assertClose(shares(bars(picture, 4)), [1, 2]);
    assert.match(svg, />KV Cache \(mean\)</);
  });
});

Deno.test("drawComparison() says which passes were not made", () =>
  draw(inventResults({ baseline: [{ ttft: NaN }] }, { passes: "quality" }), (picture, _, svg) => {
    assert.deepEqual([0, 1, 2, 3, 4, 5].map((panel) => bars(picture, panel).length), [0, 0, 0, 1, 0, 1]);
    assert.equal(svg.match(/only the quality pass was made/g)?.length, 4);
  }));

/** The line under the titles, with "(Lower is Better)": its colour differs from that of figures over bars. */
function assertTitlesClear(picture: Picture) {
  for (let panel = 0; panel < 6; panel++) {
    const { x, y, width } = panelArea(panel);
    const line = picture.area({ x, y: y + 29, width, height: 20 });
    assert.ok(countColor(line, INK.muted) > 300, `no line under the title of chart ${panel}`);
    assert.equal(countColor(line, INK.text), 0, `a figure runs into the title of chart ${panel}`);
  }
}

Deno.test("drawComparison() leaves error bars out that are longer than the axis, and says how long they are", () => {
  const texts = (factor: number) => [0.8, 1.2].map((text) => ({ perplexity: 42 * factor * text, ttft: 0.01 * text }));
  return draw(
    inventResults({ baseline: texts(1), "recent_only_256@cache": texts(1.02), "streaming_256@cache": texts(1.01) }),
    (picture) => {
      assert.deepEqual(bars(picture, 3).map(({ color }) => color), [GRAY, RED, GREEN]);
      const { x, y, width, height } = panelArea(3);
      assert.equal(countColor(picture.area({ x, y: y + 60, width, height: height - 140 }), INK.errorBar), 0);
      const line = (panel: number) => countColor(picture.area({ ...panelArea(panel), height: 50 }), INK.muted);
      assert.ok(line(3) > 2 * line(4), "it does not say so");
      // Error bars that fit are drawn.
      assert.ok(countColor(picture.area(panelArea(2)), INK.errorBar) > 200);
      assertTitlesClear(picture);
    },
  );
});

Deno.test("drawComparison() keeps figures over bars out of the titles, level or upright, however high error bars reach", () => {
  const one = (at: number) => [
    { tpot: 1 / (1 + at), throughput: 90 * at + 5, perplexity: at === 0 ? 183_000 : 42, ttft: 0.001 },
    { tpot: 0.1 / (1 + at), throughput: 9 * at, perplexity: at === 0 ? 41_200 : 42.1, ttft: 0.5 },
  ];
  const run = (count: number) =>
    inventResults(Object.fromEntries(Array.from({ length: count }, (_, at) => [`pyramid_${at}@absolute`, one(at)])));
  return draw(run(3), assertTitlesClear).then(() => draw(run(24), assertTitlesClear));
});

Deno.test("drawComparison() draws error bars where there are several samples, and an axis in powers of ten for an exploded perplexity", () =>
  draw(
    inventResults({
      baseline: [{ throughput: 190, perplexity: 30 }, { throughput: 210, perplexity: 50 }],
      recent_only_512: [{ perplexity: 1e3 }, { perplexity: 1.4e3 }],
    }),
    (picture) => {
      const ink = (panel: number) => countColor(picture.area(panelArea(panel)), INK.errorBar);
      assert.ok(ink(0) > 200);
      // Without a deviation no error bar is drawn: the letters' rims have other colours.
      assert.ok(ink(5) < ink(0) / 4);
      // From 38 to 1260, 40 is 1.5 % of the way up in powers of ten; on a linear axis it would be under 1 px.
      const [low, high] = bars(picture, 3);
      assert.deepEqual([low?.color, high?.color], [GRAY, RED]);
      assert.ok(Math.abs(low!.height / high!.height - Math.log(1 / 0.95) / Math.log(1200 / 38)) < 0.01);
    },
  ));

Deno.test("drawComparison() finds room for 30 configurations", () => {
  const many = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`fix${256 + i}_keep_high_kr=0.${i % 10}_and_a_long_name`, [{}]]),
  );
  return draw(inventResults(many), (picture) => assert.equal(bars(picture, 0).length, 30));
});

for (const count of [7, 17, 40]) {
  Deno.test(`drawComparison() writes the whole names of ${count} configurations`, () => {
    const names = Array.from({ length: count }, (_, i) => `fix${512 + i}_keep_low_kr=0.8@cache`);
    return draw(inventResults(Object.fromEntries(names.map((name) => [name, [{}]]))), (picture, _, svg) => {
      // A name may be on several lines, which follow each other.
      const text = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text).join("");
      for (const name of names) assert.equal(text.split(name).length - 1, 6, name);
      assert.ok(!text.includes("…"));
      assert.equal(bars(picture, 0).length, count);
      const pixels = picture.area({ ...panelArea(0), x: 80, width: 400 });
      assert.ok(countColor(pixels, INK.text) > 5000, "no names under the bars");
    });
  });
}

Deno.test("drawComparison() draws a run of which nothing came", () =>
  draw(
    inventResults({ baseline: "Out of memory", streaming_512: "" }),
    (picture) => assert.deepEqual(bars(picture, 0), []),
  ));

Deno.test("drawComparison() draws the bars that are finite, on an axis of theirs, and words in the other places", () =>
  draw(
    inventResults({
      baseline: [{ perplexity: 40, peak_vram_gb: 5 }],
      recent_only_512: [{ perplexity: NaN, peak_vram_gb: null }, { perplexity: 44, peak_vram_gb: 5 }],
      streaming_512: [{ perplexity: 44, peak_vram_gb: 4 }],
      h2o_l2_512: [{ perplexity: Infinity, peak_vram_gb: null }],
    }),
    (picture) => {
      for (const [panel, heights] of [[3, [1, 3]], [4, [1, 0.8]]] as const) {
        const found = bars(picture, panel);
        assert.deepEqual(found.map(({ color }) => color), [GRAY, GREEN]);
        assertClose(shares(found), [...heights]);
        const { x, y, width, height } = panelArea(panel);
        for (const slot of [1, 3]) {
          const place = {
            x: x + 60 + slot * (width - 60) / 4,
            y: y + height / 2,
            width: (width - 60) / 4,
            height: height / 2,
          };
          assert.ok(countColor(picture.area(place), INK.failed) > 100, `no word in place ${slot} of chart ${panel}`);
        }
      }
      assert.equal(bars(picture, 0).length, 4);
    },
  ));

Deno.test("drawComparison() draws a run of which no figure is finite", () =>
  draw(
    inventResults({
      baseline: [{ perplexity: NaN, peak_vram_gb: null }],
      streaming_512: [{ perplexity: NaN, peak_vram_gb: null }],
    }),
    (picture) => assert.deepEqual([bars(picture, 3), bars(picture, 4)], [[], []]),
  ));
