/** Resuming a run that ended early. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { join } from "@std/path";
import { methods } from "../../lib/policies/registry.ts";
import { readResults, writeResults } from "../../lib/report/results/results_file.ts";
import type { SpeedRun } from "../../lib/report/results/spread_types.ts";
import type { BenchmarkResults, QualitySample, RawResult } from "../../lib/report/results/types.ts";
import { runBenchmark } from "../../lib/run/benchmark.ts";
import { Bench, bench, project, TemporaryFolder, tiny } from "./_bench.ts";

// Otherwise each resume reads the full cache again, to compare with it: see reference_run.test.ts.
const quick = [...tiny, "--recent_sizes", "12", "--no_recent_only", "--no_divergence"];

/** Makes a whole run by the command line; returns its folder and results. */
async function wholeRun(output: string, more: readonly string[] = []) {
  const { code, stdout, stderr } = await bench([...quick, "--output", output, ...more]);
  equal(code, 0, stderr);
  const folder = /^Results: (.*)\/results\.json$/m.exec(stderr)![1]!;
  return { folder, results: await readResults(folder), stdout };
}

/** Quality alone of a sample. */
function qualityOf({ entries_copied, ...raw }: RawResult): QualitySample {
  const { method, sample, perplexity, accuracy, nll, right, final_cache_size, layer_cache_sizes, divergence } = raw;
  const figures = { method, sample, perplexity, accuracy, nll, right: right!, final_cache_size, layer_cache_sizes };
  return { ...figures, ...(divergence ? { divergence } : {}), entries_copied: entries_copied.quality };
}

/**
 * Cuts a whole run to one that ended after `finished` passes, as the file would be then: speed passes come first, then
 * quality by configuration.
 */
async function cut(folder: string, whole: BenchmarkResults, finished: number): Promise<void> {
  const { configurations, raw_results, speed_runs } = structuredClone(whole);
  const runs = speed_runs!.slice(0, finished);
  const quality = raw_results.slice(0, Math.max(0, finished - speed_runs!.length));
  const isDone = (name: string) => quality.filter(({ method }) => method === name).length === 2;
  await writeResults(folder, {
    ...whole,
    raw_results: quality.filter(({ method }) => isDone(method)),
    speed_runs: runs,
    aggregated_stats: {},
    baseline_stats: null,
    comparisons: {},
    drift: null,
    configurations: configurations.map((each) => isDone(each.name) ? each : { ...each, status: "not run" }),
    failures: configurations.map(({ name }) => name).filter((name) => !isDone(name)).flatMap((method) => {
      const own = quality.filter((raw) => raw.method === method).map(qualityOf);
      if (own.length === 0 && !runs.some((run) => run.method === method)) return [];
      return [{ method, reason: "interrupted", log: "", code: 0, ...(own.length > 0 ? { quality: own } : {}) }];
    }),
  });
}

const turnOf = ({ method, round, place, sample }: SpeedRun) => ({ method, round, place, sample });

/** What is the same whenever times are measured: marks are of the machine's state. */
const lasting = ({ configurations }: BenchmarkResults) =>
  configurations.map(({ marks: _, doubts: __, process_s: ___, ...record }) => record);

const figures = ({ raw_results }: BenchmarkResults) =>
  raw_results.map(({ method, sample, nll, perplexity, accuracy }) => ({ method, sample, nll, perplexity, accuracy }));

