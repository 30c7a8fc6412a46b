import assert from "node:assert/strict";
import { formatDetails } from "../../lib/report/tables/detail_table.ts";
import { rowFigures } from "../../lib/report/tables/row_figures.ts";
import type { MemoryFigures, PhaseMemory } from "../../lib/report/results/memory_types.ts";
import { inventDivergence, inventInterval, inventResults, inventRounds, inventSample } from "./_invent.ts";

const SAMPLE = { first_step_s: 0.0213, tpot_p95: 0.00512 };

Deno.test("formatDetails() has a row for each configuration with figures, on one line each where there is room", () => {
  const results = inventRounds({
    baseline: [{ ...SAMPLE, tpot: 0.0016 }],
    recent_only_1024: "Out of memory",
    streaming_256: [{ ...SAMPLE, tpot: 0.00185 }, { ...SAMPLE, tpot: 0.00187 }],
    tova_256: "",
  });
  assert.equal(
    formatDetails(results),
    `\
Method         TPOT ms             vs baseline  First ms  p95 ms       KL  Top-1 %  PPL evicted  Held  Held %  KV MiB  VRAM GiB
-------------------------------------------------------------------------------------------------------------------------------
baseline         1.600        -                    21.30   5.120        -        -        44.70   641   100.0   5.000         -
streaming_256    1.860  +15.6 % [+14.9, +16.3]     21.30   5.120  0.00123     97.5        44.70   333    40.0   2.000         -
===============================================================================================================================`,
  );
});

Deno.test("formatDetails() fits 80 columns in two blocks: times, then quality and what is held", () => {
  const results = inventRounds({ baseline: [SAMPLE], recent_only_1024: [SAMPLE] });
  const text = formatDetails(results, 80);
  assert.equal(
    text,
    `\
Method            TPOT ms             vs baseline  First ms  p95 ms
-------------------------------------------------------------------
baseline            4.500        -                    21.30   5.120
recent_only_1024    4.500  +15.6 % [+14.9, +16.3]     21.30   5.120
===================================================================

Method                 KL  Top-1 %  PPL evicted  Held  Held %  KV MiB  VRAM GiB
-------------------------------------------------------------------------------
baseline                -        -        44.70   641   100.0   5.000         -
recent_only_1024  0.00123     97.5        44.70   333    40.0   2.000         -
===============================================================================`,
  );
  for (const name of ["fix256_keep_low_kr=0.8", "fix1024_keep_high_kr=0.5@absolute"]) {
    for (const width of [33, 40, 60, 80, 100]) {
      const lines = formatDetails(inventRounds({ baseline: [SAMPLE], [name]: [SAMPLE] }), width).split("\n");
      assert.ok(lines.every((line) => line.length <= width), `${width}:\n${lines.join("\n")}`);
    }
  }
});

Deno.test("formatDetails() has times of results of schema 1, - for the rest, and nothing of nothing", () => {
  const results = inventResults({ baseline: [{ step_times_s: [0.02, 0.004, 0.005] }] }, { device: "cpu" });
  assert.equal(
    formatDetails(results),
    `\
Method    TPOT ms  First ms  p95 ms  KL  Top-1 %  PPL evicted  Held  Held %  KV MiB  VRAM GiB
---------------------------------------------------------------------------------------------
baseline    4.500     20.00   4.950   -        -            -     -       -       -         -
=============================================================================================`,
  );
  assert.equal(formatDetails(inventResults({ baseline: "Out of memory" })), "");
});

Deno.test("formatDetails() has - for figures of a pass that was not asked for, and nan for those that broke", () => {
  const noTimes = { ttft: NaN, tpot: NaN, throughput: NaN, step_times_s: [], nll: [3, NaN] };
  const quality = inventRounds({ baseline: [noTimes] }, { passes: "quality" });
  delete quality.speed_runs;
  const [, , row] = formatDetails(quality).split("\n");
  assert.match(row!, /^baseline +- +- +- +- +- +nan +641 /);
  const speed = inventRounds({ baseline: [{ tpot: NaN, nll: [] }] }, { passes: "speed" });
  assert.match(formatDetails(speed).split("\n")[2]!, /^baseline +nan +4\.500 +4\.600 +- +- +- +641 /);
});

Deno.test("formatDetails() leaves an interval out that is not known, and shows small and large figures", () => {
  const results = inventRounds({ baseline: [{}], streaming_256: [{ nll: [1, 20] }] });
  results.comparisons!["streaming_256"]!.time!.tpot = inventInterval(12, NaN, Infinity);
  results.divergence!["streaming_256"] = inventDivergence({ mean_kl: inventInterval(3.2e-9, 0, 0) });
  assert.match(
    formatDetails(results).split("\n")[3]!,
    /^streaming_256 +4\.500 +\+1100 % +4\.500 .* 3\.20e-9 .* 4\.9e\+8 /,
  );
});

Deno.test("rowFigures() takes the median of the rounds of each sample, and the mean over the samples", () => {
  const results = inventRounds({ baseline: [{ tpot: 1 }, { tpot: 3 }] });
  // An interrupted round has one sample only.
  results.speed_runs!.push({ ...results.speed_runs![0]!, round: 3, tpot: 9 });
  // Sample 0: 0.99, 1, 1.02, 9.
  assert.equal(rowFigures(results, "baseline").tpot, (1.01 + 3) / 2);
});

Deno.test("rowFigures() takes perplexity from the step on after which all have evicted, sample by sample", () => {
  const results = inventRounds({ baseline: [{ nll: [9, 1, 2] }, { nll: [9, 3, 3] }] });
  assert.equal(rowFigures(results, "baseline").perplexity_evicted, (Math.exp(1.5) + Math.exp(3)) / 2);
  results.evicted_from = 3;
  assert.equal(rowFigures(results, "baseline").perplexity_evicted, null);
});

Deno.test("rowFigures() takes VRAM of the decode phase, and none if one sample has none", () => {
  const { memory } = inventSample("baseline");
  const of = (peak: number | null): { memory: MemoryFigures } => ({
    memory: {
      ...memory!,
      phases: { decode: { process: { peak, end: 0 } } as PhaseMemory } as NonNullable<MemoryFigures["phases"]>,
    },
  });
  const figure = (peaks: (number | null)[]) =>
    rowFigures(inventRounds({ baseline: peaks.map(of) }), "baseline").decode_vram_bytes;
  assert.equal(figure([2 ** 30, 3 * 2 ** 30]), 2 ** 31);
  assert.equal(figure([2 ** 30, null]), null);
  assert.match(formatDetails(inventRounds({ baseline: [of(3 * 2 ** 29)] })).split("\n")[2]!, / 1\.50$/);
});
