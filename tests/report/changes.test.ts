import assert from "node:assert/strict";
import { changesAgainstBaseline } from "../../lib/report/tables/changes.ts";
import { changeCells, formatChanges } from "../../lib/report/tables/changes_table.ts";
import { inventComparison, inventInterval, inventResults, inventRounds } from "./_invent.ts";

Deno.test("changesAgainstBaseline() is in percent of the baseline or in points, in the order of the table", () => {
  const changes = changesAgainstBaseline(inventResults({
    baseline: [{ throughput: 200, ttft: 0.01, tpot: 0.005, perplexity: 40, accuracy: 0.4, peak_vram_gb: 5 }],
    streaming_256: [{ throughput: 150, ttft: 0.011, tpot: 0.006, perplexity: 42, accuracy: 0.38, peak_vram_gb: 4 }],
    broken: "Out of memory",
  }));
  assert.equal(changes.length, 1);
  const rounded = Object.entries(changes[0]!).map(([figure, change]) => {
    if (typeof change !== "object" || change === null) return [figure, change];
    return [figure, Math.round(("points" in change ? change.points : change.percent) * 1e6) / 1e6];
  });
  assert.deepEqual(rounded, [
    ["method", "streaming_256"],
    ["throughput", -25],
    ["tpot", 20],
    ["ttft", 10],
    ["perplexity", 5],
    // Points, not percent: 38 % less 40 %.
    ["accuracy", -2],
    ["peak_vram_gb", -20],
  ]);
  assert.equal(changes[0]?.tpot?.std, null);
});

Deno.test("changesAgainstBaseline() pairs texts: a spread that both share is not uncertainty", () => {
  const [change] = changesAgainstBaseline(inventResults({
    baseline: [{ perplexity: 20 }, { perplexity: 80 }],
    streaming_256: [{ perplexity: 22 }, { perplexity: 88 }],
  }));
  assert.ok(Math.abs(change!.perplexity!.percent - 10) < 1e-9);
  assert.ok(change!.perplexity!.std! < 1e-9);
});

Deno.test("changesAgainstBaseline() propagates both deviations where the texts are not the same", () => {
  const [change] = changesAgainstBaseline(inventResults({
    baseline: [{ sample: 0, tpot: 0.9 }, { sample: 1, tpot: 1.1 }],
    streaming_256: [{ sample: 2, tpot: 1.8 }, { sample: 3, tpot: 2.2 }],
  }));
  // 10 % x sqrt(2) each, for both together twice that, of a ratio of 2.
  assert.ok(Math.abs(change!.tpot!.percent - 100) < 1e-9);
  assert.ok(Math.abs(change!.tpot!.std! - 200 * Math.hypot(Math.SQRT2 / 10, Math.SQRT2 / 10)) < 1e-9);
});

Deno.test("changesAgainstBaseline() has no percentage of nothing, and nothing without a baseline", () => {
  const [change] = changesAgainstBaseline(inventResults({
    baseline: [{ peak_vram_gb: 0 }],
    streaming_256: [{ peak_vram_gb: 0 }],
  }));
  assert.equal(change?.peak_vram_gb, null);
  assert.deepEqual(changesAgainstBaseline(inventResults({ streaming_256: [{}] })), []);
  assert.equal(formatChanges([]), "");
});

Deno.test("formatChanges() puts figures under their titles", () => {
  const lines = formatChanges(changesAgainstBaseline(inventResults({
    baseline: [{ peak_vram_gb: 0 }, { peak_vram_gb: 0 }],
    streaming_256: [{ tpot: 0.005, peak_vram_gb: 0 }, { tpot: 0.0049, peak_vram_gb: 0 }],
    fix256_keep_high_kr_is_long: [{ perplexity: 8.5e7, peak_vram_gb: 0 }, { peak_vram_gb: 0 }],
  }))).split("\n");
  assert.equal(lines.length, 3);
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
  assert.match(lines[0]!, /^Change vs baseline +Thruput +TPOT +TTFT +PPL +Acc +VRAM$/);
  assert.match(lines[1]!, /^streaming_256 +\+0\.0% ± 0\.0 +\+10\.0% ± 1\.6 .* \+0\.00 pt ± 0\.00 +-$/);
});

Deno.test("changesAgainstBaseline() says of what is not finite that it is not, and never 100 % less than infinity", () => {
  const change = (baseline: number, streaming: number) =>
    changesAgainstBaseline(inventResults({
      baseline: [{ perplexity: baseline }, { perplexity: 40 }],
      streaming_256: [{ perplexity: streaming }, { perplexity: 42 }],
    }));
  for (const [baseline, streaming] of [[40, NaN], [NaN, 42], [NaN, NaN], [Infinity, 42], [Infinity, Infinity]]) {
    const [row] = change(baseline!, streaming!);
    assert.deepEqual(row?.perplexity, { percent: NaN, std: null }, `${baseline}, ${streaming}`);
    assert.match(formatChanges([row!]).split("\n")[1]!, / nan /);
  }
  assert.match(formatChanges(change(40, Infinity)).split("\n")[1]!, / \+inf% /);
});

Deno.test("changesAgainstBaseline() has n/a for VRAM that was not measured in one of the two", () => {
  for (const [baseline, streaming] of [[null, 3], [3, null], [null, null], [0, null]]) {
    const changes = changesAgainstBaseline(inventResults({
      baseline: [{ peak_vram_gb: baseline! }],
      streaming_256: [{ peak_vram_gb: streaming! }],
    }));
    assert.equal(changes[0]?.peak_vram_gb, "n/a");
    assert.match(formatChanges(changes), / n\/a$/);
  }
});

