/** Verdicts of `compareSets()` on results whose differences are planted. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { cellsOf } from "../../lib/study/compare/cells.ts";
import { compareSets, exitCodeOf } from "../../lib/study/compare/compare_sets.ts";
import { formatComparison } from "../../lib/study/compare/format_comparison.ts";
import type { ComparisonOfSets, MetricComparison, MetricName } from "../../lib/study/compare/types.ts";
import type { FoundResults } from "../../lib/study/find_results.ts";
import { inventHeld, inventResults, inventSample } from "../report/_invent.ts";
import { inventNights, type NightsWorld, WORLD } from "./_nights.ts";

/** A machine that does not change, and code that does not either. */
const QUIET: NightsWorld = {
  ...WORLD,
  rows: 3,
  rounds: 4,
  drift: 0,
  roundDrift: 0,
  rowDrift: 0,
  noise: 0.002,
  commits: 0,
};

const at = (results: BenchmarkResults, file = "results.json"): FoundResults => ({ file, results });

/** Two runs that differ in chance alone. */
function twoRuns(world: Partial<NightsWorld> = {}, seed = 1): [BenchmarkResults, BenchmarkResults] {
  const [a, b] = inventNights(seed, 2, { ...QUIET, ...world });
  return [a!, b!];
}

function metricOf(comparison: ComparisonOfSets, name: string, metric: MetricName): MetricComparison | undefined {
  return comparison.cells.find(({ terms }) => terms.name === name)?.metrics.find((each) => each.metric === metric);
}

/** Changes a row's times. */
function slower(results: BenchmarkResults, name: string, factor: number): void {
  for (const run of results.speed_runs!) if (run.method === name) run.tpot *= factor;
}

/** Adds to a row's likelihoods, by step. */
function worsen(results: BenchmarkResults, name: string, of: (step: number, sample: number) => number): void {
  for (const raw of results.raw_results) {
    if (raw.method === name) raw.nll = raw.nll.map((value, step) => value + of(step, raw.sample));
  }
}

Deno.test("runs that differ in chance alone are the same, and quality is bit-equal", () => {
  const [a, b] = twoRuns();
  const comparison = compareSets([at(a)], [at(b)], { drift: 0 });
  deepEqual(comparison.summary, {
    worse: 0,
    better: 0,
    same: comparison.summary.same,
    unknown: 0,
    not_reproducible: 0,
  });
  equal(comparison.cells.length, 4);
  equal(metricOf(comparison, "streaming_64", "perplexity")!.reason, "bit-equal");
  ok(comparison.cells.every(({ is_reproducible }) => is_reproducible === true));
  equal(exitCodeOf(comparison.summary), 0);
});

Deno.test("a row that is 10 % slower is worse, and the others are not", () => {
  const [a, b] = twoRuns();
  slower(b, "streaming_128", 1.1);
  const comparison = compareSets([at(a)], [at(b)], { drift: 0 });
  const found = metricOf(comparison, "streaming_128", "tpot")!;
  equal(found.verdict, "worse");
  ok(found.is_ratio && found.effect!.low > 0.08 && found.effect!.high < 0.11);
  equal(comparison.summary.worse, 1);
  equal(exitCodeOf(comparison.summary), 3);
  const back = compareSets([at(b)], [at(a)], { drift: 0 });
  equal(metricOf(back, "streaming_128", "tpot")!.verdict, "better");
  equal(exitCodeOf(back.summary), 0);
  // A change that is shown, and smaller than what matters.
  const [, c] = twoRuns();
  slower(c, "streaming_128", 1.02);
  equal(metricOf(compareSets([at(a)], [at(c)]), "streaming_128", "tpot")!.verdict, "same");
  equal(metricOf(compareSets([at(a)], [at(c)], { min_time: 0.005 }), "streaming_128", "tpot")!.verdict, "worse");
});

