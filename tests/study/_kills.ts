/** Sweeps that are killed at random moments, and what is left of them. Linux. */
import { join } from "@std/path";
import { readResults } from "../../lib/report/results/results_file.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { project, taskArguments } from "../bench/_bench.ts";
import { processes } from "../bench/_processes.ts";

/** What is killed. */
export const TARGETS = ["parent", "worker", "pass", "ctrl-c"] as const;
/** One of them: the sweep's process, the run that it started, or the process of one pass; or the sweep is asked to end. */
export type Target = typeof TARGETS[number];

/** A plan of 40 tiny cells: 4 methods and a control group at 4 budgets, for 2 lengths; 4 jobs of 10 cells. */
export const FORTY = {
  name: "forty",
  chunk: 10,
  defaults: { device: "cpu", num_samples: 1, repetitions: 1, num_warmup: 0, max_new_tokens: 4, keep_ratios: [0.5] },
  grid: {
    method: ["streaming_llm", "tova", "keydiff", "fix_size_l2"],
    budget: [8, 12, 16, 24],
    lengths: [{ max_tokens: 40, prompt_tokens: 16 }, { max_tokens: 48, prompt_tokens: 16 }],
  },
};

/** A sweep that runs. */
export interface RunningSweep {
  readonly process: Deno.ChildProcess;
  /** Its exit code and what it said. */
  readonly ended: Promise<{ readonly code: number; readonly said: string }>;
}

/** Starts a sweep with the permissions of its task. */
export function startSweep(plan: string, folder: string, ...flags: string[]): RunningSweep {
  const process = new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("sweep"), plan, `--output=${folder}`, ...flags],
    cwd: project,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const ended = Promise.all([new Response(process.stderr).text(), process.status])
    .then(([said, { code }]) => ({ code, said }));
  return { process, ended };
}

/** Runs a sweep to its end. */
export function sweepToEnd(plan: string, folder: string, ...flags: string[]) {
  return startSweep(plan, folder, ...flags).ended;
}

/** Kills a part of a running sweep, or sends it another signal; returns whether there was such a process. */
export async function kill(
  { process }: RunningSweep,
  target: Target,
  how: Deno.Signal = "SIGKILL",
): Promise<boolean> {
  const send = (pid: number, signal: Deno.Signal) => {
    try {
      Deno.kill(pid, signal);
      return true;
    } catch {
      return false;
    }
  };
  if (target === "parent") return send(process.pid, how);
  if (target === "ctrl-c") return send(process.pid, "SIGINT");
  const all = await processes();
  const run = all.find(({ parent, command }) => parent === process.pid && command.includes("bench/kv_cache.ts"));
  if (run === undefined) return false;
  if (target === "worker") return send(run.pid, how);
  const pass = all.find(({ parent, command }) => parent === run.pid && command.includes("child_main.ts"));
  return pass !== undefined && send(pass.pid, how);
}

/** What is left of a sweep, against one that was not disturbed. */
export interface Comparison {
  /** Cells stored once. */
  readonly once: number;
  /** Cells that were stored, or measured to the end, more than once. */
  readonly twice: string[];
  /** Cells that are missing, or not whole. */
  readonly lost: string[];
  /** Cells whose quality differs in any bit. */
  readonly different: string[];
}

/** Compares a sweep's cells with those of an undisturbed one. */
export async function compareSweeps(folder: string, undisturbed: string): Promise<Comparison> {
  const twice: string[] = [], lost: string[] = [], different: string[] = [];
  const keys = [...Deno.readDirSync(join(undisturbed, "cells"))].map(({ name }) => name).sort();
  const found = [...Deno.readDirSync(join(folder, "cells"))].map(({ name }) => name);
  const extra = found.filter((name) => !keys.includes(name));
  const stored = new Map<string, number>();
  for (const { name } of Deno.readDirSync(join(folder, "logs"))) {
    for (const line of Deno.readTextFileSync(join(folder, "logs", name)).split("\n").filter(Boolean)) {
      const { event, cell } = JSON.parse(line);
      if (event === "stored" || event === "already there") stored.set(cell, (stored.get(cell) ?? 0) + 1);
    }
  }
  for (const key of keys) {
    const own = await readResults(join(folder, "cells", key)).catch(() => undefined);
    if (own === undefined) {
      lost.push(key);
      continue;
    }
    if ((stored.get(key) ?? 0) > 1) twice.push(key);
    const before = await readResults(join(undisturbed, "cells", key));
    if (JSON.stringify(qualityOf(own)) !== JSON.stringify(qualityOf(before))) different.push(key);
  }
  return { once: keys.length - lost.length - twice.length, twice, lost: [...lost, ...extra], different };
}

/** Everything of a cell's quality: no times, no machine. */
function qualityOf({ raw_results, divergence, comparisons = {}, configurations, evicted_from }: BenchmarkResults) {
  return {
    raw: raw_results.map(({ method, sample, perplexity, accuracy, nll, right, divergence, ...raw }) => ({
      ...{ method, sample, perplexity, accuracy, nll, right, divergence },
      ...{ sizes: raw.layer_cache_sizes, final: raw.final_cache_size, copied: raw.entries_copied.quality },
    })),
    divergence,
    quality: Object.entries(comparisons).map(([name, { quality }]) => [name, quality]),
    configurations: configurations.map((
      { name, method, params, positions, status },
    ) => [name, method, params, positions, status]),
    evicted_from,
  };
}
