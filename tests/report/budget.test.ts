/** The pictures of budget and frontier: what they show, and when they are drawn. */
import { deepEqual, doesNotMatch, equal, match, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { drawBudget } from "../../lib/report/charts/budget_plot.ts";
import { frontierPoints } from "../../lib/report/charts/drawable.ts";
import { paretoOptimal } from "../../lib/report/charts/pareto.ts";
import { drawFrontier } from "../../lib/report/charts/frontier.ts";
import { heldPoints } from "../../lib/report/charts/held_points.ts";
import { FULL_CACHE_COLOR, METHOD_COLORS } from "../../lib/report/charts/method_looks.ts";
import { picturesFor } from "../../lib/report/charts/pictures_for.ts";
import { seriesOf } from "../../lib/report/charts/series.ts";
import { logarithmicTicks, spreadAxis } from "../../lib/report/charts/spread_axis.ts";
import type { Interval } from "../../lib/report/results/spread_types.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { inventResults } from "./_invent.ts";
import { countColor, type Picture, readPicture } from "./_picture.ts";

const interval = (estimate: number, reach: number): Interval => ({
  estimate,
  low: estimate - reach,
  high: estimate + reach,
  confidence: 0.95,
});

/** A run of schema 1: three sizes of a method and of the control. */
function invent(): BenchmarkResults {
  const results = inventResults({
    baseline: [{ perplexity: 40, tpot: 0.008, final_cache_size: 1000 }],
    recent_only_100: [{ perplexity: 60, tpot: 0.004, final_cache_size: 100 }],
    tova_100: [{ perplexity: 44, tpot: 0.005, final_cache_size: 100 }],
    recent_only_400: [{ perplexity: 55, tpot: 0.005, final_cache_size: 400 }],
    tova_400: [{ perplexity: 42, tpot: 0.006, final_cache_size: 400 }],
    "tova_800": [{ perplexity: 41, tpot: 0.007, final_cache_size: 800 }],
  });
  for (const record of results.configurations) record.method = record.name.replace(/_\d+$/, "");
  return results;
}

/** The same with everything that schema 2 adds. */
function inventAll(): BenchmarkResults {
  const results = invent();
  results.comparisons = {};
  results.divergence = {};
  results.configurations.forEach((record, index) => {
    const { name } = record;
    const pass = { mean_entries: 1, by_layer: [1], share: 0.9 - index / 10, mean_kv_bytes: 1, final_kv_bytes: 1 };
    record.held = { speed: { ...pass, share: 0.001 }, quality: pass };
    if (name === "baseline") return;
    const times = { rounds: 5, by: "t" as const, ttft: interval(1, 0), throughput: interval(1, 0) };
    const quality = { ln_ppl_ratio_evicted: null, accuracy: interval(0, 0), texts: 1 };
    results.comparisons![name] = {
      time: { ...times, tpot: interval(0.5, 0.1) },
      quality: { ...quality, ln_ppl_ratio: interval(0.1 * index, 0.01) },
    };
    results.divergence![name] = {
      mean_kl: interval(0.01 * index, 0.002),
      median_kl: 0,
      p99_kl: 0,
      max_kl: 0,
      same_top: interval(0.9, 0.01),
      rms_token_probability: 0,
      steps: 9,
    };
  });
  return results;
}

async function draw(drawer: typeof drawBudget, results: BenchmarkResults): Promise<{ picture: Picture; svg: string }> {
  const folder = await Deno.makeTempDir({ prefix: "kvcompress_test_" });
  try {
    await drawer(results, `${folder}/a.png`);
    const svg = await Deno.readTextFile(`${folder}/a.svg`);
    ok(!svg.includes("<image") && svg.length < 1e6, "not an SVG file of shapes");
    return { picture: await readPicture(`${folder}/a.png`), svg };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const plot = { x: 90, y: 170, width: 900, height: 380 };

Deno.test("seriesOf() takes the size out of every name that the benchmark gives", () => {
  const cases: Record<string, [string, string]> = {
    recent_only_256: ["recent_only", "256"],
    "streaming_256@cache": ["streaming@cache", "256"],
    fix512_keep_low_kr: ["fix_keep_low_kr", "512"],
    "fix512_keep_low_kr=0.8@cache": ["fix_keep_low_kr=0.8@cache", "512"],
    "l2_kr=0.5": ["l2", "0.5"],
    h2o_l2_512: ["h2o_l2", "512"],
    h2o_64: ["h2o", "64"],
    snapkv_512_obs32: ["snapkv_obs32", "512"],
    pyramid_snapkv_128: ["pyramid_snapkv", "128"],
    fix_l2_1024: ["fix_l2", "1024"],
    "tova_25%": ["tova", "25%"],
    "tova_12.5%@cache": ["tova@cache", "12.5%"],
    mine: ["mine", ""],
    baseline: ["baseline", ""],
  };
  for (const [name, [series, size]] of Object.entries(cases)) deepEqual(seriesOf(name), { series, size }, name);
});

Deno.test("heldPoints() makes PPL and TPOT of ratios, and the share of what is held in the quality pass", () => {
  const points = heldPoints(inventAll());
  equal(points[0]?.share, 1);
  const [, , tova] = points;
  equal(tova?.share, 0.7);
  ok(Math.abs(tova!.ppl!.value - 40 * Math.exp(0.2)) < 1e-9 && Math.abs(tova!.ppl!.low! - 40 * Math.exp(0.19)) < 1e-9);
  ok(Math.abs(tova!.tpot!.value - 4) < 1e-9 && Math.abs(tova!.tpot!.high! - 4.8) < 1e-9);
  deepEqual(tova!.kl, { value: 0.02, low: 0.02 - 0.002, high: 0.022 });
  // Schema 1: what is held at the end, and no intervals.
  const [, , old] = heldPoints(invent());
  deepEqual([old!.share, old!.ppl, old!.tpot, old!.kl], [0.1, { value: 44 }, { value: 5 }, undefined]);
});

Deno.test("picturesFor() draws lines only where a method has two budgets with figures", () => {
  const of = (results: BenchmarkResults) => picturesFor(results, { plotNll: false, traces: false });
  deepEqual(of(invent()), ["comparison", "budget", "frontier"]);
  const without = (keep: (name: string) => boolean, change: (results: BenchmarkResults) => void = () => {}) => {
    const results = invent();
    for (const name of Object.keys(results.aggregated_stats)) if (!keep(name)) delete results.aggregated_stats[name];
    change(results);
    return of(results);
  };
  // One size; only controls; no figures of speed; no full cache and so no shares; nothing at all.
  deepEqual(without((name) => !/_(400|800)/.test(name)), ["comparison"]);
  deepEqual(without((name) => !name.startsWith("tova")), ["comparison"]);
  const noSpeed = (results: BenchmarkResults) => {
    for (const stats of Object.values(results.aggregated_stats)) stats.tpot = NaN;
  };
  deepEqual(without(() => true, noSpeed), ["comparison", "budget"]);
  deepEqual(without((name) => name !== "baseline"), ["comparison", "frontier"]);
  deepEqual(without(() => false), ["comparison"]);
  const noQuality = (results: BenchmarkResults) => {
    for (const stats of Object.values(results.aggregated_stats)) stats.perplexity = NaN;
  };
  deepEqual(without(() => true, noQuality), ["comparison"]);

  const long = inventResults({ baseline: [{}] }, { max_positions: 1024 });
  deepEqual(of(long), ["comparison", "nll"]);
  deepEqual(picturesFor(inventResults({ baseline: [{}] }), { plotNll: true, traces: true }), [
    "comparison",
    "nll",
    "traces",
  ]);
  const fast = inventResults({ baseline: [{}] }, { passes: "speed" });
  deepEqual(picturesFor(fast, { plotNll: true, traces: false }), ["comparison"]);
});

Deno.test("drawBudget() draws perplexity over the share held, with the full cache as a line across", async () => {
  const { picture, svg } = await draw(drawBudget, invent());
  deepEqual([picture.width, picture.height], [4200, 2400]);
  const pixels = picture.area(plot);
  for (const color of [METHOD_COLORS.wine, METHOD_COLORS.rose]) ok(countColor(pixels, color) > 3000, color);
  ok(countColor(pixels, FULL_CACHE_COLOR) > 10_000, "no full cache");
  for (
    const text of [
      "tova",
      "recent_only",
      "Perplexity",
      "full cache",
      "Share of the full cache held, at the end (%), logarithmic",
    ]
  ) {
    ok(svg.includes(`>${text}<`), text);
  }
  doesNotMatch(svg, /KL divergence|intervals/);
});

Deno.test("drawBudget() draws divergence beside perplexity, and intervals where they are known", async () => {
  const { picture, svg } = await draw(drawBudget, inventAll());
  for (
    const text of ["Distance from the full cache", "Mean KL divergence (nats)", "Bars: 95 % intervals", "Perplexity"]
  ) {
    ok(svg.includes(`>${text}<`), text);
  }
  match(svg, />Share of the full cache held, mean over the text \(%\)/);
  const [left, right] = [{ x: 90, width: 400 }, { x: 590, width: 400 }].map((half) =>
    picture.area({ ...plot, ...half })
  );
  for (const half of [left!, right!]) ok(countColor(half, METHOD_COLORS.wine) > 2000);
  equal(countColor(left!, FULL_CACHE_COLOR), 0);
});

Deno.test("drawFrontier() marks the points that no other beats, and writes sizes beside points", async () => {
  const { picture, svg } = await draw(drawFrontier, invent());
  deepEqual([picture.width, picture.height], [4200, 2520]);
  const pixels = picture.area(plot);
  for (const color of [METHOD_COLORS.wine, METHOD_COLORS.rose, FULL_CACHE_COLOR]) {
    ok(countColor(pixels, color) > 1500, color);
  }
  // A label is written twice: its rim, and itself.
  for (const [size, count] of [["100", 2], ["400", 2], ["800", 1], ["full cache", 1]] as const) {
    const labels = svg.match(new RegExp(`<text[^>]*stroke-width[^>]*>${size}<`, "g")) ?? [];
    equal(labels.length, count, size);
  }
  match(svg, />TPOT \(ms\)</);
  match(svg, />Perplexity</);
  doesNotMatch(svg, /Bars: intervals/);
  // All sizes of TOVA, the control's smallest and the full cache are on the frontier.
  const best = paretoOptimal(frontierPoints(invent()).placed.map(({ x, y }) => ({ x: x.value, y: y.value })));
  deepEqual(best, [true, true, true, false, true, true]);
});

Deno.test("drawFrontier() goes by divergence where all have it, with the full cache at zero", async () => {
  const { svg } = await draw(drawFrontier, inventAll());
  match(svg, />Mean KL divergence from the full cache \(nats\)</);
  match(svg, /Bars: intervals/);
  const some = inventAll();
  delete some.divergence!["tova_100"];
  equal(frontierPoints(some).by, "ppl");
  // On a logarithmic axis zero has a place of its own.
  const wide = inventAll();
  wide.divergence!["recent_only_100"]!.mean_kl = interval(3, 0.1);
  wide.divergence!["tova_800"]!.mean_kl = interval(0, 0);
  match((await draw(drawFrontier, wide)).svg, />0<\/text>/);
});

Deno.test("drawBudget() and drawFrontier() refuse what has no line", async () => {
  const none = inventResults({ baseline: [{}], streaming_256: [{}] });
  await rejects(drawBudget(none, "/nowhere.png"), /^RangeError: Cannot draw quality over budget/);
  await rejects(drawFrontier(none, "/nowhere.png"), /^RangeError: Cannot draw the frontier/);
});

Deno.test("paretoOptimal() finds the points that a plain search does not beat", () => {
  const points = fc.array(fc.record({ x: fc.integer({ min: 0, max: 9 }), y: fc.integer({ min: 0, max: 9 }) }));
  fc.assert(fc.property(points, (points) => {
    const best = paretoOptimal(points);
    points.forEach(({ x, y }, at) => {
      let beaten = false;
      for (const other of points) {
        if (other.x < x && other.y <= y || other.x <= x && other.y < y) beaten = true;
      }
      equal(best[at], !beaten);
    });
    if (points.length > 0) ok(best.includes(true));
  }));
});

Deno.test("spreadAxis() holds every figure, and is logarithmic from a decade on", () => {
  const figures = fc.array(
    fc.record({
      value: fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e4, noNaN: true })),
      reach: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { maxLength: 20 },
  );
  fc.assert(fc.property(figures, (given) => {
    const spreads = given.map(({ value, reach }) => ({ value, low: value * (1 - reach), high: value * (1 + reach) }));
    const axis = spreadAxis(spreads, "x");
    ok(axis.min < axis.max);
    const over = spreads.map(({ value }) => value).filter((value) => value > 0);
    equal(axis.logarithmic, over.length > 0 && Math.max(...over) > 10 * Math.min(...over));
    for (const { value, high } of spreads) {
      ok(high <= axis.max);
      if (value > 0 || !axis.logarithmic) ok(value >= axis.min);
      else ok(axis.zero! > axis.min && axis.zero! < Math.min(...over));
    }
    if (axis.logarithmic) ok(axis.min > 0 && axis.ticks!.every(({ value }) => value >= axis.min && value <= axis.max));
  }));
  for (const [min, max] of [[0.0012, 0.9], [3, 40], [20, 95], [1, 1e6]] as const) {
    const ticks = logarithmicTicks(min, max);
    ok(ticks.length >= 4 && ticks.length <= 9, `${ticks.map(({ label }) => label)}`);
  }
});
