/** One night against earlier ones: the night is the unit. `deno task nights` measures the rates. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { compareWithNights } from "../../lib/study/compare/compare_nights.ts";
import type { ComparisonOfSets, MetricName } from "../../lib/study/compare/types.ts";
import type { FoundResults } from "../../lib/study/find_results.ts";
import { inventNights, type NightsWorld, type Planted, WORLD } from "./_nights.ts";

const at = (results: BenchmarkResults, index: number): FoundResults[] => [{ file: `${index}`, results }];

function nights(seed: number, world: Partial<NightsWorld> = {}, planted?: Partial<Planted>): FoundResults[][] {
  const full = planted === undefined ? undefined : { night: 9, row: 2, tpot: 0, perplexity: 0, ...planted };
  return inventNights(seed, 10, { ...WORLD, ...world }, full).map(at);
}

/** The tenth night against the seven before it. */
const lastOf = (all: readonly FoundResults[][], given = {}) => compareWithNights(all.slice(2, 9), all[9]!, given);

function metricOf(comparison: ComparisonOfSets, name: string, metric: MetricName) {
  return comparison.cells.find(({ terms }) => terms.name === name)?.metrics.find((each) => each.metric === metric);
}

Deno.test("what is planted in one row is found, and nothing else", () => {
  const comparison = lastOf(nights(1, { noise: 0.003 }, { tpot: Math.log(1.1), perplexity: Math.log(1.001) }));
  equal(metricOf(comparison, "streaming_128", "tpot")!.verdict, "worse");
  equal(metricOf(comparison, "streaming_128", "perplexity")!.verdict, "worse");
  deepEqual(
    comparison.cells.flatMap(({ terms, metrics }) =>
      metrics.filter(({ verdict, metric }) => verdict === "worse" && metric !== "kl").map(() => terms.name)
    ),
    ["streaming_128", "streaming_128"],
  );
  equal(comparison.summary.not_reproducible, 0);
  const { effect } = metricOf(comparison, "streaming_128", "tpot")!;
  equal(effect!.by, "nights");
  ok(effect!.low < Math.log(1.1) && Math.log(1.1) < effect!.high);
});

Deno.test("nights of a machine that drifts by 10 % raise no alarm", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { summary } = lastOf(nights(seed, { drift: 0.1 }));
    deepEqual([summary.worse, summary.better, summary.not_reproducible], [0, 0, 0], `seed ${seed}`);
  }
});

Deno.test("the interval is that of a prediction by hand", () => {
  const all = nights(3, { rows: 1 });
  const comparison = lastOf(all);
  const { effect, is_ratio } = metricOf(comparison, "baseline", "ttft")!;
  equal(is_ratio, false);
  const middle = (values: number[]) => values.sort((a, b) => a - b)[1]!;
  const logs = all.slice(2).map(([night]) =>
    middle(night!.results.speed_runs!.filter(({ method }) => method === "baseline").map(({ ttft }) => Math.log(ttft)))
  );
  const mean = logs.slice(0, 7).reduce((a, b) => a + b, 0) / 7;
  const variance = logs.slice(0, 7).reduce((sum, each) => sum + (each - mean) ** 2, 0) / 6;
  const close = (found: number, expected: number) => ok(Math.abs(found - expected) < 1e-4, `${found} ${expected}`);
  close(effect!.estimate, logs[7]! - mean);
  close(effect!.high, logs[7]! - mean + 2.4469 * Math.sqrt(variance * (1 + 1 / 7)));
});

Deno.test("a row that is slow in some rounds only is unknown, and to be measured again", () => {
  const all = nights(1, { noise: 0.003 });
  const slow = (rounds: number) => {
    const [{ results, file }] = structuredClone(all[9]!) as [FoundResults];
    for (const run of results.speed_runs!) if (run.method === "streaming_128" && run.round < rounds) run.tpot *= 1.3;
    return metricOf(compareWithNights(all.slice(2, 9), [{ results, file }]), "streaming_128", "tpot")!;
  };
  deepEqual([slow(2).verdict, slow(2).reason], ["unknown", "it shows in 2 of 3 rounds: measure again"]);
  equal(slow(3).verdict, "worse");
  ok(["same", "unknown"].includes(slow(1).verdict));
});

Deno.test("without enough earlier nights nothing is said of times", () => {
  const all = nights(1);
  const two = compareWithNights(all.slice(7, 9), all[9]!);
  match(metricOf(two, "baseline", "tpot")!.reason!, /^there are 2 earlier nights; 3 are needed$/);
  equal(two.summary.worse, 0);
  const bitEqual = nights(1, { commits: 0 });
  equal(metricOf(compareWithNights([bitEqual[8]!], bitEqual[9]!), "baseline", "perplexity")!.verdict, "same");
  const none = compareWithNights([], all[9]!);
  deepEqual([none.cells.length, none.only_b.length], [0, 8]);
});

Deno.test("nights on other hardware do not count, and missing cells are told", () => {
  const all = nights(1);
  for (const [{ results }] of all.slice(0, 9) as [FoundResults][]) {
    results.environment.cpu = { model: "Another CPU", cores: 8 };
  }
  const other = lastOf(all);
  deepEqual([other.cells.length, other.only_a.length, other.only_b.length], [0, 8, 8]);
  const fewer = nights(1);
  fewer[9]![0]!.results.configurations.pop();
  deepEqual(lastOf(fewer).only_a.map(({ terms }) => terms.name), ["streaming_448"]);
});

Deno.test("likelihoods that differ from an earlier night's of the same build are told", () => {
  const all = nights(1, { commits: 0 });
  equal(lastOf(all).summary.not_reproducible, 0);
  all[9]![0]!.results.raw_results[0]!.nll[0]! += 1e-12;
  const comparison = lastOf(all);
  equal(comparison.summary.not_reproducible, 1);
  match(comparison.cells[0]!.notes.join("\n"), /likelihoods differ from an earlier night's/);
  equal(comparison.summary.worse, 0);
});

Deno.test("a configuration that fails tonight is worse", () => {
  const all = nights(1);
  const { results } = all[9]![0]!;
  results.configurations[3]!.status = "failed";
  results.failures.push({ method: results.configurations[3]!.name, reason: "Out of memory", log: "", code: 1 });
  const found = metricOf(lastOf(all), results.configurations[3]!.name, "status")!;
  deepEqual([found.verdict, found.reason], ["worse", "it fails now: Out of memory"]);
});

Deno.test("a night of several runs is one night", () => {
  // Each configuration in a file of its own with a copy of the baseline, as a sweep's cells are.
  const split = nights(1).map((night, index) => {
    const { results } = night[0]!;
    return results.configurations.slice(1).map((record) => ({
      file: `${index} ${record.name}`,
      results: {
        ...results,
        configurations: results.configurations.filter(({ name }) => name === "baseline" || name === record.name),
      },
    }));
  });
  deepEqual(verdictsOf(lastOf(split)), verdictsOf(lastOf(nights(1))));
});

function verdictsOf({ cells }: ComparisonOfSets): string[] {
  return cells.flatMap(({ terms, metrics }) =>
    metrics.map(({ metric, verdict, effect }) => `${terms.name} ${metric} ${verdict} ${effect?.low.toFixed(9)}`)
  ).sort();
}
