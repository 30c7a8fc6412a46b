import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "@std/path";
import { methods } from "../../lib/policies/registry.ts";
import type { BenchmarkOptions } from "../../lib/run/plan/options.ts";
import { makePlan } from "../../lib/run/plan/plan.ts";
import { Bench, TemporaryFolder, tiny } from "./_bench.ts";

const text = "Call me Ishmael. Some years ago, never mind how long precisely, ".repeat(2000);

/** Starts a run with a text on standard input. */
function piped(input: string, args: readonly string[]) {
  const stream = ReadableStream.from([new TextEncoder().encode(input)]);
  return new Bench([...tiny, "--method", "baseline", "--json", "--dataset", "-", ...args], { input: stream }).ended;
}

/** Returns the terms of results.json for a text in a file. */
async function planned(options: Partial<BenchmarkOptions>) {
  const { results } = await makePlan({
    configurations: [{ name: "baseline", policy: methods.baseline() }],
    device: "cpu",
    num_samples: 2,
    max_tokens: 48,
    prompt_tokens: 24,
    max_new_tokens: 8,
    ...options,
  });
  return results;
}

Deno.test("bench: a text gives the same samples piped in, as a file, and as a row of JSON", async () => {
  await using folder = new TemporaryFolder();
  const [book, rows] = ["book.txt", "rows.jsonl"].map((name) => join(folder.path, name)) as [string, string];
  await Deno.writeTextFile(book, text);
  await Deno.writeTextFile(rows, `{"body": null}\n{"body": "short"}\n${JSON.stringify({ body: text })}\n`);
  const { code, stdout, stderr } = await piped(text, ["--output", join(folder.path, "results")]);
  equal(code, 0, stderr);
  const { config, environment: { text_sha256, samples_sha256 } } = JSON.parse(stdout);
  equal(config.dataset, "-");
  equal(new Set(samples_sha256).size, 2);
  const file = (await planned({ dataset: book })).environment;
  deepEqual([file.text_sha256, file.samples_sha256], [text_sha256, samples_sha256]);
  const row = await planned({ dataset: rows, text_column: "body", min_chars: 6 });
  deepEqual(row.environment.samples_sha256, samples_sha256);
  deepEqual([row.config.text_column, row.config.min_chars], ["body", 6]);
});

Deno.test("bench: an empty standard input is an error", async () => {
  const { code, stderr } = await piped("", []);
  match(stderr, /^Cannot read --dataset -: it holds no text$/m);
  equal(code, 2);
});
