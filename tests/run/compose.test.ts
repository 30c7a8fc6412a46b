import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { SpeedRun } from "../../lib/report/results/spread_types.ts";
import { composeSample } from "../../lib/run/compose.ts";
import { inventQuality, inventRun } from "../report/_invent.ts";

const quality = inventQuality("tova", { sample: 1, entries_copied: 7, right: [1, 0] });

/** The middle of numbers, or of the two in the middle. */
function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}

Deno.test("composeSample() takes medians of times; the steps are those of a pass of the middle", () => {
  const time = fc.double({ min: 1e-6, max: 10, noNaN: true });
  const run = fc.record({ ttft: time, tpot: time, throughput: time, step_times_s: fc.array(time, { minLength: 1 }) });
  fc.assert(fc.property(fc.array(run, { minLength: 1, maxLength: 9 }), (given) => {
    const runs = given.map((times, round) => inventRun("tova", { sample: 1, round, ...times }));
    const raw = composeSample("tova", 1, runs, quality);
    for (const figure of ["ttft", "tpot", "throughput"] as const) {
      ok(Math.abs(raw[figure] - middle(runs.map((run) => run[figure]))) < 1e-12, figure);
    }
    ok(Math.abs(raw.first_step_s! - middle(runs.map(({ step_times_s }) => step_times_s[0]!))) < 1e-12);
    const later = runs.flatMap(({ step_times_s }) => step_times_s.slice(1));
    if (later.length === 0) deepEqual([raw.tpot_median, raw.tpot_p95], [undefined, undefined]);
    else {
      ok(Math.abs(raw.tpot_median! - middle(later)) < 1e-12);
      ok(raw.tpot_p95! >= raw.tpot_median! && raw.tpot_p95! <= Math.max(...later));
    }
    const usual = runs.find(({ step_times_s }) => step_times_s === raw.step_times_s)!;
    const [faster, slower] = [
      runs.filter(({ tpot }) => tpot < usual.tpot),
      runs.filter(({ tpot }) => tpot > usual.tpot),
    ];
    ok(Math.max(faster.length, slower.length) <= runs.length / 2);
    // The order in which passes were made says nothing about them.
    const { step_times_s: _, ...figures } = raw;
    const { step_times_s: __, ...reversed } = composeSample("tova", 1, runs.toReversed(), quality);
    deepEqual(reversed, figures);
  }));
});

Deno.test("composeSample() takes the most VRAM of any pass with that pass's memory; none if a pass has none", () => {
  const memory = (weights: number) => ({ ...inventRun("tova").memory, weights });
  const passes = (...peaks: (number | null)[]): SpeedRun[] =>
    peaks.map((peak_vram_gb, i) => inventRun("tova", { peak_vram_gb, vram_method: "process", memory: memory(i) }));
  const raw = composeSample("tova", 0, passes(3, 5, 4), quality);
  deepEqual([raw.peak_vram_gb, raw.vram_method, raw.memory?.weights], [5, "process", 1]);
  equal(composeSample("tova", 0, passes(3, null, 4), quality).peak_vram_gb, null);
  equal(composeSample("tova", 0, passes(null), quality).peak_vram_gb, null);
  // A CPU has none, and names no way of measuring it.
  const cpu = composeSample("tova", 0, [inventRun("tova", { peak_vram_gb: 0 })], quality);
  deepEqual([cpu.peak_vram_gb, "vram_method" in cpu], [0, false]);
});

Deno.test("composeSample() takes quality as it is, and what each pass copied", () => {
  const runs = [4, 8].map((entries_copied) => inventRun("tova", { entries_copied }));
  const raw = composeSample("tova", 1, runs, quality);
  const { entries_copied, ...figures } = quality;
  for (const [name, value] of Object.entries(figures)) deepEqual(raw[name as keyof typeof raw], value, name);
  deepEqual(raw.entries_copied, { speed: 6, quality: entries_copied });
  const divergence = { kl: [0.1], token_probability: [0], same_top: [1], first: 1, stride: 1 };
  deepEqual(composeSample("tova", 1, runs, { ...quality, divergence }).divergence, divergence);
});

Deno.test("composeSample() has no figures of a pass that was not made", () => {
  const speed = composeSample("tova", 1, [inventRun("tova")], undefined);
  deepEqual([speed.perplexity, speed.accuracy, speed.final_cache_size], [NaN, NaN, NaN]);
  deepEqual([speed.nll, speed.layer_cache_sizes, speed.right], [[], [], undefined]);
  ok(speed.tpot > 0 && Number.isNaN(speed.entries_copied.quality));
  const other = composeSample("tova", 1, [], quality);
  deepEqual([other.ttft, other.tpot, other.throughput, other.peak_vram_gb], [NaN, NaN, NaN, null]);
  deepEqual([other.step_times_s, other.memory, other.first_step_s], [[], undefined, undefined]);
  ok(other.perplexity > 1 && Number.isNaN(other.entries_copied.speed));
  deepEqual(other.entries_copied.quality, 7);
});
