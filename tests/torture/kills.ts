/**
 * Kills runs of the benchmark, at any moment and at each call that writes, and checks what they leave: no process,
 * every finished pass, a readable results.json, and figures that are the same to the last bit when the run is
 * resumed.
 *
 *     deno run -A tests/torture/kills.ts --count 248 --seed 1
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { join } from "@std/path";
import { readResults } from "../../lib/report/results/results_file.ts";
import type { SpeedRun } from "../../lib/report/results/spread_types.ts";
import type { BenchmarkResults } from "../../lib/report/results/types.ts";
import { ofSession, type Running } from "../bench/_processes.ts";
import { TemporaryFolder } from "../bench/_bench.ts";
import { compileStub, hasGcc } from "../cuda/compile_stub.ts";
import {
  CONFIGURATIONS,
  describe,
  type KillCase,
  killCase,
  PASSES,
  ROUNDS,
  SAMPLES,
  savedAfter,
  SHORT,
} from "./kill_case.ts";
import { foldersIn, hasNpx, KilledRun, resume } from "./killed_run.ts";
import type { TortureOptions, Verdict } from "./verdict.ts";

/** Runs at a time. */
const TOGETHER = 2;
/** Longest time a process may outlive its parent, ms. */
const LEFT_MS = 5000;
/** Time after which a run counts as hanging, ms. */
const HANG_MS = 120_000;

/** Finished passes by name, such as "quality of baseline 1", each with the figures that are the same in every run. */
type Passes = ReadonlyMap<string, readonly number[]>;

