/** A run that is ended and resumed again and again, at every place. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { methods } from "../../lib/policies/registry.ts";
import { readResults } from "../../lib/report/results/results_file.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { type BenchmarkOptions, runBenchmark } from "../../lib/run/benchmark.ts";
import { speedTurns } from "../../lib/run/rounds.ts";
import { TemporaryFolder } from "../bench/_bench.ts";

const NAMES = ["baseline", "streaming"];
/** More samples than rounds: a process may end in the middle of its turn, too. */
const counts = { num_samples: 3, repetitions: 2 };
const options: BenchmarkOptions = {
  ...counts,
  configurations: [
    { name: "baseline", policy: methods.baseline() },
    { name: "streaming", policy: methods.streaming_llm({ start_size: 2, recent_size: 6 }) },
  ],
  device: "cpu",
  max_tokens: 24,
  prompt_tokens: 12,
  max_new_tokens: 3,
  num_warmup: 0,
  seed: 5,
  // Otherwise the full cache would be read again each time, to be compared with: see reference_run.test.ts.
  divergence: false,
};

/** Every pass of the run, in its order. */
const ALL = [
  ...speedTurns({ configurations: 2, repetitions: 2, samples: 3, seed: 5 }).flatMap((
    { round, configuration, samples },
  ) => samples.map((sample) => `speed of ${NAMES[configuration]} ${sample} in round ${round}`)),
  ...NAMES.flatMap((name) => [0, 1, 2].map((sample) => `quality of ${name} ${sample}`)),
];

/** The passes that results.json has, each with what was measured. */
function passesIn({ speed_runs, raw_results, failures }: BenchmarkResults): Map<string, unknown> {
  const quality = [...raw_results, ...failures.flatMap(({ quality = [] }) => quality)];
  const found = [
    ...speed_runs!.map((run) => [`speed of ${run.method} ${run.sample} in round ${run.round}`, run] as const),
    ...quality.map(({ method, sample, nll, right }) => [`quality of ${method} ${sample}`, { nll, right }] as const),
  ];
  equal(new Set(found.map(([name]) => name)).size, found.length, "no pass is there twice");
  return new Map<string, unknown>(found);
}

/** Runs until the first pass is finished and the next one begins. Returns the passes that began. */
async function runOnePass(more: Partial<BenchmarkOptions>) {
  const end = new AbortController();
  const began: string[] = [];
  const run = await runBenchmark({
    ...options,
    ...more,
    signal: end.signal,
    onProgress: ({ configuration, pass, phase, round, sample, done }) => {
      if (phase === pass && done === 0) {
        began.push(`${pass} of ${configuration} ${sample}${pass === "speed" ? ` in round ${round}` : ""}`);
      }
      if (phase === "load" ? began.length > 0 : began.length > 1) end.abort();
    },
  });
  return { ...run, began };
}

Deno.test("a run that is ended after every pass and resumed makes each pass once, and is as whole as one in a piece", async () => {
  await using temporary = new TemporaryFolder();
  const { folder, began: first } = await runOnePass({ output: temporary.path });
  equal(first[0], ALL[0]);
  let saved = passesIn(await readResults(folder!));
  let resumes = 0;
  for (; saved.size < ALL.length; resumes++) {
    const missing = ALL.filter((pass) => !saved.has(pass));
    deepEqual([...saved.keys()].sort(), ALL.slice(0, saved.size).sort());
    const { began, results } = await runOnePass({ resume: folder! });
    // What began may have been ended before it was finished.
    deepEqual(began, missing.slice(0, began.length));
    const now = passesIn(await readResults(folder!));
    ok(now.size > saved.size && now.size <= saved.size + began.length, `${now.size} after ${saved.size}`);
    for (const [pass, figures] of saved) deepEqual(now.get(pass), figures, pass);
    deepEqual(passesIn(results), now);
    saved = now;
  }
  const resumed = await readResults(folder!);
  equal(resumed.config.resumed?.length, resumes);
  // Nothing is left to do.
  const { began, results: again } = await runOnePass({ resume: folder! });
  deepEqual([began, passesIn(again)], [[], saved]);
  equal(again.config.resumed?.length, resumes);

  const { results: whole } = await runBenchmark({ ...options, output: null });
  const told = (
    { raw_results, speed_runs, configurations, failures, evicted_from, comparisons }: BenchmarkResults,
  ) => ({
    turns: speed_runs!.map(({ method, round, place, sample }) => ({ method, round, place, sample })),
    quality: raw_results.map(({ method, sample, perplexity, nll, right }) => ({
      method,
      sample,
      perplexity,
      nll,
      right,
    })),
    compared: comparisons!["streaming"]!.quality,
    rounds: comparisons!["streaming"]!.time!.rounds,
    // Marks are of the machine's state.
    configurations: configurations.map(({ marks: _, doubts: __, process_s: ___, ...record }) => record),
    failures,
    evicted_from,
  });
  deepEqual(told(resumed), told(whole));
});
