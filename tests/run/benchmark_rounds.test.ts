/** Rounds of speed passes in real runs: intervals, one pass alone, failures, time limits. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { methods } from "../../lib/policies/registry.ts";
import { readResults, writeResults } from "../../lib/report/results/results_file.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import type { ProgressEvent } from "../../lib/run/progress_event.ts";
import { type BenchmarkOptions, runBenchmark } from "../../lib/run/benchmark.ts";
import { speedTurns } from "../../lib/run/rounds.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { processes } from "../bench/_processes.ts";

const baseline = { name: "baseline", policy: methods.baseline() };
const streaming = { name: "streaming", policy: methods.streaming_llm({ start_size: 4, recent_size: 20 }) };
const tova = { name: "tova", policy: methods.tova({ cache_size: 30 }) };
const small = {
  configurations: [baseline, streaming],
  device: "cpu",
  num_samples: 2,
  max_tokens: 60,
  prompt_tokens: 40,
  max_new_tokens: 4,
  num_warmup: 0,
  skip_layers: [],
  output: null,
} as const satisfies BenchmarkOptions;

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const near = (a: number, b: number, what?: string) =>
  ok(Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(b)), `${what}: ${a}, ${b}`);
const turnsOf = ({ speed_runs }: BenchmarkResults, names: readonly string[]) =>
  speed_runs!.map(({ method, round, place, sample }) => ({
    configuration: names.indexOf(method),
    round,
    place,
    sample,
  }));

/** The events of a run that begin a process. */
const starts = (events: readonly ProgressEvent[]) =>
  events.filter(({ phase }) => phase === "load").map(({ pass, round, configuration }) =>
    `${pass}${round === undefined ? "" : ` ${round}`} of ${configuration}`
  );

Deno.test("a run measures speed in rounds, each in another order, and tells how configurations compare with the baseline", async () => {
  const events: ProgressEvent[] = [];
  const { results } = await runBenchmark({ ...small, repetitions: 3, onProgress: (event) => events.push(event) });
  const { raw_results, speed_runs, comparisons, drift, evicted_from, config, configurations } = results;
  deepEqual([config.repetitions, config.passes, results.schema], [3, "both", 2]);
  const names = configurations.map(({ name }) => name);
  const turns = speedTurns({ configurations: 2, repetitions: 3, samples: 2, seed: 0 });
  deepEqual(
    turnsOf(results, names),
    turns.map(({ samples: [sample], ...turn }) => ({ ...turn, sample })),
  );
  deepEqual(starts(events), [
    ...turns.map(({ round, configuration }) => `speed ${round} of ${names[configuration]}`),
    ...names.map((name) => `quality of ${name}`),
  ]);

  // The first sample is measured twice, the second once.
  for (const raw of raw_results) {
    const own = speed_runs!.filter(({ method, sample }) => method === raw.method && sample === raw.sample);
    equal(own.length, raw.sample === 0 ? 2 : 1);
    for (const figure of ["ttft", "tpot", "throughput"] as const) {
      near(raw[figure], mean(own.map((run) => run[figure])), figure); // the median of two, or of one
    }
    ok(own.some(({ step_times_s }) => `${step_times_s}` === `${raw.step_times_s}`));
    for (const run of own) {
      near(run.tpot, mean(run.step_times_s));
      ok(run.ttft > 0 && run.memory.phases!.load.host_rss > 0);
    }
  }

  const { time, quality } = comparisons!["streaming"]!;
  deepEqual(Object.keys(comparisons!), ["streaming"]);
  deepEqual([time!.rounds, time!.by, quality!.texts], [3, "t", 1]);
  for (const figure of ["ttft", "tpot", "throughput"] as const) {
    const logs = [0, 1, 2].map((round) => {
      const of = (name: string) => speed_runs!.find((run) => run.method === name && run.round === round)![figure];
      return Math.log(of("streaming") / of("baseline"));
    });
    const { estimate, low, high, confidence } = time![figure];
    near(estimate, Math.exp(mean(logs)), figure);
    ok(low <= estimate && estimate <= high && confidence === 0.95);
  }
  // 24 entries are kept, so the first step that sees fewer than all is that of the 26th token.
  equal(evicted_from, 25);
  const nll = (name: string, from = 0) =>
    raw_results.filter(({ method }) => method === name).flatMap((raw) => raw.nll.slice(from));
  near(quality!.ln_ppl_ratio.estimate, mean(nll("streaming")) - mean(nll("baseline")));
  near(quality!.ln_ppl_ratio_evicted!.estimate, mean(nll("streaming", 25)) - mean(nll("baseline", 25)));
  const right = (name: string) => mean(raw_results.filter((raw) => raw.method === name).flatMap((raw) => raw.right!));
  near(quality!.accuracy.estimate, right("streaming") - right("baseline"));
  for (const raw of raw_results) near(mean(raw.right!), raw.accuracy);

  const tpot = (name: string) =>
    [0, 1, 2].map((at) => speed_runs!.find((run) => run.method === name && run.round === at)!.tpot);
  const relative = names.map((name) => tpot(name).map((each) => each / tpot(name).toSorted((a, b) => a - b)[1]!));
  drift!.tpot.forEach((value, round) => near(value, mean(relative.map((of) => of[round]!))));
});

