import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { readResults } from "../../lib/report/results/results_file.ts";
import { readTrace } from "../../lib/report/results/trace.ts";
import { bench, TemporaryFolder, tiny, undoubted } from "./_bench.ts";

const read = (...parts: string[]) => JSON.parse(Deno.readTextFileSync(join(...parts)));

Deno.test("bench: a run prints its table, and leaves results.json and the chart", async () => {
  await using folder = new TemporaryFolder();
  const output = join(folder.path, "made", "by the run");
  const { code, stdout, stderr } = await bench([...tiny, "--recent-sizes=12,28", "--output", output]);
  equal(code, 0, stderr);

  // Standard output has only the report; standard error has the progress.
  const names = ["baseline", "recent_only_16", "streaming_16", "recent_only_32", "streaming_32"];
  const lines = undoubted(stdout).split("\n");
  match(lines[0]!, /\(cpu\), float32; quality: 2 samples of 48 tokens; speed: 24 tokens of prompt, 8 new$/);
  equal(lines[2], "Method                    TTFT(s)    TPOT(s)    Thruput        PPL        Acc   VRAM(GB)    Cache");
  equal(lines[3], "-".repeat(100));
  deepEqual(lines.slice(4, 9).map((line) => line.split(" ")[0]), names);
  match(lines[6]!, /^streaming_16 +0\.\d{4} +0\.\d{4} +[\d.]+ +[\d.]+ +[\d.]+% +0\.00 +16$/);
  equal(lines[9], "=".repeat(100));
  match(
    lines[11]!,
    /^Method +TPOT ms +vs baseline +First ms +p95 ms +KL +Top-1 % +PPL evicted +Held +Held % +KV MiB +VRAM GiB$/,
  );
  deepEqual(lines.slice(13, 18).map((line) => line.split(" ")[0]), names);
  // 24.5 of 1 to 48 is the full cache; 2 of 8 layers hold that, 6 hold at most 16.
  match(lines[13]!, /^baseline +[\d.]+ +- +[\d.]+ +[\d.]+ +- +- +[\d.]+ +25 +100\.0 +0\.3828 +-$/);
  match(
    lines[15]!,
    /^streaming_16 +[\d.]+ +[-+\d.]+ % +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +16 +66\.3 +0\.2539 +-$/,
  );
  match(lines[20]!, /^Change vs baseline +Thruput +TPOT +TTFT +PPL +Acc +VRAM$/);
  deepEqual(lines.slice(21, 25).map((line) => line.split(" ")[0]), names.slice(1));
  match(lines[25]!, /^PPL, Acc: 95 % intervals, block bootstrap over the steps of 2 samples of one book: /);
  deepEqual(lines.slice(26), [
    "",
    "streaming_16          streaming_llm: start_size 4, recent_size 12",
    "streaming_32          streaming_llm: start_size 4, recent_size 28",
    "",
    "Nothing was dropped in recent_only_32, streaming_32: all 31 tokens of the speed pass are kept",
    "",
  ]);
  match(
    stderr,
    /^kvcompress \S+: novel-neox-8m, moby_dick, skip_layers 0,1, positions absolute, seed 0\n5 configurations: /,
  );
  match(
    stderr,
    /\nround 1\/1: speed of 5 configurations\n\[1\/5\] baseline: load\n[^]*\[5\/5\] streaming_32, sample 2\/2: quality\n/,
  );
  // The method has two sizes.
  match(
    stderr,
    /\nResults: .*results\.json\nChart: {3}.*benchmark_comparison\.png\n(Picture: .*\/(quality_over_budget|frontier)\.png\n){2}$/,
  );
  ok(!/Change|TTFT/.test(stderr), stderr);

  const [name, ...others] = folder.names("made", "by the run")!;
  deepEqual(others, []);
  match(name!, /^streaming_llm_novel-neox-8m_\d{8}_\d{6}$/);
  // Two budgets of one method make a curve.
  const pictures = ["benchmark_comparison", "frontier", "quality_over_budget"];
  deepEqual(folder.names("made", "by the run", name!), [
    ...pictures.flatMap((picture) => [`${picture}.png`, `${picture}.svg`]),
    "results.json",
  ]);
  const png = new DataView(Deno.readFileSync(join(output, name!, "benchmark_comparison.png")).buffer);
  deepEqual([png.getUint32(16), png.getUint32(20)], [7200, 3600]);

  // The names and the nesting that scripts read
  const results = read(output, name!, "results.json");
  const { model_id, method, num_samples, max_tokens, max_new_tokens, skip_layers, timestamp } = results.config;
  deepEqual(
    { model_id, method, num_samples, max_tokens, max_new_tokens, skip_layers },
    {
      model_id: "novel-neox-8m",
      method: "streaming_llm",
      num_samples: 2,
      max_tokens: 48,
      max_new_tokens: 8,
      skip_layers: [0, 1],
    },
  );
  ok(name!.endsWith(timestamp));
  const figures = ["ttft", "tpot", "throughput", "perplexity", "accuracy", "peak_vram_gb"];
  equal(results.raw_results.length, 10);
  for (const raw of results.raw_results) {
    for (const figure of [...figures, "final_cache_size"]) equal(typeof raw[figure], "number", figure);
    equal(raw.step_times_s.length, 7);
    equal(raw.nll.length, 48);
    const total = raw.step_times_s.reduce((a: number, b: number) => a + b, 0);
    ok(Math.abs(raw.tpot - total / 7) < 1e-12);
    ok(Math.abs(raw.throughput - 8 / (raw.ttft + total)) < 1e-9);
    const mean = raw.nll.reduce((a: number, b: number) => a + b, 0) / 48;
    ok(Math.abs(raw.perplexity / Math.exp(mean) - 1) < 1e-12);
  }
  deepEqual(results.raw_results.map((raw: { sample: number }) => raw.sample), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  deepEqual(Object.keys(results.aggregated_stats), names);
  for (const stats of Object.values(results.aggregated_stats) as Record<string, unknown>[]) {
    for (const figure of [...figures, "cache_size"]) equal(typeof stats[figure], "number", figure);
    equal(stats["n"], 2);
  }
  const { perplexity, accuracy, throughput, tpot } = results.aggregated_stats.baseline;
  deepEqual(results.baseline_stats, { perplexity, accuracy, throughput, tpot });
  deepEqual(results.failures, []);
  equal(results.environment.deno, Deno.version.deno);
  match(results.environment.model_sha256["model.safetensors"], /^[0-9a-f]{64}$/);

  // Two of the eight layers are never compressed.
  deepEqual(results.raw_results.at(-3).layer_cache_sizes, [48, 48, 32, 32, 32, 32, 32, 32]);
  await readResults(join(output, name!)); // its shape is the one declared
});

Deno.test("bench: two runs at once, of one second, do not overwrite each other", async () => {
  await using folder = new TemporaryFolder();
  const args = [...tiny, "--method", "baseline", "--output", folder.path];
  const runs = await Promise.all([bench(args), bench(args)]);
  deepEqual(runs.map(({ code }) => code), [0, 0]);
  const names = folder.names()!;
  equal(names.length, 2);
  for (const name of names) {
    deepEqual(folder.names(name), ["benchmark_comparison.png", "benchmark_comparison.svg", "results.json"]);
  }
});

Deno.test("bench: --json prints results.json alone, --dataset takes a file, and a run works without control groups", async () => {
  await using folder = new TemporaryFolder();
  const text = join(folder.path, "mine.txt");
  await Deno.writeTextFile(text, "It was the best of times, it was the worst of times. ".repeat(40));
  const output = join(folder.path, "out");
  const args = ["--json", "--dataset", text, "--no_baseline", "--no-recent-only", "--skip_layers", "none"];
  const { code, stdout, stderr } = await bench([...tiny, ...args, "--recent_sizes", "12", "--output", output]);
  equal(code, 0, stderr);
  const printed = JSON.parse(stdout);
  const [name] = folder.names("out")!;
  deepEqual(printed, read(output, name!, "results.json"));
  deepEqual(Object.keys(printed.aggregated_stats), ["streaming_16"]);
  equal(printed.baseline_stats, null);
  equal(printed.config.dataset, text);
  deepEqual(printed.raw_results[0].layer_cache_sizes, Array(8).fill(16));
  match(stderr, /1 configuration: streaming_16\n/);
});

for (
  const [method, flags, names] of [
    ["recent_only", "--window_sizes 16,24", ["baseline", "recent_only_16", "recent_only_24"]],
    [
      "fix_size_l2",
      "--fix_kv_sizes 16 --keep_ratios 0.5 --strategies keep_low,keep_high,random",
      ["baseline", "recent_only_16", "fix16_keep_low_kr=0.5", "fix16_keep_high_kr=0.5", "fix16_random_kr=0.5"],
    ],
    ["l2_compress", "--keep_ratios 0.8,0.3 --prune_after 20", ["baseline", "l2_kr=0.8", "l2_kr=0.3"]],
  ] as const
) {
  Deno.test(`bench: --method ${method}`, async () => {
    await using folder = new TemporaryFolder();
    const args = [...tiny, "--method", method, ...flags.split(" "), "--json", "--output", folder.path, "--seed", "3"];
    const { code, stdout, stderr } = await bench(args);
    equal(code, 0, stderr);
    const { aggregated_stats, config: { seed } } = JSON.parse(stdout);
    deepEqual(Object.keys(aggregated_stats), names);
    equal(seed, 3);
    const sizes = names.map((name) => aggregated_stats[name].cache_size);
    equal(sizes[0], 48);
    for (const size of sizes.slice(1)) ok(size < 48);
    const perplexities = new Set(names.map((name) => aggregated_stats[name].perplexity));
    equal(perplexities.size, names.length, "each keeps other entries");
  });
}

Deno.test("bench: --positions is an axis of the run; --trace and --plot_nll write and draw more", async () => {
  await using folder = new TemporaryFolder();
  const flags =
    "--method tova --cache_sizes 16 --positions absolute,cache --trace_every 20 --plot_nll --no-recent-only";
  const { code, stdout, stderr } = await bench([...tiny, ...flags.split(" "), "--output", folder.path]);
  equal(code, 0, stderr);
  match(stdout, /^baseline +0\..* 48\ntova_16@absolute +0\..* 16\ntova_16@cache +0\..* 16\n/m);
  match(stderr, /, positions absolute,cache, .*\n3 configurations: baseline, tova_16@absolute, tova_16@cache\n/);
  match(stderr, /\nChart: .*\nPicture: .*perplexity_along_text.png\n(Picture: .*trace_.*\.png\n){3}$/);
  const [name] = folder.names()!;
  deepEqual(folder.names(name!), [
    "benchmark_comparison.png",
    "benchmark_comparison.svg",
    "perplexity_along_text.png",
    "perplexity_along_text.svg",
    "results.json",
    ...["baseline", "tova_16@absolute", "tova_16@cache"].flatMap((each) =>
      ["json", "png", "svg"].map((kind) => `trace_${each}.${kind}`)
    ),
  ]);
  const { positions, skip_layers, snapshots } = await readTrace(join(folder.path, name!, "trace_tova_16@cache.json"));
  deepEqual([positions, skip_layers, snapshots.map(({ tokens }) => tokens)], ["cache", [0, 1], [20, 40, 48]]);
});

Deno.test("bench: --help names every default, --version the version, and neither runs anything", async () => {
  const help = await bench(["--help"]);
  equal(help.code, 0);
  equal(help.stderr, "");
  match(help.stdout, /--num_samples N +text samples; on CUDA with more than 8 configurations 1 \(default \d/);
  match(help.stdout, /--max_tokens N +tokens of the quality pass \(default \d+ on CUDA, \d+ on CPU\)/);
  deepEqual(await bench(["--version"]), { code: 0, stdout: `kvcompress ${config.version}\n`, stderr: "" });
  notEqual(help.stdout.length, 0);
});
