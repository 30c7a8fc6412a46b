/** The comparison of number types as a user runs it: in a child process, at a small size. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { readResults } from "../../lib/report/results/results_file.ts";
import { type Ended, project, taskArguments, TemporaryFolder, tiny } from "./_bench.ts";

/** Runs `deno task precision` to its end. */
async function precision(args: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("precision"), ...args],
    cwd: project,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("precision: a run on the CPU measures float32, says what is missing, and can be resumed", async () => {
  await using folder = new TemporaryFolder();
  const { code, stdout, stderr } = await precision([...tiny, "--output", folder.path]);
  equal(code, 0, stderr);
  match(stderr, /^The CPU computes in float32, whatever type is stored: float16 and bfloat16 are not measured/m);
  match(stdout, /^float32 +\d/m);
  match(stdout, /Weights MiB/);
  const [name] = folder.names()!;
  match(name!, /^precision_novel-neox-8m_/);
  deepEqual(folder.names(name!), [
    "precision_benchmark_2rows.png",
    "precision_benchmark_2rows.svg",
    "results.json",
  ]);
  const run = join(folder.path, name!);
  const { config, configurations, speed_runs } = await readResults(run);
  deepEqual([config.method, config.compared_with, config.tf32], ["precision", "float32", false]);
  deepEqual(configurations.map(({ dtype, method }) => [dtype, method]), [["float32", "baseline"]]);
  ok(speed_runs!.every(({ tokens }) => tokens?.length === 8));

  // Nothing is left to measure.
  const before = Deno.readTextFileSync(join(run, "results.json"));
  const again = await precision([...tiny, "--resume", run]);
  equal(again.code, 0, again.stderr);
  deepEqual(JSON.parse(Deno.readTextFileSync(join(run, "results.json"))).speed_runs, JSON.parse(before).speed_runs);
});

Deno.test("precision: a type that the CPU lacks is refused in one line", async () => {
  const { code, stdout, stderr } = await precision([...tiny, "--dtypes", "float32,bf16", "--output", "/nowhere"]);
  equal(code, 2);
  equal(stdout, "");
  match(stderr, /^Cannot use --dtypes bfloat16 on the CPU: it computes in float32, whatever type is stored$/m);
  ok(!/^ +at /m.test(stderr), stderr);
});
