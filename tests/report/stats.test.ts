import assert from "node:assert/strict";
import fc from "fast-check";
import { aggregate, aggregateAll, mean, median, p95, quantile, sampleStd } from "../../lib/report/results/stats.ts";
import { inventSample } from "./_invent.ts";

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

Deno.test("sampleStd() divides by n - 1, and is 0 for one value", () => {
  assert.equal(sampleStd([2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7));
  assert.equal(sampleStd([3]), 0);
});

Deno.test("quantile() interpolates as NumPy does", () => {
  // numpy.quantile([3, 1, 4, 1, 5], [0, .25, .5, .9, 1])
  assert.deepEqual([0, 0.25, 0.5, 0.9, 1].map((share) => quantile([3, 1, 4, 1, 5], share)), [1, 1, 3, 4.6, 5]);
  assert.throws(() => quantile([1], 1.1), RangeError);
  assert.throws(() => quantile([], 0.5), RangeError);
});

Deno.test("median() lies between the extremes and under p95(), and order does not matter", () => {
  fc.assert(fc.property(values, (list) => {
    const middle = median(list);
    assert.ok(Math.min(...list) <= middle && middle <= p95(list) && p95(list) <= Math.max(...list));
    assert.equal(median(list.toReversed()), middle);
  }));
});

Deno.test("mean() and sampleStd() of equal values are that value and nearly 0", () => {
  fc.assert(fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), fc.nat(20), (value, more) => {
    const list = Array(more + 1).fill(value);
    assert.ok(Math.abs(mean(list) / value - 1) < 1e-12);
    assert.ok(sampleStd(list) <= 1e-12 * value);
  }));
});

Deno.test("aggregate() takes cache_size from final_cache_size and counts the samples", () => {
  const stats = aggregate([
    inventSample("baseline", { final_cache_size: 100, accuracy: 0.3 }),
    inventSample("baseline", { final_cache_size: 200, accuracy: 0.5 }),
  ]);
  assert.equal(stats.cache_size, 150);
  assert.equal(stats.accuracy, 0.4);
  assert.equal(stats.n, 2);
  assert.equal(stats.std.cache_size, Math.sqrt(5000));
  assert.equal(stats.std.perplexity, 0);
});

Deno.test("aggregate() refuses nothing and a mixture", () => {
  assert.throws(() => aggregate([]), RangeError);
  assert.throws(() => aggregate([inventSample("a"), inventSample("b")]), /several configurations: a, b/);
});

Deno.test("aggregateAll() keeps the order of first appearance", () => {
  const raw = ["baseline", "recent_only_256", "streaming_256", "baseline"].map((name) => inventSample(name));
  const stats = aggregateAll(raw);
  assert.deepEqual(Object.keys(stats), ["baseline", "recent_only_256", "streaming_256"]);
  assert.equal(stats["baseline"]?.n, 2);
  assert.deepEqual(aggregateAll([]), {});
});

Deno.test("aggregate() has no finite mean where a sample's figure is not finite", () => {
  for (const broken of [NaN, Infinity, -Infinity]) {
    const stats = aggregate([
      inventSample("baseline", { perplexity: 40 }),
      inventSample("baseline", { perplexity: broken }),
    ]);
    assert.ok(!Number.isFinite(stats.perplexity) && !Number.isFinite(stats.std.perplexity), `${broken}`);
    assert.equal(stats.ttft, 0.0123);
  }
});

Deno.test("aggregate() has no mean of VRAM that was not measured in every sample, and takes it for no 0", () => {
  const of = (...peaks: (number | null)[]) =>
    aggregate(peaks.map((peak_vram_gb) => inventSample("baseline", { peak_vram_gb })));
  for (const stats of [of(null), of(null, null), of(4, null), of(null, 4)]) {
    assert.deepEqual([stats.peak_vram_gb, stats.std.peak_vram_gb], [null, null]);
  }
  assert.deepEqual([of(4, 2).peak_vram_gb, of(0).peak_vram_gb, of(0).std.peak_vram_gb], [3, 0, 0]);
});
