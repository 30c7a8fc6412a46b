import { deepEqual, equal, ok } from "node:assert/strict";
import { join } from "@std/path";
import { readCommand } from "../../lib/cli/read_command.ts";

const given = [
  "--method",
  "h2o,tova",
  "--budget",
  "64-128*2,50%",
  "--skip-layers=0-1",
  "--dtype",
  "fp32",
  "--passes",
  "speed",
  "--repetitions",
  "4",
  "--aa",
  "--no_divergence",
  "--no-chart",
  "--successive",
  "-o",
  "csv",
  "--memory",
];

Deno.test("readCommand() gives a command line that means the same", async () => {
  const { flags, command } = await readCommand(given);
  deepEqual((await readCommand(command)).flags, flags);
  ok(command.includes("--format=csv") && command.includes("--budget=64-128*2,50%"), command.join(" "));
});

Deno.test("readCommand() with --resume takes the earlier run's flags, except how results are printed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { flags: earlier, command } = await readCommand(given);
    await Deno.writeTextFile(join(folder, "results.json"), JSON.stringify({ config: { command } }));
    const { flags } = await readCommand(["--resume", folder]);
    deepEqual(flags, { ...earlier, resume: folder, format: undefined, memory: false });
    deepEqual([flags.budget, flags.method, flags.repetitions], [[64, 128, "50%"], ["h2o", "tova"], 4]);
    equal((await readCommand(["--resume", folder, "-o", "jsonl"])).flags.format, "jsonl");
    equal((await readCommand(["--resume", folder, "--json"])).flags.format, "json");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