Deno.test("--resume measures what is missing and no more, wherever the run had ended, with the same figures", async () => {
  await using temporary = new TemporaryFolder();
  const { folder, results: whole } = await wholeRun(temporary.path);
  const all = whole.raw_results.map(({ method, sample }) => `${method} ${sample}`);
  const speed = whole.speed_runs!.length;
  deepEqual([speed, all.length], [4, 4]);
  // Before any pass, within a process of each kind, between the two kinds, and after the last pass.
  for (const finished of [0, 1, 4, 7, 8]) {
    const samples = Math.max(0, finished - speed);
    await cut(folder, whole, finished);
    await Deno.writeTextFile(join(folder, "results.json.999999-1.tmp"), "half");
    const { code, stdout, stderr } = await bench(["--resume", folder]);
    equal(code, 0, stderr);
    const measured = [...stderr.matchAll(/^\[\d\/2\] ([a-z_0-9]+), sample (\d)\/2: quality$/gm)];
    deepEqual(measured.map(([, name, sample]) => `${name} ${Number(sample) - 1}`), all.slice(samples), stderr);
    equal(/^round 1\/1: speed of 2 configurations$/m.test(stderr), finished < speed, stderr);
    match(stdout, /^baseline +0\.\d+[^]*^streaming_16 +0\.\d+/m);
    const results = await readResults(folder);
    deepEqual(figures(results), figures(whole));
    // Passes that were not made again are unchanged, times included; the others are as many as in a whole run.
    deepEqual(results.speed_runs!.slice(0, finished), whole.speed_runs!.slice(0, finished));
    deepEqual(results.speed_runs!.map(turnOf), whole.speed_runs!.map(turnOf));
    if (finished >= speed) {
      deepEqual(results.raw_results, whole.raw_results);
      deepEqual(results.comparisons, whole.comparisons);
    }
    deepEqual([results.failures, lasting(results)], [[], lasting(whole)]);
    // The time that the earlier run took counts too.
    ok(results.environment.duration_s! > whole.environment.duration_s!);
    const { duration_s: _, ...environment } = results.environment;
    const { duration_s: __, ...before } = whole.environment;
    deepEqual(environment, before);
    equal(results.config.timestamp, whole.config.timestamp);
    equal(results.config.resumed?.length, finished === 8 ? undefined : 1);
    ok(results.aggregated_stats.streaming_16 && results.baseline_stats);
    deepEqual(temporary.names(folder.split("/").at(-1)!), [
      "benchmark_comparison.png",
      "benchmark_comparison.svg",
      "results.json",
    ]);
  }
});

Deno.test("--resume tries failed configurations again, and accepts other output flags", async () => {
  await using temporary = new TemporaryFolder();
  const { folder, results: whole } = await wholeRun(temporary.path);
  const failed = structuredClone(whole);
  failed.configurations[0]!.status = "failed";
  failed.failures = [{
    method: "baseline",
    reason: "killed",
    log: "",
    code: 137,
    quality: [qualityOf(failed.raw_results.shift()!)],
  }];
  failed.raw_results.shift();
  await writeResults(folder, failed);
  const { code, stdout, stderr } = await bench(["--resume", folder, "--json"]);
  equal(code, 0, stderr);
  deepEqual(figures(JSON.parse(stdout)), figures(whole));
  // Only what had not been finished when it failed
  deepEqual(stderr.match(/^(round|.*: quality$).*$/gm), ["[1/2] baseline, sample 2/2: quality"]);
  const again = await bench(["--resume", folder, "--memory"]);
  equal(again.code, 0, again.stderr);
  match(again.stdout, /^Memory/m);
  ok(!/sample/.test(again.stderr), again.stderr);
});

