import assert from "node:assert/strict";
import { intervalNotes } from "../../lib/report/tables/interval_notes.ts";
import { inventComparison, inventInterval, inventResults, inventRounds } from "./_invent.ts";

Deno.test("intervalNotes() says how intervals were made, what they leave out, and how rounds differ", () => {
  const results = inventRounds({ baseline: [{}], streaming_256: [{}], baseline_again: [{}] });
  results.comparisons!["baseline_again"]!.time!.tpot = inventInterval(1.004, 0.988, 1.021);
  assert.equal(
    intervalNotes(results),
    `\
Times: 95 % intervals, Wilcoxon over 6 rounds
PPL, Acc: 95 % intervals, block bootstrap over the steps of 2 samples of one book: they say nothing about other books
Drift: TPOT of the rounds differs by up to 3.1 % from the median
A/A: the full cache, measured twice, differs by TPOT +0.4 % [-1.2, +2.1]`,
  );
});

Deno.test("intervalNotes() says how many rounds would do where these do not", () => {
  const run = (method: string, round: number, tpot: number) => ({
    method,
    round,
    sample: 0,
    ttft: 1,
    tpot,
    throughput: 1,
  });
  const results = inventRounds({ baseline: [{}], streaming_256: [{}] });
  const runsOf = (...ratios: number[]) =>
    ratios.flatMap((ratio, i) => [run("baseline", i, 2), run("streaming_256", i, 2 * ratio)]) as never;
  const lines = (...ratios: number[]) =>
    intervalNotes({ ...results, speed_runs: runsOf(...ratios) }).split("\n").filter((line) =>
      line.startsWith("To find")
    );
  assert.deepEqual(lines(1.21, 0.83, 1.21, 0.83), [
    "To find a difference of 10 % in TPOT in 9 of 10 runs: about 60 rounds (--repetitions 60)",
  ]);
  assert.deepEqual(lines(1.01, 1.02, 1.01, 1.02), []);
});

Deno.test("intervalNotes() names each way once, with the confidence that the intervals have", () => {
  const results = inventRounds({ baseline: [{}], a: [{}], b: [{}], c: [{}] }, { num_samples: 1 });
  const { time, quality } = inventComparison();
  results.comparisons = {
    a: { time: { ...time!, rounds: 3, by: "t" } },
    b: { time: { ...time!, rounds: 3, by: "t" } },
    c: {
      time: { ...time!, tpot: inventInterval(1, 0.9, 1.1, 0.96875) },
      quality: { ...quality!, texts: 4 },
    },
  };
  results.drift = { tpot: [1] };
  assert.equal(
    intervalNotes(results),
    `\
Times: 95 % intervals, Student's t over 3 rounds; 96.9 % intervals, Wilcoxon over 6 rounds
PPL, Acc: 95 % intervals, block bootstrap over the steps of 1 sample of 4 texts`,
  );
});

Deno.test("intervalNotes() has nothing to say where there are none", () => {
  assert.equal(intervalNotes(inventResults({ baseline: [{}], a: [{}] })), "");
  assert.equal(intervalNotes({ ...inventResults({ a: [{}] }), comparisons: {}, drift: null }), "");
  // One round, and a sample that is not a number
  const { time, quality } = inventComparison();
  const none = inventInterval(1.1, NaN, NaN, 0);
  const comparisons = {
    a: { time: { ...time!, rounds: 1, by: "t" as const, tpot: none }, quality: { ...quality!, ln_ppl_ratio: none } },
  };
  assert.equal(intervalNotes({ ...inventResults({ a: [{}] }), comparisons, drift: null }), "");
});
