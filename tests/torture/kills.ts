/**
 * Kills runs of the benchmark, at any moment and at each call that writes, and checks what they leave: no process,
 * every finished sample, a readable results.json, and figures that are the same to the last bit when the run is
 * resumed.
 *
 *     deno run -A tests/torture/kills.ts --count 200 --seed 1
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { join } from "@std/path";
import { readResults } from "../../lib/report/results/results_file.ts";
import type { BenchmarkResults, RawResult } from "../../lib/report/results/types.ts";
import { ofSession, type Running } from "../bench/_processes.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { compileStub, hasGcc } from "../cuda/compile_stub.ts";
import { CONFIGURATIONS, describe, type KillCase, killCase, SAMPLES, savedAfter, SHORT } from "./kill_case.ts";
import { foldersIn, hasNpx, KilledRun, resume } from "./killed_run.ts";
import type { TortureOptions, Verdict } from "./verdict.ts";

/** Runs at a time. */
const TOGETHER = 2;
/** Longest time a process may outlive its parent, ms. */
const LEFT_MS = 5000;
/** Time after which a run counts as hanging, ms. */
const HANG_MS = 120_000;

/** Data shared by all cases. */
interface Ground {
  /** An undisturbed run's figures, by configuration and sample. */
  readonly nll: ReadonlyMap<string, readonly number[]>;
  /** The library that counts calls. */
  readonly shim: string | undefined;
  readonly npx: boolean;
}

/**
 * Kills runs.
 *
 * @param options How many cases, and the first seed.
 * @returns One verdict per kill, in the order of their ends.
 */
export async function* run({ seed, count }: TortureOptions): AsyncIterable<Verdict> {
  if (Deno.build.os !== "linux") throw new Error("Cannot kill runs: processes are found by means of Linux");
  const ground: Ground = {
    nll: await undisturbed(),
    shim: hasGcc ? await compileStub(new URL("./kill_shim.c", import.meta.url), "libkill.so") : undefined,
    npx: await hasNpx(),
  };
  const going = new Map<number, Promise<Verdict>>();
  for (let next = seed; next < seed + count || going.size > 0;) {
    while (going.size < TOGETHER && next < seed + count) going.set(next, verdictOf(next++, ground));
    const verdict = await Promise.race(going.values());
    going.delete(verdict.seed);
    yield verdict;
  }
}

async function undisturbed(): Promise<Map<string, readonly number[]>> {
  await using folder = new TemporaryFolder();
  await using whole = new KilledRun("run", [...SHORT, "--output", folder.path]);
  await whole.lines(Infinity);
  return figuresOf(samplesOf(await readResults(foldersIn(folder.path)[0]!)));
}

async function verdictOf(seed: number, ground: Ground): Promise<Verdict> {
  const kill = killCase(seed, ground.shim !== undefined, ground.npx);
  const started = performance.now();
  let outcome: Verdict["outcome"] = "failed", detail: string;
  try {
    [outcome, detail] = await judge(kill, ground);
  } catch (error) {
    detail = error instanceof Error ? error.stack ?? error.message : String(error);
  }
  return {
    group: "kills",
    seed,
    damage: describe(kill),
    outcome,
    whole: true,
    detail,
    ms: performance.now() - started,
  };
}

/** A kill left something wrong. */
class Wrong extends Error {}

async function judge(kill: KillCase, { nll, shim }: Ground): Promise<["taken" | "refused", string]> {
  await using temporary = new TemporaryFolder();
  const output = join(temporary.path, "out"), log = join(temporary.path, "calls");
  const env = kill.kind === "signal" ? {} : {
    LD_PRELOAD: shim!,
    KILL_UNDER: temporary.path,
    KILL_AT: `${kill.call}`,
    KILL_WHEN: kill.when,
    KILL_LOG: log,
  };
  await using run = new KilledRun(kill.kind === "signal" ? kill.launcher : "run", [...SHORT, "--output", output], env);
  const victim = await strike(run, kill);
  await watch(run, victim);
  const folders = foldersIn(output);
  if (folders.length > 1) throw new Wrong(`it made ${folders.length} folders`);
  if (/^ +at /m.test(run.said)) throw new Wrong(`a stack trace:\n${run.said}`);
  let finished = run.code === 0
    ? CONFIGURATIONS.length * SAMPLES
    : finishedBy(run.said, kill.kind === "call" || kill.victim !== "child");
  if (kill.kind === "call") {
    const calls = names(temporary.path).includes("calls") ? Deno.readTextFileSync(log).trim().split("\n") : [];
    const expected = kill.call + (kill.when === "after" ? 1 : 0);
    if (calls.length !== expected) throw new Wrong(`${calls.length} calls, not ${expected}`);
    finished = Math.max(finished, savedAfter(calls.filter((name) => name === "rename").length));
  }
  const [folder] = folders;
  if (folder === undefined) {
    if (finished > 0) throw new Wrong(`${finished} samples were finished, and there is no folder`);
    return ["refused", "nothing was measured, and nothing is left"];
  }
  const saved = await savedIn(folder);
  if (saved.length < finished) throw new Wrong(`${finished} samples were finished, ${saved.length} are there`);
  checkFigures(saved, nll);
  return await goOn(folder, saved, nll);
}

