import assert from "node:assert/strict";
import { changesAgainstBaseline, formatChanges } from "../../lib/report/tables/changes.ts";
import { inventResults } from "./_invent.ts";

Deno.test("changesAgainstBaseline() is in percent of the baseline, in the order of the table", () => {
  const changes = changesAgainstBaseline(inventResults({
    baseline: [{ throughput: 200, tpot: 0.005, perplexity: 40, accuracy: 0.4, peak_vram_gb: 5 }],
    streaming_256: [{ throughput: 150, tpot: 0.006, perplexity: 42, accuracy: 0.38, peak_vram_gb: 4 }],
    broken: "Out of memory",
  }));
  assert.equal(changes.length, 1);
  const percent = Object.values(changes[0]!).map((change) =>
    typeof change === "object" ? Math.round((change?.percent ?? NaN) * 1e6) / 1e6 : change
  );
  assert.deepEqual(percent, ["streaming_256", -25, 20, 5, -5, -20]);
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
  assert.match(lines[0]!, /^Change vs baseline +Thruput +TPOT +PPL +Acc +VRAM$/);
  assert.match(lines[1]!, /^streaming_256 +\+0\.0% ± 0\.0 +\+10\.0% ± 1\.6 .* -$/);
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