/** Results as a reader of the file sees them. */
async function reread(results: BenchmarkResults): Promise<BenchmarkResults> {
  await using folder = new TemporaryFolder();
  await writeResults(folder.path, results);
  return await readResults(folder.path);
}

Deno.test('with passes "speed" there is no quality pass, and from six rounds on ranks make the intervals', async () => {
  const events: ProgressEvent[] = [];
  const done: string[] = [];
  const { results } = await runBenchmark({
    ...small,
    passes: "speed",
    num_samples: 1,
    repetitions: 6,
    onProgress: (event) => events.push(event),
    onConfiguration: (_, name) => done.push(name),
  });
  deepEqual(new Set(events.map(({ pass }) => pass)), new Set(["speed"]));
  deepEqual([events.at(-1)!.share, starts(events).length], [1, 12]);
  deepEqual([done.toSorted(), results.failures], [["baseline", "streaming"], []]);
  deepEqual(results.configurations.map(({ status }) => status), ["done", "done"]);
  for (const each of [results, await reread(results)]) {
    equal(each.speed_runs!.length, 12);
    for (const raw of each.raw_results) {
      ok(raw.tpot > 0 && raw.ttft > 0 && raw.step_times_s.length === 3 && raw.memory !== undefined);
      deepEqual([raw.perplexity, raw.accuracy, raw.final_cache_size, raw.nll], [NaN, NaN, NaN, []]);
    }
    ok(each.aggregated_stats["streaming"]!.throughput > 0);
    const { time, ...others } = each.comparisons!["streaming"]!;
    deepEqual([time!.rounds, time!.by, time!.tpot.confidence, others], [6, "wilcoxon", 0.96875, {}]);
    equal(each.drift!.tpot.length, 6);
  }
});

Deno.test('with passes "quality" there is no speed pass, and quality is the same', async () => {
  const events: ProgressEvent[] = [];
  const both = await runBenchmark({ ...small, repetitions: 1 });
  const { results } = await runBenchmark({
    ...small,
    passes: "quality",
    onProgress: (event) => events.push(event),
  });
  deepEqual(starts(events), ["quality of baseline", "quality of streaming"]);
  equal(events.at(-1)!.share, 1);
  deepEqual(results.failures, []);
  for (const each of [results, await reread(results)]) {
    deepEqual([each.speed_runs, each.drift], [[], null]);
    deepEqual(
      each.raw_results.map(({ nll, right, perplexity }) => [nll, right, perplexity]),
      both.results.raw_results.map(({ nll, right, perplexity }) => [nll, right, perplexity]),
    );
    for (const { tpot, ttft, peak_vram_gb } of each.raw_results) {
      deepEqual([tpot, ttft, peak_vram_gb], [NaN, NaN, null]);
    }
    deepEqual(each.comparisons, { streaming: { quality: both.results.comparisons!["streaming"]!.quality } });
  }
});

