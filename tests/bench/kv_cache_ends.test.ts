import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { readResults } from "../../lib/report/results/results_file.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { Bench, childrenOf, isAlive, TemporaryFolder } from "./_bench.ts";

/** Signals and processes are checked by means of Linux. */
const ignore = Deno.build.os !== "linux";

/** A run long enough to be interrupted: baseline and streaming_N of some sizes, two samples each. */
class LongRun extends Bench implements AsyncDisposable {
  constructor(options: { group?: boolean; recent?: string } = {}, readonly folder = new TemporaryFolder()) {
    const sizes = `--max_tokens 300 --prompt_tokens 64 --max_new_tokens 4 --recent_sizes ${options.recent ?? "28,60"}`;
    const others = `--num_warmup 0 --repetitions 1 --no_recent_only --device cpu --output`;
    super([...sizes.split(" "), ...others.split(" "), folder.path], options);
  }

  /** Waits until a configuration's second sample is in its quality pass; returns the process that measures it. */
  async second(configuration: string): Promise<number> {
    // The process is looked up one sample early, so that the pass to interrupt is not over before it is found.
    await this.said(new RegExp(`${configuration}, sample 1/2: quality`));
    const child = await this.child();
    await this.said(new RegExp(`${configuration}, sample 2/2: quality`));
    return child;
  }

  /** Returns the process that measures now. */
  async child(): Promise<number> {
    const [child] = await childrenOf(this.process.pid);
    ok(child !== undefined, "there is a child");
    return child;
  }

  /** Reads results.json of the only run. */
  async results(): Promise<BenchmarkResults> {
    const names = this.folder.names()!;
    equal(names.length, 1);
    return await readResults(join(this.folder.path, names[0]!));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.process.kill("SIGKILL");
    } catch {
      // It has ended, as expected.
    }
    await this.ended;
    await this.folder[Symbol.asyncDispose]();
  }
}

for (
  const [who, signal, code] of [
    ["the process", "SIGINT", 130],
    ["the process group", "SIGINT", 130],
    ["the process group", "SIGTERM", 143],
  ] as const
) {
  Deno.test(`bench: ${signal} to ${who} keeps what is finished`, { ignore }, async () => {
    await using run = new LongRun({ group: true });
    const child = await run.second("\\[2/3\\] streaming_32");
    Deno.kill(who === "the process" ? run.process.pid : -run.process.pid, signal);
    const ended = await run.ended;
    equal(ended.code, code, ended.stderr);
    equal(await isAlive(child), false);
    match(ended.stdout, /^baseline +0\.\d+/m);
    match(ended.stdout, /^streaming_32 +not run: interrupted$/m);
    match(ended.stdout, /^streaming_64 +not run: interrupted$/m);
    ok(!/^ +at /m.test(ended.stderr), ended.stderr);
    const { raw_results, speed_runs, configurations, failures, baseline_stats, environment } = await run.results();
    // The weights' hash comes while quality is measured: it may be there.
    deepEqual(Object.keys(environment.model_sha256).slice(0, 2), ["config.json", "tokenizer.json"]);
    deepEqual(raw_results.map(({ method }) => method), ["baseline", "baseline"]);
    deepEqual(configurations.map(({ status }) => status), ["done", "not run", "not run"]);
    // The interrupted configurations keep what is finished of them
    deepEqual(failures.map(({ method, reason }) => [method, reason]), [
      ["streaming_32", "interrupted"],
      ["streaming_64", "interrupted"],
    ]);
    deepEqual(
      failures.map(({ quality }) => quality?.map(({ method, sample }) => [method, sample])),
      [[["streaming_32", 0]], undefined],
    );
    deepEqual(speed_runs!.map(({ method, sample }) => `${method} ${sample}`).sort(), [
      ...["baseline 0", "baseline 1", "streaming_32 0", "streaming_32 1", "streaming_64 0", "streaming_64 1"],
    ]);
    ok(baseline_stats!.perplexity > 1);
    match(ended.stderr, /\nResults: .*results\.json\nChart: /);
  });
}

Deno.test("bench: Ctrl-C before anything is measured leaves nothing", { ignore }, async () => {
  await using run = new LongRun({ group: true });
  await run.said(/^round 1\/1: speed of 3 configurations$/m);
  Deno.kill(-run.process.pid, "SIGINT");
  const { code, stdout, stderr } = await run.ended;
  equal(code, 130, stderr);
  equal(stdout, "");
  match(stderr, /\nEnded before anything was measured\n$/);
  deepEqual(run.folder.names(), []);
});

Deno.test("bench: a configuration that ends by a signal is recorded, and the others go on", { ignore }, async () => {
  await using run = new LongRun({ recent: "12,28,60" });
  const crashes = [
    ["streaming_16", "SIGABRT", 134, /^crashed \(SIGABRT\)/],
    ["streaming_32", "SIGKILL", 137, /^killed \(SIGKILL\); the system was probably out of memory/],
  ] as const;
  for (const [name, signal] of crashes) Deno.kill(await run.second(name), signal);
  const ended = await run.ended;
  equal(ended.code, 1, ended.stderr);
  match(ended.stdout, /^baseline +0\.\d+/m);
  match(ended.stdout, /^streaming_64 +0\.\d+/m);
  const { raw_results, configurations, failures, aggregated_stats } = await run.results();
  deepEqual(Object.keys(aggregated_stats), ["baseline", "streaming_64"]);
  deepEqual(configurations.map(({ status }) => status), ["done", "failed", "failed", "done"]);
  equal(raw_results.length, 4);
  equal(failures.length, 2);
  for (const [i, [name, signal, code, reason]] of crashes.entries()) {
    match(ended.stdout, new RegExp(`^${name} +failed: .*${signal}`, "m"));
    deepEqual([failures[i]!.method, failures[i]!.code], [name, code]);
    match(failures[i]!.reason, reason);
    deepEqual(failures[i]!.quality?.map(({ sample }) => sample), [0]);
  }
});

Deno.test("bench: a child does not outlive its parent", { ignore }, async () => {
  await using run = new LongRun();
  await run.said(/\[2\/3\] streaming_32, sample 1\/2: quality/);
  const child = await run.child();
  run.process.kill("SIGKILL");
  await run.ended;
  for (let i = 0; i < 50 && await isAlive(child); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  equal(await isAlive(child), false);
  // Results finished before that are on disk, and complete.
  const { configurations, raw_results, speed_runs } = await run.results();
  deepEqual(configurations.map(({ status }) => status), ["done", "not run", "not run"]);
  deepEqual([raw_results.length, speed_runs!.length], [2, 6]);
});