/** Data shared by all cases. */
interface Ground {
  /** An undisturbed run's passes. */
  readonly expected: Passes;
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
    expected: await undisturbed(),
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

async function undisturbed(): Promise<Passes> {
  await using folder = new TemporaryFolder();
  await using whole = new KilledRun("run", [...SHORT, "--output", folder.path]);
  await whole.lines(Infinity);
  return passesIn(await readResults(foldersIn(folder.path)[0]!));
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

async function judge(kill: KillCase, { expected, shim }: Ground): Promise<["taken" | "refused", string]> {
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
  let finished = run.code === 0 ? PASSES : finishedBy(run.said, kill.kind === "call" || kill.victim !== "child");
  if (kill.kind === "call") {
    const calls = names(temporary.path).includes("calls") ? Deno.readTextFileSync(log).trim().split("\n") : [];
    const count = kill.call + (kill.when === "after" ? 1 : 0);
    if (calls.length !== count) throw new Wrong(`${calls.length} calls, not ${count}`);
    finished = Math.max(finished, savedAfter(calls.filter((name) => name === "rename").length));
  }
  const [folder] = folders;
  if (folder === undefined) {
    if (finished > 0) throw new Wrong(`${finished} passes were finished, and there is no folder`);
    return ["refused", "nothing was measured, and nothing is left"];
  }
  const saved = await savedIn(folder);
  const there = saved ? passesIn(saved) : new Map<string, readonly number[]>();
  if (there.size < finished) throw new Wrong(`${finished} passes were finished, ${there.size} are there`);
  checkFigures(there, expected);
  return await goOn(folder, saved, there, expected);
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
 * Returns how many passes were certainly finished by the printed progress: one is, once the next one of its kind has
 * begun.
 *
 * @param isWhole Whether no child was killed. If one was, its configuration has no further passes.
 */
function finishedBy(stderr: string, isWhole: boolean): number {
  const begun = new Map<number, number>();
  for (const [, index, sample] of stderr.matchAll(/^\[(\d+)\/\d+\] [^:,]+(?:, sample (\d+)\/\d+)?: /gm)) {
    begun.set(Number(index), Math.max(begun.get(Number(index)) ?? 0, Number(sample ?? 1)));
  }
  const round = Math.max(0, ...[...stderr.matchAll(/^round (\d+)\//gm)].map(([, round]) => Number(round) - 1));
  const whole = CONFIGURATIONS.length - (isWhole ? 0 : 1);
  // The quality of a configuration begins when its speed, and everybody else's, is finished.
  const speed = begun.size === 0 ? round * whole : ROUNDS * (isWhole ? whole : Math.max(whole, begun.size));
  const last = Math.max(...begun.keys());
  return [...begun].reduce((sum, [index, sample]) => sum + (isWhole && index < last ? SAMPLES : sample - 1), speed);
}

async function savedIn(folder: string): Promise<BenchmarkResults | undefined> {
  return names(folder).includes("results.json") ? await readResults(folder) : undefined;
}

/** Resumes a run, and checks that it is then complete, and that nothing was measured again. */
async function goOn(
  folder: string,
  saved: BenchmarkResults | undefined,
  there: Passes,
  expected: Passes,
): Promise<["taken" | "refused", string]> {
  const { code, stderr } = await resume(folder);
  if (saved === undefined) {
    if (code !== 2 || !/^Cannot resume [^\n]+\n$/.test(stderr)) throw new Wrong(`code ${code}, not a line: ${stderr}`);
    return ["refused", stderr.trim()];
  }
  if (code !== 0) throw new Wrong(`--resume ended with code ${code}:\n${stderr}`);
  const [begun, missing] = [begunBy(stderr), [...expected.keys()].filter((name) => !there.has(name))];
  if (`${begun}` !== `${linesOf(missing)}`) {
    throw new Wrong(`${missing} were missing, and these measured: ${begun}:\n${stderr}`);
  }
  const results = await readResults(folder);
  const passes = passesIn(results);
  if (results.failures.length > 0 || results.configurations.some(({ status }) => status !== "done")) {
    throw new Wrong(`--resume did not complete it:\n${stderr}`);
  }
  if (passes.size !== expected.size) throw new Wrong(`${passes.size} passes after --resume, not ${expected.size}`);
  checkFigures(passes, expected);
  for (const run of saved.speed_runs!) {
    const isKept = results.speed_runs!.some((other) => JSON.stringify(other) === JSON.stringify(run));
    if (!isKept) throw new Wrong(`${speedName(run)} was measured again:\n${stderr}`);
  }
  const stale = names(folder).filter((name) => name.endsWith(".tmp"));
  if (stale.length > 0) throw new Wrong(`left: ${stale}`);
  return ["taken", `${there.size} of ${expected.size} passes were there`];
}

/** What a run measured by its printed progress: rounds of speed, and the quality of samples. */
function begunBy(stderr: string): string[] {
  return [...stderr.matchAll(/^(round \d+)\/|^\[\d+\/\d+\] (\S+), sample (\d+)\/\d+: quality$/gm)]
    .map(([, round, method, sample]) => round ?? `quality of ${method} ${Number(sample) - 1}`);
}

/**
 * The progress lines of missing passes, as {@linkcode begunBy} reads them. If one is compared with the full cache, the
 * full cache's quality of that sample comes first, again if it was there: its logits are not kept.
 */
function linesOf(missing: readonly string[]): string[] {
  const rounds = missing.flatMap((pass) => {
    const [, round] = /in round (\d+)$/.exec(pass) ?? [];
    return round === undefined ? [] : [`round ${Number(round) + 1}`];
  });
  const quality = missing.filter((pass) => pass.startsWith("quality"));
  const compared = quality.filter((pass) => !pass.includes(` ${CONFIGURATIONS[0]} `));
  const samples = compared.length === 0 ? [] : [...new Set(quality.map((pass) => pass.split(" ").at(-1)))].sort();
  const first = samples.map((sample) => `quality of ${CONFIGURATIONS[0]} ${sample}`);
  return [...new Set(rounds), ...compared.length === 0 ? quality : [...first, ...compared]];
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

function speedName({ method, sample, round }: SpeedRun): string {
  return `speed of ${method} ${sample} in round ${round}`;
}

/** Returns the finished passes in the order of the run. */
function passesIn({ speed_runs, raw_results, failures }: BenchmarkResults): Passes {
  const speed = speed_runs!.map((run) => [speedName(run), [run.entries_copied, run.step_times_s.length]] as const);
  const quality = [...raw_results, ...failures.flatMap(({ quality = [] }) => quality)].map((
    { method, sample, nll, perplexity },
  ) => [`quality of ${method} ${sample}`, [...nll, perplexity]] as const);
  const passes = new Map<string, readonly number[]>([...speed, ...quality]);
  if (passes.size !== speed.length + quality.length) throw new Wrong("a pass is there twice");
  return passes;
}

function checkFigures(passes: Passes, expected: Passes): void {
  for (const [name, values] of passes) {
    const wanted = expected.get(name);
    if (wanted?.length !== values.length || !values.every((value, i) => Object.is(value, wanted[i]))) {
      throw new Wrong(`${name} has other figures`);
    }
  }
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["seed", "count"], boolean: ["verbose"] });
  const counts = { taken: 0, refused: 0, failed: 0 };
  const options = { seed: Number(flags.seed ?? 1), count: Number(flags.count ?? 248), wholeOneIn: 1 };
  for await (const { seed, damage, outcome, detail, ms } of run(options)) {
    counts[outcome]++;
    if (flags.verbose || outcome === "failed") {
      console.log(`${seed} ${outcome} (${(ms / 1000).toFixed(1)} s): ${damage}: ${detail}`);
    }
  }
  console.log(counts);
  Deno.exitCode = counts.failed > 0 ? 1 : 0;
}
