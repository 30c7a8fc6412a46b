/**
 * Figures that could mislead: those which are not finite, those of methods that compressed nothing, and rows with
 * unclear names.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { readResults } from "../../lib/report/results/results_file.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { bench, project, TemporaryFolder, undoubted } from "./_bench.ts";

const embedded = join(project, "lib", "assets", "novel-neox-8m");
const short = "--max_tokens 20 --prompt_tokens 8 --max_new_tokens 4 --num_warmup 0 --repetitions 1 --device cpu".split(
  " ",
);

/** Makes a copy of the embedded model in which one token's embedding is NaN. */
async function poisoned(folder: string, token: number): Promise<string> {
  const path = join(folder, "model");
  await Deno.mkdir(path);
  for (const name of ["config.json", "tokenizer.json"]) await Deno.copyFile(join(embedded, name), join(path, name));
  const weights = await Deno.readFile(join(embedded, "model.safetensors"));
  const { offset, shape } = openModelFolder(embedded).tensors.get("gpt_neox.embed_in.weight")!;
  const row = new Uint16Array(weights.buffer, offset + token * shape[1]! * 2, shape[1]!);
  row.fill(0x7e00); // NaN in float16
  await Deno.writeFile(join(path, "model.safetensors"), weights);
  return path;
}

Deno.test("bench: one sample that is not a number makes no mean, says so, and ends with code 1", async () => {
  await using folder = new TemporaryFolder();
  const tokenizer = await loadTokenizer(embedded);
  const words = "the whale was seen by the men of the ship and the captain said that he would go after it at once ";
  const [good, bad] = [words.repeat(3), `the whale was zealous ${words.repeat(3)}`];
  const ids = tokenizer.encode(bad);
  const place = ids.findIndex((id) => !tokenizer.encode(good).includes(id));
  ok(place > 2 && place < 8, `${place}`);
  const model = await poisoned(folder.path, ids[place]!);
  const dataset = join(folder.path, "texts.jsonl");
  await Deno.writeTextFile(dataset, [good, bad].map((text) => JSON.stringify({ text })).join("\n"));
  const output = join(folder.path, "results");
  const args = [
    "--model_id",
    model,
    "--dataset",
    dataset,
    "--min_chars",
    "1",
    "--num_samples",
    "2",
    "--output",
    output,
  ];
  const { code, stdout, stderr } = await bench([...short, ...args, "--recent_sizes", "8", "--start_size", "2"]);
  equal(code, 1, stderr);
  const lines = undoubted(stdout).split("\n");
  const row = (name: string) => lines.filter((line) => line.startsWith(`${name} `));
  const rows = ["baseline", "recent_only_10", "streaming_10"];
  for (const name of rows) match(row(name)[0]!, /^\S+ +[\d.]+ +[\d.]+ +[\d.]+ +nan +nan +0\.00 +\d+$/);
  for (const name of rows) match(row(name)[1]!, /^\S+ +[\d.]+ .* nan +\d+ +[\d.]+ +[\d.]+ +-$/);
  for (const name of rows.slice(1)) match(row(name)[2]!, /^\S+ +[+-].* +nan +nan +-$/);
  // The poisoned token is not at the beginning of the text. Its own prediction is the first that is NaN.
  const step = place + tokenizer.prefix.length;
  const fault = `: perplexity and accuracy are not finite in sample 2: ${
    20 - step
  } of 20 NLLs are NaN, the first at step ${step}`;
  equal(stdout.split(`baseline${fault}\n`).length, 2, stdout);
  ok(!/is not finite|are not finite/.test(stderr), stderr);
  match(
    stdout,
    /^recent_only_10: perplexity and accuracy are not finite in sample 2: \d+ of 20 NLLs are NaN, the first/m,
  );

  const [name] = folder.names("results")!;
  deepEqual(folder.names("results", name!), ["benchmark_comparison.png", "benchmark_comparison.svg", "results.json"]);
  const file = JSON.parse(await Deno.readTextFile(join(output, name!, "results.json"))); // strict JSON
  const [whole, broken] = file.raw_results;
  ok(whole.perplexity > 1 && whole.accuracy >= 0 && whole.nll.every(Number.isFinite));
  deepEqual([broken.perplexity, broken.accuracy, broken.nll[step - 1] > 0, broken.nll[step]], [null, null, true, null]);
  equal(file.aggregated_stats.baseline.perplexity, null);
  deepEqual(file.configurations[0].notes, [fault.slice(2)]);
  equal(file.configurations[0].status, "done");
  const results = await readResults(join(output, name!));
  ok(Number.isNaN(results.aggregated_stats["baseline"]!.perplexity));
  ok(Number.isNaN(results.baseline_stats!.perplexity) && results.baseline_stats!.throughput > 0);
});