Deno.test("a configuration that fails in a round has no more turns, and the others go on", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const events: ProgressEvent[] = [];
  const killed: Promise<void>[] = [];
  const { results, interrupted } = await runBenchmark({
    ...small,
    configurations: [baseline, streaming, tova],
    repetitions: 3,
    onProgress: (event) => {
      const { configuration, phase, pass, round } = event;
      events.push(event);
      if (configuration !== "streaming" || phase !== "load" || pass !== "speed" || round !== 1) return;
      if (killed.length === 0) killed.push(childNow().then((child) => Deno.kill(child, "SIGKILL")));
    },
  });
  await Promise.all(killed);
  equal(interrupted, false);
  const names = ["baseline", "streaming", "tova"];
  const turns = speedTurns({ configurations: 3, repetitions: 3, samples: 2, seed: 0 });
  deepEqual(starts(events), [
    ...turns.filter(({ configuration, round }) => configuration !== 1 || round < 2)
      .map(({ round, configuration }) => `speed ${round} of ${names[configuration]}`),
    "quality of baseline",
    "quality of tova",
  ]);
  deepEqual(results.configurations.map(({ status }) => status), ["done", "failed", "done"]);
  const [failure, ...others] = results.failures;
  deepEqual([failure!.method, failure!.code, failure!.quality, others], ["streaming", 137, undefined, []]);
  // Its finished pass stays on record.
  deepEqual(
    turnsOf(results, names),
    turns.filter(({ configuration, round }) => configuration !== 1 || round < 1)
      .map(({ samples: [sample], ...turn }) => ({ ...turn, sample })),
  );
  deepEqual(results.raw_results.map(({ method, sample }) => `${method} ${sample}`), [
    ...["baseline 0", "baseline 1", "tova 0", "tova 1"],
  ]);
  deepEqual(Object.keys(results.comparisons!), ["tova"]);
  equal(results.comparisons!["tova"]!.time!.rounds, 3);
  // The last event is of the last pass: what is skipped counts as done.
  equal(events.at(-1)!.share, 1);
});

Deno.test("--timeout is each process's: a configuration may take longer in all", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const [timeout, pause] = [7, 4];
  const began = performance.now();
  const paused: Promise<void>[] = [];
  const { results } = await runBenchmark({
    ...small,
    configurations: [baseline],
    num_samples: 1,
    repetitions: 2,
    passes: "speed",
    timeout,
    onProgress: ({ phase, round }) => {
      if (phase === "load" && round === paused.length) paused.push(pauseChild(pause));
    },
  });
  await Promise.all(paused);
  ok(performance.now() - began > 1000 * timeout, "it took longer in all");
  deepEqual([results.failures, results.speed_runs!.length], [[], 2]);
});

Deno.test(
  "a configuration that used up its time has failed; a resumed run keeps that with keep_failed, else tries again",
  {
    ignore: Deno.build.os !== "linux",
  },
  async () => {
    await using folder = new TemporaryFolder();
    const options = {
      ...small,
      configurations: [baseline],
      num_samples: 1,
      passes: "quality",
      output: folder.path,
    } as const;
    const stopped: Promise<void>[] = [];
    const first = await runBenchmark({
      ...options,
      configuration_timeout: 1,
      onProgress: ({ phase }) => {
        // A process that stands still: it takes too long on any machine.
        if (phase === "load" && stopped.length === 0) stopped.push(childNow().then((pid) => Deno.kill(pid, "SIGSTOP")));
      },
    });
    await Promise.all(stopped);
    const reasons = ({ results }: { results: BenchmarkResults }) => results.failures.map(({ reason }) => reason);
    deepEqual(reasons(first), ["its processes took over 1 s together (--configuration_timeout)"]);
    const resume = first.folder!;
    let began = 0;
    const kept = await runBenchmark({ ...options, resume, keep_failed: true, onProgress: () => began++ });
    deepEqual([reasons(kept), began], [reasons(first), 0]);
    const spent = await runBenchmark({ ...options, resume, configuration_timeout: 1 });
    deepEqual(reasons(spent), reasons(first), "the time before counts");
    const again = await runBenchmark({ ...options, resume });
    deepEqual([reasons(again), again.results.raw_results.length], [[], 1]);
  },
);

/** Stops the process that measures for some seconds. */
async function pauseChild(seconds: number): Promise<void> {
  const child = await childNow();
  Deno.kill(child, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  Deno.kill(child, "SIGCONT");
}

/** Returns the process that measures now. */
async function childNow(): Promise<number> {
  return (await processes()).find(({ parent, command }) => parent === Deno.pid && /child_main\.ts/.test(command))!.pid;
}