Deno.test("--resume refuses other terms, each in a line", async () => {
  await using temporary = new TemporaryFolder();
  const model = join(temporary.path, "model");
  Deno.mkdirSync(model);
  for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) {
    Deno.copyFileSync(join(project, "lib/assets/novel-neox-8m", name), join(model, name));
  }
  const text = join(temporary.path, "text.txt");
  const words = Deno.readTextFileSync(join(project, "README.md")).repeat(2);
  Deno.writeTextFileSync(text, words);
  const output = join(temporary.path, "out");
  const { folder, results: whole } = await wholeRun(output, ["--model_id", model, "--dataset", text]);
  const refused = async (pattern: RegExp, args: readonly string[] = []) => {
    const before = Deno.readTextFileSync(join(folder, "results.json"));
    const { code, stdout, stderr } = await bench(["--resume", folder, ...args]);
    deepEqual([code, stdout], [2, ""], stderr);
    match(stderr, pattern);
    equal(
      stderr.trimEnd().split("\n").at(-1)!.startsWith(`Cannot resume ${folder}: it was measured on other terms: `),
      true,
    );
    ok(!/^ +at /m.test(stderr), stderr);
    equal(Deno.readTextFileSync(join(folder, "results.json")), before);
  };
  await refused(/max_tokens was 48, now 40;/, ["--max_tokens", "40"]);
  await refused(/seed was 0, now 1;/, ["--seed", "1"]);
  await refused(/configurations was baseline, streaming_16, now baseline, streaming_12/, ["--recent_sizes", "8"]);

  // Some bytes of the weights
  const weights = join(model, "model.safetensors");
  const change = () => {
    const bytes = Deno.readFileSync(weights);
    bytes[bytes.length - 1000]! ^= 1;
    Deno.writeFileSync(weights, bytes);
  };
  change();
  await refused(/fingerprint of model\.safetensors was [0-9a-f]{8}…, now [0-9a-f]{8}…/);
  change();
  Deno.writeTextFileSync(text, words.replace("a", "b"));
  await refused(/text was [0-9a-f]{8}…, now/);
  Deno.writeTextFileSync(text, words);

  const changes: [RegExp, (results: BenchmarkResults) => void][] = [
    [/code_sha256 was 00000000…, now/, ({ environment }) => environment.code_sha256 = "0".repeat(64)],
    [/git_commit was 00000000…, now/, ({ environment }) => environment.git_commit = "0".repeat(40)],
    [/kvcompress was 0\.0\.9, now/, ({ environment }) => environment.kvcompress = "0.0.9"],
    [/CPU was .*, now/, ({ environment }) => environment.cpu.model = "another"],
    [/GPU was NVIDIA H100, now null/, ({ environment }) => {
      const clocks_mhz = { sm: 1, memory: 1, max_sm: 1, max_memory: 1 };
      environment.gpu = {
        ...{
          name: "NVIDIA H100",
          index: 0,
          uuid: "GPU-1",
          driver: "580",
          cuda_driver: "13.0",
          memory_bytes: 1,
          clocks_mhz,
        },
      } as NonNullable<typeof environment.gpu>;
    }],
    [/configuration streaming_16 was/, ({ configurations }) => configurations[1]!.policy_sha256 = "0".repeat(64)],
  ];
  for (const [pattern, change] of changes) {
    const changed = structuredClone(whole);
    change(changed);
    await writeResults(folder, changed);
    await refused(pattern);
  }
  await writeResults(folder, whole);
  equal((await bench(["--resume", folder])).code, 0);
});

Deno.test("--resume of a folder that is not a run is refused in a line", async () => {
  await using temporary = new TemporaryFolder();
  const folder = join(temporary.path, "run");
  Deno.mkdirSync(folder);
  const refused = async (pattern: RegExp, at = folder) => {
    const { code, stdout, stderr } = await bench(["--resume", at]);
    deepEqual([code, stdout], [2, ""], stderr);
    // The header is printed before the whole file is checked.
    match(stderr, /^(kvcompress .*\n2 configurations: .*\n)?[^\n]{1,700}\n$/);
    match(stderr.trimEnd().split("\n").at(-1)!, pattern);
  };
  await refused(/^Cannot resume .*: it holds no results\.json; give the folder of an earlier run$/m);
  await refused(/^Cannot resume .*nowhere: /, join(temporary.path, "nowhere"));
  const { folder: whole } = await wholeRun(join(temporary.path, "out"));
  const text = Deno.readTextFileSync(join(whole, "results.json"));
  for (
    const [content, pattern] of [
      ["", /^Cannot read .*results\.json: it is not JSON/],
      [text.slice(0, text.length / 2), /^Cannot read .*results\.json: it is not JSON/],
      ["[]", /^Cannot read .*results\.json: /],
      ['{"name": "another program\'s"}', /^Cannot read .*results\.json: .*config/],
      [
        text.replace('"max_tokens": 48', '"max_tokens": "many"'),
        /^Cannot read .*results\.json: config\.max_tokens is "many"/,
      ],
      [text.replace(/"command": \[[^\]]*\]/, '"command": ["--unknown_flag"]'), /^Cannot read --unknown_flag/],
    ] as const
  ) {
    Deno.writeTextFileSync(join(folder, "results.json"), content);
    await refused(pattern);
  }
});

