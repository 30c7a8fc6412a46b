import { equal, match, ok } from "node:assert/strict";
import { join } from "@std/path";
import { project, taskArguments, TemporaryFolder } from "./_bench.ts";

/** Runs a copy of a task's script in another folder, on less text and with shorter prompts; returns what it prints. */
async function runShort(task: "example" | "own-method", folder: TemporaryFolder): Promise<string> {
  const [run, ...rest] = taskArguments(task);
  const text = Deno.readTextFileSync(join(project, rest.pop()!))
    .replace('"../../mod.ts"', JSON.stringify(join(project, "mod.ts")))
    .replace(
      "max_tokens: 400,",
      "max_tokens: 160, prompt_tokens: 110, max_new_tokens: 4, num_warmup: 0, repetitions: 1,",
    );
  ok(text.includes("num_warmup"));
  await Deno.writeTextFile(join(folder.path, "mine.ts"), text);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [run!, "--config", join(project, "deno.json"), ...rest, "mine.ts"],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("docs/methods.md shows the score of own_method.ts as it is", () => {
  const lines = Deno.readTextFileSync(join(project, "bench", "examples", "own_method.ts")).split("\n");
  const score = lines.filter((line) => /^ {2}(score|attention): /.test(line)).map((line) => line.trim());
  equal(score.length, 2);
  const page = Deno.readTextFileSync(join(project, "docs", "methods.md"));
  ok(page.includes(`\`\`\`ts ignore\n${score.join("\n")}\n\`\`\`\n`));
});

Deno.test("a method with a custom score is in the table", async () => {
  await using folder = new TemporaryFolder();
  const table = await runShort("own-method", folder);
  match(table, /^baseline +0\.\d+.* 160\nh2o_96 +0\.\d+.* 96\nvalue_aware_96 +0\.\d+.* 96\n=/m);
});

const script = join(project, "bench", "examples", "api_example.ts");

Deno.test("docs/methods.md shows the example script as it is, and README its method", () => {
  const code = Deno.readTextFileSync(script);
  const method = code.slice(0, code.indexOf("\n});\n") + "\n});\n".length);
  ok(/^import .*definePolicy\([^]*score: /s.test(method) && !method.includes("await"));
  for (const [page, shown] of [["docs/methods.md", code], ["README.md", method]] as const) {
    ok(Deno.readTextFileSync(join(project, page)).includes(`\`\`\`ts ignore\n${shown}\`\`\`\n`), page);
  }
});

Deno.test("the example script runs as a user's own, outside of the checkout", async () => {
  await using folder = new TemporaryFolder();
  const printed = await runShort("example", folder);
  match(printed, /^baseline +0\.\d+.* 160\nstreaming_96 +0\.\d+.* 96\ntwo_halves_128 +0\.\d+.* 128\n/m);
  const [name] = folder.names("results")!;
  match(name!, /^streaming_llm_two_halves_novel-neox-8m_/);
  ok(folder.names("results", name!)!.includes("benchmark_comparison.png"));
});
