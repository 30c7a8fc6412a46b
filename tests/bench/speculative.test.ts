/** Speculative decoding as a user measures it: in a child process, at a small size. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import type { SpeculativeResults } from "../../lib/report/results/speculative_types.ts";
import { type Ended, project, taskArguments, TemporaryFolder } from "./_bench.ts";

/** Runs `deno task speculative` to its end. */
async function speculative(args: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("speculative"), ...args],
    cwd: project,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const tiny = [
  ...["--device", "cpu", "--lengths", "40,80", "--max_new_tokens", "12", "--num_warmup", "2"],
  ...["--num_samples", "1", "--repetitions", "1"],
];

Deno.test("speculative: a run measures drafts against plain decoding, and draws the speed-up", async () => {
  await using folder = new TemporaryFolder();
  const drafts = "ngram,self:tova:32";
  const { code, stdout, stderr } = await speculative([
    ...tiny,
    "--draft",
    drafts,
    "--gamma",
    "3,auto",
    "--output",
    folder.path,
  ]);
  equal(code, 0, stderr);
  match(stdout, /^Every text is that of plain decoding, token for token$/m);
  match(stdout, /^self:tova:32 gamma auto +80 /m);
  const [name] = folder.names()!;
  match(name!, /^speculative_novel-neox-8m_/);
  deepEqual(folder.names(name!), ["results.json", "speedup_over_context.png", "speedup_over_context.svg"]);
  const results: SpeculativeResults = JSON.parse(Deno.readTextFileSync(join(folder.path, name!, "results.json")));
  equal(results.schema, "speculative 1");
  const names = ["plain", "ngram gamma 3", "ngram gamma auto", "self:tova:32 gamma 3", "self:tova:32 gamma auto"];
  deepEqual(
    results.rows.map((row) => [row.length, row.name]),
    [40, 80].flatMap((length) => names.map((name) => [length, name])),
  );
  equal(results.runs.length, 2 * names.length);
  for (const { name, tokens, rounds, step_s, memory } of results.runs) {
    ok(tokens.length >= 15, name);
    equal(rounds === undefined, name === "plain");
    equal(step_s === undefined, name !== "plain");
    if (name.startsWith("self:tova")) ok(memory.draft!.cache_bytes > 0 && memory.draft!.cache_bytes < memory.cache);
  }
  deepEqual(results.break_even.map(({ draft }) => draft), drafts.split(","));
  deepEqual([results.config.verification, results.config.bit_equal], ["rows", true]);
});

Deno.test("speculative: texts can be sampled, in an ordinary pass, and printed as JSON", async () => {
  await using folder = new TemporaryFolder();
  const { code, stdout, stderr } = await speculative([
    ...tiny,
    ...["--draft", "self:recent_only:50%,ngram", "--gamma", "2", "--temperature", "0.8", "--top_p", "0.9"],
    ...[
      "--verify",
      "pass",
      "--workload",
      "repeat",
      "--no_chart",
      "--json",
      "--output",
      folder.path,
    ],
  ]);
  equal(code, 0, stderr);
  const { config, rows }: SpeculativeResults = JSON.parse(stdout);
  deepEqual([config.temperature, config.workload, config.bit_equal], [0.8, "repeat", false]);
  ok(rows.filter(({ draft }) => draft !== null).every(({ draft_figures }) => draft_figures!.equals_plain === null));
  deepEqual(folder.names(folder.names()![0]!), ["results.json"]);
});

Deno.test("speculative: mistakes are one line", async () => {
  for (
    const [args, message] of [
      [["--draft", "self:tov:64"], /^Cannot read --draft: found "self:tov:64", did you mean tova\?/m],
      [["--draft", "tests/fixtures/tiny/gpt2"], /^Cannot (compare vocabularies|draft with)/m],
      [["--draft", "/nowhere"], /^Cannot draft with \/nowhere: there is no such folder; --draft takes ngram/m],
      [["--draft", "oracle:0.5", "--temperature", "1"], /^Cannot sample with an oracle/m],
      [["--gamma", "16"], /^Cannot read --gamma: found "16", give at most 15 tokens, or auto$/m],
      [["--workload", "chat"], /^Cannot read --workload/m],
    ] as const
  ) {
    const { code, stdout, stderr } = await speculative([...tiny, ...args, "--output", "/nowhere"]);
    equal(code, 2, stderr);
    equal(stdout, "");
    match(stderr, message);
    ok(!/^ +at /m.test(stderr), stderr);
  }
});
