/** Configurations with number types of their own, in real runs; and the choice of what the others are compared with. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { methods } from "../../lib/policies/registry.ts";
import { readResults } from "../../lib/report/results/results_file.ts";
import { compareTokens } from "../../lib/report/statistics/token_comparison.ts";
import { type BenchmarkOptions, runBenchmark } from "../../lib/run/benchmark.ts";
import { availableDtypes } from "../../lib/run/plan/choose.ts";
import { makePlan } from "../../lib/run/plan/plan.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { ExportFolder } from "../model/_exports.ts";
import { embeddedModel } from "../parity/golden.ts";

const policy = methods.baseline();
const small = {
  device: "cpu",
  num_samples: 2,
  max_tokens: 40,
  prompt_tokens: 30,
  max_new_tokens: 6,
  num_warmup: 0,
  repetitions: 2,
  skip_layers: [],
  output: null,
} as const satisfies Omit<BenchmarkOptions, "configurations">;

Deno.test("a type measured twice is at no distance from itself, and generates the same tokens", async () => {
  await using folder = new TemporaryFolder();
  const { results, folder: at } = await runBenchmark({
    ...small,
    configurations: [
      { name: "again", policy, dtype: "float32" },
      { name: "float32", policy, dtype: "float32" },
      { name: "short", policy: methods.recent_only({ window_size: 8 }) },
    ],
    compared_with: "float32",
    tokens: true,
    chart: false,
    output: folder.path,
  });
  const { config, configurations, divergence, comparisons, speed_runs, raw_results, baseline_stats } = results;
  deepEqual([config.dtype, config.tf32, config.compared_with], ["float32", false, "float32"]);
  deepEqual(configurations.map(({ dtype }) => dtype), ["float32", "float32", undefined]);

  const { mean_kl, same_top, max_kl } = divergence!["again"]!;
  deepEqual([mean_kl.estimate, same_top.estimate, max_kl], [0, 1, 0]);
  deepEqual(Object.keys(comparisons!).sort(), ["again", "short"]);
  deepEqual(comparisons!["again"]!.tokens, { first_difference: [null, null], tokens: 6 });
  equal(comparisons!["again"]!.quality!.ln_ppl_ratio.estimate, 0);
  ok(divergence!["short"]!.mean_kl.estimate > 0);
  equal(divergence!["float32"], undefined);

  // What is told of tokens is what was recorded.
  const of = (method: string, sample: number) =>
    speed_runs!.find((run) => run.method === method && run.sample === sample)!.tokens!;
  for (const sample of [0, 1]) {
    const [own, other] = [of("short", sample), of("float32", sample)];
    equal(own.length, 6);
    const first = own.findIndex((id, i) => id !== other[i]);
    equal(comparisons!["short"]!.tokens!.first_difference[sample], first < 0 ? null : first);
  }
  equal(baseline_stats!.perplexity, results.aggregated_stats["float32"]!.perplexity);
  // float16 is stored, float32 is computed in.
  const stored = raw_results[0]!.memory!.weights;
  deepEqual(configurations.map(({ weight_bytes }) => weight_bytes), [2 * stored, 2 * stored, undefined]);
  deepEqual(await readResults(at!), JSON.parse(JSON.stringify(results)));
});

Deno.test("a type that the device lacks is refused in one line", async () => {
  for (const dtype of ["float16", "bfloat16"] as const) {
    await rejects(
      runBenchmark({ ...small, configurations: [{ name: dtype, policy, dtype }] }),
      {
        name: "InputError",
        message: `Cannot use --dtypes ${dtype} on the CPU: it computes in float32, whatever type is stored`,
      },
    );
  }
  const { dtypes, missing } = availableDtypes(embeddedModel(), "cpu");
  deepEqual(dtypes, ["float32"]);
  ok(missing!.includes("float16 and bfloat16"));
  deepEqual(availableDtypes(embeddedModel(), "cuda"), {
    dtypes: ["float32", "float16", "bfloat16"],
    missing: undefined,
  });
});

Deno.test("what others are compared with has to be there, and decides what distances are from", async () => {
  const configurations = [{ name: "one", policy }, { name: "two", policy, dtype: "float32" as const }];
  await rejects(
    makePlan({ ...small, configurations, compared_with: "three" }),
    /^InputError: Cannot compare with "three": no configuration has that name; give compared_with one of one, two$/,
  );
  equal((await makePlan({ ...small, configurations, compared_with: "two" })).reference?.name, "two");
  equal((await makePlan({ ...small, configurations })).reference?.name, "one");
});

Deno.test("compareTokens() finds the first difference, whatever the order of the passes", () => {
  const ids = fc.array(fc.nat(2), { minLength: 4, maxLength: 4 });
  fc.assert(fc.property(fc.array(fc.tuple(ids, ids), { minLength: 1, maxLength: 3 }), (samples) => {
    const runs = samples.flatMap(([a, b], sample) => [
      { method: "a", round: 0, sample, tokens: a },
      { method: "b", round: 0, sample, tokens: b },
      // A later round is not looked at.
      { method: "b", round: 1, sample, tokens: [9, 9, 9, 9] },
    ]).toReversed();
    const first = samples.map(([a, b]) => [0, 1, 2, 3].find((i) => a[i] !== b[i]) ?? null);
    deepEqual(compareTokens(runs, "b", "a"), { first_difference: first, tokens: 4 });
  }));
  const run = (method: string, tokens?: number[]) => ({ method, round: 0, sample: 0, ...(tokens ? { tokens } : {}) });
  equal(compareTokens([run("a", [1]), run("b")], "b", "a"), undefined);
  equal(compareTokens([run("b", [1])], "b", "a"), undefined);
  equal(compareTokens([], "b", "a"), undefined);
});

Deno.test("an ONNX export has its own type alone, and a line says so", async () => {
  using folder = new ExportFolder();
  const path = await folder.put("model_fp16.onnx");
  for (const device of ["cpu", "cuda"] as const) {
    const { dtypes, missing } = availableDtypes(openModelFolder(path), device);
    deepEqual(dtypes, ["float16"]);
    match(missing!, /model_fp16\.onnx is an ONNX export, which has its own type: only float16 is measured; /);
  }
  const of = (dtype: "float32" | "float16") =>
    makePlan({ ...small, model_id: path, configurations: [{ name: dtype, policy, dtype }] });
  await rejects(of("float32"), /^InputError: Cannot use --dtypes float32 with .*: its cache is float16; export it in /);
  const { results: { configurations: [record], config } } = await of("float16");
  deepEqual([record!.dtype, record!.weight_bytes, config.dtype], ["float16", undefined, "float16"]);
});