Deno.test("a machine that is slower for all changes no ratio, and its own times are unknown", () => {
  const [a, b] = twoRuns();
  for (const name of ["baseline", "streaming_64", "streaming_128", "streaming_192"]) slower(b, name, 1.1);
  const comparison = compareSets([at(a)], [at(b)]);
  equal(comparison.summary.worse, 0);
  equal(metricOf(comparison, "streaming_64", "tpot")!.verdict, "same");
  equal(metricOf(comparison, "baseline", "tpot")!.verdict, "unknown");
  // Made in turns on one machine, the same figures are a finding.
  equal(metricOf(compareSets([at(a)], [at(b)], { drift: 0 }), "baseline", "tpot")!.verdict, "worse");
});

Deno.test("a machine whose speed changes from round to round does not widen the interval of ratios", () => {
  const [a, b] = twoRuns({ roundDrift: 0.2 });
  for (const name of ["streaming_64", "streaming_128", "streaming_192"]) {
    equal(metricOf(compareSets([at(a)], [at(b)]), name, "tpot")!.verdict, "same");
  }
});

Deno.test("without a baseline times are compared as they are", () => {
  const [a, b] = twoRuns();
  for (const results of [a, b]) delete results.aggregated_stats["baseline"];
  slower(b, "streaming_64", 1.5);
  const found = metricOf(compareSets([at(a)], [at(b)]), "streaming_64", "tpot")!;
  equal(found.is_ratio, false);
  equal(found.verdict, "worse");
});

Deno.test("from three runs on each side, the runs' own spread is the unit", () => {
  const runs = (seed: number) =>
    inventNights(1, 6, { ...QUIET, drift: 0.05, roundDrift: 0, noise: 0.001 }).slice(seed, seed + 3);
  const found = metricOf(
    compareSets(runs(0).map((each, i) => at(each, `${i}`)), runs(3).map((each, i) => at(each, `${i}`))),
    "baseline",
    "tpot",
  )!;
  equal(found.effect!.by, "welch");
  ok(found.effect!.high - found.effect!.low > 0.05, "the spread of three runs is that of the machine");
  equal(found.verdict, "unknown");
});

Deno.test("many rounds are compared by ranks", () => {
  const [a, b] = twoRuns({ rounds: 12 });
  slower(b, "streaming_64", 1.1);
  const found = metricOf(compareSets([at(a)], [at(b)]), "streaming_64", "tpot")!;
  deepEqual([found.effect!.by, found.verdict], ["mann-whitney", "worse"]);
});

Deno.test("0.1 % in perplexity is found where it is in all of the text, and unknown where a few tokens have it", () => {
  const [a, b] = twoRuns({ commits: 1 });
  worsen(b, "streaming_64", () => 0.001);
  worsen(b, "streaming_128", (step) => step === 3 ? 0.096 : 0);
  const comparison = compareSets([at(a)], [at(b)]);
  equal(metricOf(comparison, "streaming_64", "perplexity")!.verdict, "worse");
  equal(metricOf(comparison, "streaming_128", "perplexity")!.verdict, "unknown");
  equal(metricOf(comparison, "streaming_192", "perplexity")!.verdict, "same");
  equal(comparison.summary.not_reproducible, 0);
});

Deno.test("on the build, model, text and hardware of before, any change of a likelihood is told", () => {
  const [a, b] = twoRuns();
  worsen(b, "streaming_64", (step) => step === 5 ? 1e-15 : 0);
  // One unit in the last place of about 3.
  worsen(b, "streaming_64", (step) => step === 5 ? 4e-16 : 0);
  const comparison = compareSets([at(a)], [at(b)]);
  equal(comparison.summary.not_reproducible, 1);
  equal(comparison.summary.worse, 0);
  equal(exitCodeOf(comparison.summary), 3);
  const cell = comparison.cells.find(({ terms }) => terms.name === "streaming_64")!;
  match(cell.notes.join("\n"), /likelihoods differ though build, model, text, hardware and settings are the same/);
  // On anything else it may.
  const changes: ((results: BenchmarkResults) => void)[] = [
    ({ environment }) => environment.code_sha256 = "1".repeat(64),
    ({ environment }) => environment.code_sha256 = environment.git_commit = null,
    ({ environment }) => environment.onnxruntime = "2.0",
    ({ environment }) => environment.cpu = { model: "Another CPU", cores: 8 },
    ({ environment }) => environment.model_sha256 = { "config.json": "1" },
    ({ configurations }) => configurations.forEach((record) => record.attention = "explicit"),
    ({ config }) => config.seed = 7,
  ];
  for (const change of changes) {
    const other = structuredClone(b);
    change(other);
    const before = structuredClone(a);
    if (other.environment.git_commit === null) change(before);
    equal(compareSets([at(before)], [at(other)]).summary.not_reproducible, 0, `${change}`);
  }
});