/** Sends the signal, or waits until the shim kills; returns the process whose end ends the run. */
async function strike(run: KilledRun, kill: KillCase): Promise<Running | undefined> {
  if (kill.kind === "call") return undefined;
  await run.lines(kill.lines);
  await new Promise((resolve) => setTimeout(resolve, kill.delay));
  // If no child exists now, its parent gets the signal.
  const victim = await run.signal(kill.victim, kill.signal) ?? await run.signal("parent", kill.signal);
  return kill.victim === "child" ? undefined : victim;
}

/** Waits for the end of the run and of all its processes. */
async function watch(run: KilledRun, victim: Running | undefined): Promise<void> {
  const started = performance.now();
  let over: number | undefined;
  while (true) {
    const isOver = run.code !== undefined;
    const left = await ofSession(run.session);
    if (left.length === 0) return;
    const now = performance.now();
    if (isOver || victim && !left.some(({ pid }) => pid === victim.pid)) over ??= now;
    const shown = left.map(({ pid, parent, state, command }) => `${pid} ${parent} ${state} ${command}`).join("\n");
    if (over !== undefined && now - over > LEFT_MS) throw new Wrong(`processes are left:\n${shown}\n${run.said}`);
    if (now - started > HANG_MS) throw new Wrong(`it hangs:\n${shown}\n${run.said}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/**
 * Returns how many samples were finished by the printed progress: one is, once the next phase has begun.
 *
 * @param isWhole Whether no child was killed, so that a configuration's last sample is finished once the next one has
 * begun.
 */
function finishedBy(stderr: string, isWhole: boolean): number {
  const begun = new Map<number, number>();
  for (const [, index, sample] of stderr.matchAll(/^\[(\d+)\/\d+\] [^:,]+(?:, sample (\d+)\/\d+)?: /gm)) {
    begun.set(Number(index), Math.max(begun.get(Number(index)) ?? 0, Number(sample ?? 1)));
  }
  const last = Math.max(...begun.keys());
  return [...begun].reduce((sum, [index, sample]) => sum + (isWhole && index < last ? SAMPLES : sample - 1), 0);
}

async function savedIn(folder: string): Promise<RawResult[]> {
  if (!names(folder).includes("results.json")) return [];
  return samplesOf(await readResults(folder));
}

/** Resumes a run, and checks that it is then complete. */
async function goOn(
  folder: string,
  saved: readonly RawResult[],
  nll: Ground["nll"],
): Promise<["taken" | "refused", string]> {
  const isThere = names(folder).includes("results.json");
  const { code, stderr } = await resume(folder);
  if (!isThere) {
    if (code !== 2 || !/^Cannot resume [^\n]+\n$/.test(stderr)) throw new Wrong(`code ${code}, not a line: ${stderr}`);
    return ["refused", stderr.trim()];
  }
  if (code !== 0) throw new Wrong(`--resume ended with code ${code}:\n${stderr}`);
  for (const { method, sample } of saved) {
    if (new RegExp(`\\] ${method}, sample ${sample + 1}/`).test(stderr)) throw new Wrong(`measured again:\n${stderr}`);
  }
  const results = await readResults(folder);
  const samples = samplesOf(results);
  if (results.failures.length > 0 || results.configurations.some(({ status }) => status !== "done")) {
    throw new Wrong(`--resume did not complete it:\n${stderr}`);
  }
  if (samples.length !== nll.size) throw new Wrong(`${samples.length} samples after --resume, not ${nll.size}`);
  checkFigures(samples, nll);
  const stale = names(folder).filter((name) => name.endsWith(".tmp"));
  if (stale.length > 0) throw new Wrong(`left: ${stale}`);
  return ["taken", `${saved.length} of ${nll.size} samples were there`];
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

function samplesOf({ raw_results, failures }: BenchmarkResults): RawResult[] {
  return [...raw_results, ...failures.flatMap(({ samples = [] }) => samples)];
}

function figuresOf(samples: readonly RawResult[]): Map<string, readonly number[]> {
  return new Map(samples.map(({ method, sample, nll, perplexity }) => [`${method} ${sample}`, [...nll, perplexity]]));
}

function checkFigures(samples: readonly RawResult[], expected: Ground["nll"]): void {
  const figures = figuresOf(samples);
  if (figures.size !== samples.length) throw new Wrong("a sample is there twice");
  for (const [name, values] of figures) {
    const wanted = expected.get(name);
    if (wanted?.length !== values.length || !values.every((value, i) => Object.is(value, wanted[i]))) {
      throw new Wrong(`${name} has other figures`);
    }
  }
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["seed", "count"], boolean: ["verbose"] });
  const counts = { taken: 0, refused: 0, failed: 0 };
  const options = { seed: Number(flags.seed ?? 1), count: Number(flags.count ?? 200), wholeOneIn: 1 };
  for await (const { seed, damage, outcome, detail, ms } of run(options)) {
    counts[outcome]++;
    if (flags.verbose || outcome === "failed") {
      console.log(`${seed} ${outcome} (${(ms / 1000).toFixed(1)} s): ${damage}: ${detail}`);
    }
  }
  console.log(counts);
  Deno.exitCode = counts.failed > 0 ? 1 : 0;
}
