import { equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { project, taskArguments, TemporaryFolder } from "./_bench.ts";

Deno.test("README shows the score of own_method.ts as it is", () => {
  const lines = Deno.readTextFileSync(join(project, "bench", "own_method.ts")).split("\n");
  const score = lines.filter((line) => /^ {2}(score|attention): /.test(line));
  equal(score.length, 2);
  const readme = Deno.readTextFileSync(join(project, "README.md"));
  ok(readme.includes(`\`\`\`ts ignore\n${score.join("\n")}\n\`\`\`\n`));
});

Deno.test("a method by a score of one's own is in the table", async () => {
  await using folder = new TemporaryFolder();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: taskArguments("own-method").map((arg) => arg.startsWith("bench/") ? join(project, arg) : arg),
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  const table = new TextDecoder().decode(stdout);
  match(table, /^baseline +0\.\d+.* 400\nh2o_96 +0\.\d+.* 96\nvalue_aware_96 +0\.\d+.* 96\n=/m);
});

const script = join(project, "bench", "api_example.ts");

Deno.test("README shows the example script as it is", () => {
  const readme = Deno.readTextFileSync(join(project, "README.md"));
  ok(readme.includes(`\`\`\`ts ignore\n${Deno.readTextFileSync(script)}\`\`\`\n`));
});

Deno.test("the example script runs as a user's own, outside of the checkout", async () => {
  await using folder = new TemporaryFolder();
  const text = Deno.readTextFileSync(script).replace('"../mod.ts"', JSON.stringify(join(project, "mod.ts")));
  await Deno.writeTextFile(join(folder.path, "mine.ts"), text);
  const [run, ...flags] = taskArguments("example").slice(0, -1);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [run!, "--config", join(project, "deno.json"), ...flags, "mine.ts"],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  const printed = new TextDecoder().decode(stdout);
  equal(code, 0, new TextDecoder().decode(stderr));
  match(printed, /^baseline +0\.\d+.* 400\nstreaming_96 +0\.\d+.* 96\ntwo_halves_128 +0\.\d+.* 128\n/m);
  const [name] = folder.names("results")!;
  match(name!, /^streaming_llm_novel-neox-8m_/);
  ok(folder.names("results", name!)!.includes("benchmark_comparison.png"));
});