Deno.test("bench: below the table, each row is explained, and rows that compressed nothing are named", async () => {
  await using folder = new TemporaryFolder();
  const args = ["--num_samples", "1", "--compare_all", "--no_recent_only", "--output", join(folder.path, "results")];
  const { code, stdout, stderr } = await bench([...short, ...args]);
  equal(code, 0, stderr);
  match(stdout, /^snapkv_512 +snapkv_lite: observation_window 32, keep_size 512, pooling_kernel 5$/m);
  match(stdout, /^pyramid_1024 +pyramid_kv: base_size 1024, layer_decay 0\.9, min_size 128, profile exponential$/m);
  ok(!/^baseline +baseline/m.test(stdout));
  equal(stdout.match(/^Nothing was dropped/gm)?.length, 1);
  match(
    stdout,
    /^Nothing was dropped in any row: all 20 tokens of the quality pass and all 11 of the speed pass are kept$/m,
  );
  ok(stdout.indexOf("Change vs baseline") < stdout.indexOf("snapkv_lite:"));
  const [name] = folder.names("results")!;
  const { configurations, config } = await readResults(join(folder.path, "results", name!));
  equal(config.method, "compare_all");
  const snapkv = configurations.find(({ name }) => name === "snapkv_512")!;
  deepEqual(
    [snapkv.method, snapkv.params, snapkv.dropped],
    ["snapkv_lite", { observation_window: 32, keep_size: 512, pooling_kernel: 5 }, { speed: 0, quality: 0 }],
  );
  match(snapkv.notes![0]!, /^nothing was dropped/);
});

for (
  const [what, args, line] of [
    [
      "all layers are skipped",
      "--recent_sizes 6 --skip_layers 0,1,2,3,4,5,6,7",
      /streaming_10: all 8 layers are skipped/,
    ],
    ["the least size is over the text", "--method pyramid_kv --base_sizes 8 --min_size 64", /pyramid_8: all 20 tokens/],
    [
      "pruning begins after the text",
      "--method l2_compress --prune_after 100 --keep_ratios 0.5,0.25",
      /l2_kr=0\.5, l2_kr=0\.2: /,
    ],
    ["one pass alone is short enough", "--recent_sizes 8", /streaming_12: all 11 tokens of the speed pass are kept/],
  ] as const
) {
  Deno.test(`bench: says that nothing was dropped where ${what}`, async () => {
    await using folder = new TemporaryFolder();
    const { code, stdout, stderr } = await bench([
      ...short,
      ...["--num_samples", "1", "--no_recent_only", "--no_baseline", "--output", join(folder.path, "results")],
      ...args.split(" "),
    ]);
    equal(code, 0, stderr);
    const lines = stdout.split("\n").filter((line) => line.startsWith("Nothing was dropped in "));
    equal(lines.length, 1, stdout);
    match(lines[0]!, line);
  });
}

Deno.test("bench: names are those of the Python benchmark, and the legend has the ratio in full", async () => {
  await using folder = new TemporaryFolder();
  const args = "--num_samples 1 --method l2_compress --prune_after 10 --keep_ratios 0.5,0.25 --no_baseline".split(" ");
  const { stdout } = await bench([...short, ...args, "--output", join(folder.path, "results")]);
  match(stdout, /^l2_kr=0\.2 +l2_compress: keep_ratio 0\.25, prune_after 10$/m);
  ok(!stdout.includes("Nothing was dropped in l2_kr=0.5, "), stdout);
});