Deno.test("--resume of an earlier version's run is refused: nobody knows by which code it was measured", async () => {
  await using temporary = new TemporaryFolder();
  const { folder, results } = await wholeRun(temporary.path);
  delete results.environment.code_sha256;
  delete results.environment.weights_fingerprint;
  await writeResults(folder, results);
  const { code, stderr } = await bench(["--resume", folder]);
  equal(code, 2);
  match(
    stderr,
    /^Cannot resume .*: code_sha256 was not there, now .*; fingerprint of model\.safetensors was not there, now/m,
  );
});

Deno.test(
  "a run is one process's: --resume of one that goes on is refused",
  { ignore: Deno.build.os === "windows" },
  async () => {
    await using temporary = new TemporaryFolder();
    const run = new Bench([...quick, "--output", temporary.path]);
    await run.said(/^round 1\/1: speed/m);
    const folder = join(temporary.path, temporary.names()![0]!);
    // Stopped, so that it is still running by then
    run.process.kill("SIGSTOP");
    const { code, stdout, stderr } = await bench(["--resume", folder]);
    run.process.kill("SIGCONT");
    deepEqual([code, stdout], [2, ""], stderr);
    match(stderr, /^Cannot write results to .*: another process is measuring this run; wait until it has ended$/m);
    equal((await run.ended).code, 0);
    equal((await bench(["--resume", folder])).code, 0);
  },
);

const short = {
  device: "cpu",
  max_tokens: 40,
  prompt_tokens: 12,
  max_new_tokens: 4,
  num_samples: 2,
  num_warmup: 0,
  divergence: false,
  repetitions: 1,
} as const;

Deno.test("runBenchmark() goes on with a run, its traces included, and tells a method that was changed", async () => {
  await using temporary = new TemporaryFolder();
  const streaming = (recent_size: number) => [
    { name: "baseline", policy: methods.baseline() },
    { name: "mine", policy: methods.streaming_llm({ start_size: 4, recent_size }) },
  ];
  const options = { ...short, configurations: streaming(12), trace_every: 15 };
  const end = new AbortController();
  const cutShort = await runBenchmark({
    ...options,
    output: temporary.path,
    signal: end.signal,
    onProgress: ({ configuration, sample, phase }) => {
      if (configuration === "mine" && sample === 1 && phase === "quality") end.abort();
    },
  });
  const { folder } = cutShort;
  deepEqual([cutShort.interrupted, cutShort.results.failures[0]!.quality?.length], [true, 1]);
  deepEqual(cutShort.traces.map(({ configuration }) => configuration), ["baseline"]);

  const seen: string[] = [];
  const resumed = await runBenchmark({
    ...options,
    resume: folder!,
    onProgress: ({ configuration, sample, phase }) => {
      if (phase === "quality" && seen.at(-1) !== `${configuration} ${sample}`) seen.push(`${configuration} ${sample}`);
    },
  });
  deepEqual(seen, ["mine 1"]);
  equal(resumed.folder, folder);
  const whole = await runBenchmark({ ...options, output: null });
  deepEqual(figures(resumed.results), figures(whole.results));
  deepEqual(resumed.traces, whole.traces);
  deepEqual(resumed.traces.map(({ snapshots }) => snapshots.map(({ tokens }) => tokens)), [[15, 30, 40], [15, 30, 40]]);

  // At other trace steps, only the first samples are measured again.
  seen.length = 0;
  const other = await runBenchmark({
    ...options,
    trace_every: 20,
    resume: folder!,
    onProgress: ({ configuration, sample }) => {
      if (seen.at(-1) !== `${configuration} ${sample}`) seen.push(`${configuration} ${sample}`);
    },
  });
  deepEqual(seen, ["baseline 0", "mine 0"]);
  deepEqual(figures(other.results), figures(whole.results));
  deepEqual(other.traces[1]!.snapshots.map(({ tokens }) => tokens), [20, 40]);

  const changed = streaming(12);
  changed[1] = { ...changed[1]!, policy: { ...changed[1]!.policy, keep: () => "all" } };
  await rejects(runBenchmark({ ...options, configurations: changed, resume: folder! }), {
    name: "InputError",
    message: /^Cannot resume .*configuration mine was/,
  });
});