const PAIR = { baseline: [{}], streaming_256: [{ peak_vram_gb: 3.21 }] };

Deno.test("formatChanges() of results of schema 1 is as it was, with TTFT, and accuracy in points", () => {
  const results = inventResults({
    baseline: [{ accuracy: 0.3567 }, { accuracy: 0.36 }],
    streaming_256: [
      { accuracy: 0.3489, ttft: 0.0098, tpot: 0.0052, peak_vram_gb: 3.21 },
      { accuracy: 0.35, ttft: 0.0098, tpot: 0.0052, peak_vram_gb: 3.21 },
    ],
  });
  assert.equal(
    formatChanges(changesAgainstBaseline(results)),
    `\
Change vs baseline               Thruput              TPOT              TTFT               PPL               Acc              VRAM
streaming_256                +0.0% ± 0.0      +15.6% ± 0.0      -20.3% ± 0.0       +0.0% ± 0.0   -0.89 pt ± 0.16      -38.6% ± 0.0`,
  );
});

Deno.test("changesAgainstBaseline() takes changes and intervals from the comparisons where there are some", () => {
  const [change] = changesAgainstBaseline(inventRounds(PAIR));
  const round = (value: number) => Math.round(value * 1e6) / 1e6;
  const percent = ({ percent, std, interval }: NonNullable<typeof change>["tpot"] & object) => [
    round(percent),
    std,
    round(interval!.low),
    round(interval!.high),
    interval!.confidence,
  ];
  assert.deepEqual(percent(change!.throughput!), [-9.2, null, -9.9, -8.5, 0.95]);
  assert.deepEqual(percent(change!.tpot!), [15.6, null, 14.9, 16.3, 0.95]);
  assert.deepEqual(percent(change!.ttft!), [-20.3, null, -21.9, -18.8, 0.95]);
  assert.deepEqual(percent(change!.perplexity!), [6.5, null, 4.2, 8.8, 0.95]);
  assert.equal(round(change!.accuracy!.points), -0.78);
  assert.equal(round(change!.accuracy!.interval!.low), -1.12);
  // VRAM has no comparison.
  assert.ok(typeof change!.peak_vram_gb === "object" && change!.peak_vram_gb!.interval === undefined);
});

Deno.test("formatChanges() has intervals next to the changes, lined up", () => {
  const results = inventRounds({ ...PAIR, tova_256: [{}], keydiff_256: [{}] });
  results.comparisons!["tova_256"] = inventComparison();
  results.comparisons!["tova_256"]!.time!.tpot = inventInterval(0.997, 0.989, 1.001);
  // Its interval is not known.
  results.comparisons!["keydiff_256"]!.time!.tpot = inventInterval(1.031, NaN, NaN);
  const changes = changesAgainstBaseline(results);
  assert.deepEqual(changeCells(changes).rows.map(({ cells }) => cells[1]), [
    "+15.6 % [+14.9, +16.3]",
    " -0.3 %   [-1.1, +0.1]",
    " +3.1 %               ",
  ]);
  assert.deepEqual(changeCells(changes).rows[0]!.cells, [
    "-9.2 % [-9.9, -8.5]",
    "+15.6 % [+14.9, +16.3]",
    "-20.3 % [-21.9, -18.8]",
    "+6.5 % [+4.2, +8.8]",
    "-0.78 pt [-1.12, -0.44]",
    "-38.6 %",
  ]);
  const lines = formatChanges(changes).split("\n");
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
});

Deno.test("formatChanges() fits 80 columns in two blocks, with units in the titles", () => {
  const results = inventRounds({ ...PAIR, recent_only_1024: [{}] });
  assert.equal(
    formatChanges(changesAgainstBaseline(results), 80),
    `\
vs baseline               Thruput %                TPOT %                TTFT %
streaming_256     -9.2 [-9.9, -8.5]  +15.6 [+14.9, +16.3]  -20.3 [-21.9, -18.8]
recent_only_1024  -9.2 [-9.9, -8.5]  +15.6 [+14.9, +16.3]  -20.3 [-21.9, -18.8]

vs baseline                   PPL %                Acc pt  VRAM %
streaming_256     +6.5 [+4.2, +8.8]  -0.78 [-1.12, -0.44]   -38.6
recent_only_1024  +6.5 [+4.2, +8.8]  -0.78 [-1.12, -0.44]    +0.0`,
  );
  for (const width of [24, 40, 60, 80, 100, 150]) {
    const lines = formatChanges(
      changesAgainstBaseline(inventRounds({ ...PAIR, "fix256_keep_low_kr=0.8": [{}] })),
      width,
    );
    assert.ok(lines.split("\n").every((line) => line.length <= width), `${width}:\n${lines}`);
  }
});

Deno.test("changesAgainstBaseline() has no change of what was not asked for", () => {
  const noSpeed = { ttft: NaN, tpot: NaN, throughput: NaN, peak_vram_gb: null };
  const [quality] = changesAgainstBaseline(
    inventResults({ baseline: [noSpeed], streaming_256: [noSpeed] }, { passes: "quality" }),
  );
  assert.deepEqual([quality!.tpot, quality!.ttft, quality!.throughput, quality!.peak_vram_gb], [
    null,
    null,
    null,
    null,
  ]);
  assert.equal(quality!.perplexity?.percent, 0);
  const noQuality = { perplexity: NaN, accuracy: NaN };
  const [speed] = changesAgainstBaseline(
    inventResults({ baseline: [noQuality], streaming_256: [noQuality] }, { passes: "speed" }),
  );
  assert.deepEqual([speed!.perplexity, speed!.accuracy, speed!.tpot?.percent], [null, null, 0]);
});