Deno.test("six texts are compared by Wilcoxon's ranks", () => {
  const texts = (shift: number) => {
    const steps = (sample: number) => Array.from({ length: 30 }, (_, i) => 3 + Math.sin(i + sample));
    const results = inventResults({
      baseline: Array.from(
        { length: 8 },
        (_, sample) => ({ nll: steps(sample).map((each) => each + shift * (1 + sample / 8)) }),
      ),
    }, { texts: 8, num_samples: 8 });
    results.environment.code_sha256 = `${shift}`;
    return at(results);
  };
  const found = metricOf(compareSets([texts(0)], [texts(0.002)]), "baseline", "perplexity")!;
  deepEqual([found.effect!.by, found.verdict], ["wilcoxon", "worse"]);
  equal(found.effect!.p, 2 / 256);
});

Deno.test("samples of other tokens are not compared", () => {
  const [a, b] = twoRuns();
  b.environment.text_sha256 = "another";
  const found = metricOf(compareSets([at(a)], [at(b)]), "baseline", "perplexity")!;
  deepEqual([found.verdict, found.reason], ["unknown", "no sample has the same tokens"]);
  // By their own hashes, where both have them.
  a.environment.samples_sha256 = ["0", "1"];
  b.environment.samples_sha256 = ["0", "2"];
  equal(metricOf(compareSets([at(a)], [at(b)]), "baseline", "perplexity")!.verdict, "same");
});

Deno.test("what fails now is worse, what was interrupted is not compared", () => {
  const [a, b] = twoRuns();
  const fail = (results: BenchmarkResults, name: string, reason: string) => {
    results.configurations.find((record) => record.name === name)!.status = "failed";
    results.failures.push({ method: name, reason, log: "", code: 1 });
  };
  fail(b, "streaming_64", "Out of memory");
  fail(b, "streaming_128", "interrupted");
  const comparison = compareSets([at(a)], [at(b)]);
  const status = metricOf(comparison, "streaming_64", "status")!;
  deepEqual([status.verdict, status.reason], ["worse", "it fails now: Out of memory"]);
  equal(exitCodeOf(comparison.summary), 3);
  deepEqual(comparison.only_a.map(({ terms }) => terms.name), ["streaming_128"]);
  equal(metricOf(compareSets([at(b)], [at(a)]), "streaming_64", "status")!.verdict, "better");
  equal(metricOf(compareSets([at(b)], [at(b)]), "streaming_64", "status")!.verdict, "same");
});

Deno.test("a perplexity that is no number any more is worse", () => {
  const [a, b] = twoRuns({ commits: 1 });
  worsen(b, "streaming_64", (step) => step === 3 ? NaN : 0);
  b.aggregated_stats["streaming_64"]!.perplexity = NaN;
  const found = metricOf(compareSets([at(a)], [at(b)]), "streaming_64", "perplexity")!;
  deepEqual([found.verdict, found.reason], ["worse", "it is not finite now"]);
});

Deno.test("memory: bytes held are exact, the peak may move by a hundredth", () => {
  const [a, b] = twoRuns();
  for (const [results, factor] of [[a, 1], [b, 1.001]] as const) {
    for (const record of results.configurations) {
      const held = inventHeld({ mean_kv_bytes: 2 ** 20 * factor });
      record.held = { speed: held, quality: held };
      results.aggregated_stats[record.name]!.peak_vram_gb =
        (record.name === "streaming_64" ? 2 + 20 * (factor - 1) : 2) * factor;
    }
  }
  const comparison = compareSets([at(a)], [at(b)]);
  equal(metricOf(comparison, "baseline", "kv_bytes")!.verdict, "worse");
  equal(metricOf(comparison, "baseline", "vram")!.verdict, "same");
  equal(metricOf(comparison, "streaming_64", "vram")!.verdict, "worse");
  equal(metricOf(comparison, "baseline", "vram")!.p_adjusted, null);
});

