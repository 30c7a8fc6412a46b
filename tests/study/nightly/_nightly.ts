/** Runs `deno task nightly` as cron does, and makes earlier nights of it. */
import { join } from "@std/path";
import config from "../../../deno.json" with { type: "json" };
import type { BenchmarkResults } from "../../../lib/report/results/types.ts";
import { project, type TemporaryFolder } from "../../bench/_bench.ts";

/** A plan of tiny cells of quality alone, whose figures repeat. */
export const QUALITY = {
  name: "tiny",
  defaults: {
    ...{ device: "cpu", num_samples: 1, repetitions: 1, num_warmup: 0, max_new_tokens: 4 },
    ...{ max_tokens: 40, prompt_tokens: 16, no_recent_only: true, passes: "quality" },
  },
  grid: { method: ["streaming_llm", "tova"], budget: 8 },
};

/** A running or ended night. */
export interface Started {
  readonly process: Deno.ChildProcess;
  readonly ended: Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
}

/** Writes a plan. */
export async function writePlan(folder: TemporaryFolder, plan: object = QUALITY): Promise<string> {
  const path = join(folder.path, "plan.json");
  await Deno.writeTextFile(path, JSON.stringify(plan));
  return path;
}

/** Starts a night with cron's environment, the script itself or through its task. */
export function startNight(plan: string, nights: string, flags: readonly string[] = [], how = "script"): Started {
  const args = how === "task" ? ["task", "--quiet", "--config", join(project, "deno.json"), "nightly"] : script();
  const process = new Deno.Command(Deno.execPath(), {
    args: [...args, plan, "--output", nights, ...flags],
    cwd: "/",
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ended = Promise.all([
    new Response(process.stdout).text(),
    new Response(process.stderr).text(),
    process.status,
  ]).then(([out, err, { code }]) => ({ code, out, err }));
  return { process, ended };
}

/** Runs a night to its end. */
export function night(plan: string, nights: string, ...flags: string[]) {
  return startNight(plan, nights, flags).ended;
}

function script(): string[] {
  const command = config.tasks.nightly.command
    .replace(`"$(deno eval 'console.log(Deno.execPath())')"`, Deno.execPath())
    .replace("bench/nightly.ts", join(project, "bench/nightly.ts"));
  const [, run, ...args] = command.split(" ");
  return [run!, "--config", join(project, "deno.json"), ...args];
}

/** The nights in a folder, by name. */
export function nightsOf(nights: string): string[] {
  return [...Deno.readDirSync(nights)].map(({ name }) => name).filter((name) => !name.startsWith(".")).sort();
}

/** A date some days before. */
export function daysBefore(night: string, days: number): string {
  return Temporal.PlainDate.from(night).subtract({ days }).toString();
}

/** Makes a night into one of another date. */
export async function moveNight(nights: string, from: string, to: string): Promise<void> {
  await Deno.rename(join(nights, from), join(nights, to));
  await date(nights, to);
}

/** Makes a copy of a night under another date. */
export async function copyNight(nights: string, from: string, to: string): Promise<void> {
  const copy = (source: string, target: string) => {
    Deno.mkdirSync(target, { recursive: true });
    for (const { name, isDirectory } of Deno.readDirSync(source)) {
      if (isDirectory) copy(join(source, name), join(target, name));
      else Deno.copyFileSync(join(source, name), join(target, name));
    }
  };
  copy(join(nights, from), join(nights, to));
  await date(nights, to);
}

async function date(nights: string, night: string): Promise<void> {
  const path = join(nights, night, "night.json");
  await Deno.writeTextFile(path, JSON.stringify({ ...JSON.parse(await Deno.readTextFile(path)), night }));
}

/** Changes the results.json of a night's cells, or of those of one configuration. */
export async function edit(nights: string, night: string, change: (results: BenchmarkResults) => void): Promise<void> {
  const cells = join(nights, night, "sweep", "cells");
  for await (const { name } of Deno.readDir(cells)) {
    const path = join(cells, name, "results.json");
    const results = JSON.parse(await Deno.readTextFile(path));
    change(results);
    await Deno.writeTextFile(path, JSON.stringify(results));
  }
}

/** The results of a night's cells. */
export function resultsIn(nights: string, night: string, sweep = "sweep"): BenchmarkResults[] {
  const cells = join(nights, night, sweep, "cells");
  return [...Deno.readDirSync(cells)].map(({ name }) =>
    JSON.parse(Deno.readTextFileSync(join(cells, name, "results.json")))
  );
}

/** A night's log. */
export function logOf(nights: string, night: string): string {
  return Deno.readTextFileSync(join(nights, night, "nightly.log"));
}