Deno.test("results of schema 1 are compared: quality in full, times without a spread", () => {
  const old = () =>
    at(inventResults({ baseline: [{}, {}], streaming_256: [{ nll: [3.7, 3.9] }, { nll: [3.6, 3.8] }] }));
  const comparison = compareSets([old()], [old()]);
  equal(metricOf(comparison, "streaming_256", "perplexity")!.verdict, "same");
  const tpot = metricOf(comparison, "streaming_256", "tpot")!;
  deepEqual([tpot.verdict, tpot.reason], ["unknown", "a single measurement has no spread"]);
  // Nothing says that the build is the same.
  ok(comparison.cells.every(({ is_reproducible }) => is_reproducible === null));
});

Deno.test("cells are matched by terms; other machines are told", () => {
  const [a, b] = twoRuns();
  b.environment.cpu = { model: "Another CPU", cores: 4 };
  b.environment.host = "node2";
  const [cell] = compareSets([at(a)], [at(b)]).cells;
  match(cell!.notes[0]!, /^changed: hardware Invented CPU, 8 cores → Another CPU, 4 cores, host node1 → node2$/);
  // With both kinds of hardware on a side, each is compared with its own.
  const both = compareSets([at(a), at(b)], [at(b), at(a)]);
  equal(both.cells.length, 8);
  ok(both.cells.every(({ a, b }) => a.hardware === b.hardware));
  const [c] = twoRuns();
  c!.config.prompt_tokens = 777;
  throws(() => compareSets([at(a)], [at(c!)]), {
    name: "InputError",
    message: "Cannot compare: no cell is on both sides; the nearest two differ in prompt_tokens 128 → 777",
  });
  throws(() => compareSets([at(a)], [at(inventResults({ baseline: "" }))]), {
    message: /the second side has no measured/,
  });
});

Deno.test("of several builds on a side the newest counts; copies of a baseline count once", () => {
  const nights = inventNights(1, 4, { ...QUIET, commits: 1 }).map((results, i) => at(results, `${i}`));
  const [cell] = cellsOf(nights.toReversed());
  deepEqual(cell!.runs.map(({ file }) => file), ["3"]);
  equal(cell!.leftOut, 3);
  const same = inventNights(1, 4, QUIET).map((results, i) => at(results, `${i}`));
  equal(cellsOf(same)[0]!.runs.length, 4);
  equal(cellsOf([...same, ...same.map(({ results }) => at(results, "copy"))])[0]!.runs.length, 4);
});

Deno.test("tables fit 80 columns, Markdown is a table, JSON is the whole", () => {
  const [a, b] = twoRuns({ commits: 1 });
  slower(b, "streaming_128", 1.1);
  const comparison = compareSets([at(a)], [at(b)], { drift: 0 });
  for (const all of [true, false]) {
    const lines = formatComparison(comparison, "table", { all, width: 80 }).split("\n");
    for (const line of lines) ok(line.length <= 80, line);
    equal(lines.filter((line) => / worse$/.test(line)).length, 1);
    equal(lines.some((line) => / same$/.test(line)), all);
    ok(lines.includes("streaming_128"));
  }
  const markdown = formatComparison(comparison, "md", { all: false, width: 80 });
  match(markdown, /^\*\*1 worse, 0 better, \d+ same, 0 unknown in 4 cells\*\*\n/);
  match(markdown, /\n\| streaming_128 \| TPOT \| 1\.\d+x \| 1\.\d+x \| \+\d+\.\d % \| \\\[\+\d.*\\\] \| worse \|\n/);
  deepEqual(JSON.parse(formatComparison(comparison, "json", { all: false, width: 80 })).summary, comparison.summary);
  // A name from a file is data.
  const strange = at(inventResults({ "a\x1b[2J": [inventSample("a")] }));
  ok(!formatComparison(compareSets([strange], [strange]), "table", { all: true, width: 80 }).includes("\x1b"));
});
