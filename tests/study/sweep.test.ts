/** Sweeps as a user runs them: cells, failures, kills, several at once. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { readResults } from "../../lib/report/results/results_file.ts";
import { layoutOf } from "../../lib/study/store/layout.ts";
import { Store } from "../../lib/study/store/store.ts";
import { Cells } from "../../lib/study/store/cells.ts";
import { BENCH_PERMISSIONS } from "../../lib/study/work/bench_process.ts";
import { runSweep } from "../../lib/study/work/run_sweep.ts";
import { InputError } from "../../lib/util/errors.ts";
import { bench, TemporaryFolder } from "../bench/_bench.ts";
import { compareSweeps, kill, startSweep, sweepToEnd } from "./_kills.ts";

const TINY = {
  device: "cpu",
  num_samples: 1,
  repetitions: 1,
  num_warmup: 0,
  max_new_tokens: 4,
  max_tokens: 40,
  prompt_tokens: 16,
};
const QUALITY = { ...TINY, passes: "quality", no_recent_only: true };

/** A plan's file in a folder of its own. */
async function write(folder: TemporaryFolder, plan: object, name = "plan.json"): Promise<string> {
  await Deno.writeTextFile(join(folder.path, name), JSON.stringify(plan));
  return join(folder.path, name);
}

/** Whether the first run of a sweep measures: its folder is there, and no other run has begun. */
function hasBegun(out: string): boolean {
  const inside = (folder: string): string[] => {
    try {
      return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
        isDirectory ? inside(join(folder, name)) : name
      );
    } catch {
      return [];
    }
  };
  const files = inside(join(out, "jobs"));
  const [runs, results] = ["bench.log", "results.json"].map((name) => files.filter((file) => file === name).length);
  return runs === 1 && results === 1;
}

/** The cells of a sweep by their names and numbering. */
async function cellsIn(folder: string) {
  const cells = new Cells(layoutOf(folder));
  const found = new Map<string, { key: string; results: Awaited<ReturnType<typeof readResults>> }>();
  for (const key of await cells.done()) {
    const { name, configuration } = await cells.read(key);
    found.set(`${name} ${configuration.positions}`, { key, results: await readResults(cells.resultsOf(key)) });
  }
  return found;
}

Deno.test("a cell holds what bench measures alone; what is done is not measured again; another plan adds cells", async () => {
  await using folder = new TemporaryFolder();
  const grid = { method: ["streaming_llm", "tova"], budget: [8], positions: ["absolute", "cache"] };
  const plan = await write(folder, { defaults: QUALITY, grid });
  const out = join(folder.path, "sweep");
  const first = await sweepToEnd(plan, out);
  equal(first.code, 0, first.said);
  const cells = await cellsIn(out);
  deepEqual([...cells.keys()].sort(), ["streaming_8 absolute", "streaming_8 cache", "tova_8 absolute", "tova_8 cache"]);

  const flags = Object.entries(QUALITY).map(([flag, value]) => `--${flag}=${value}`);
  const quality = ({ nll, perplexity, method }: { nll: number[]; perplexity: number; method: string }) => [
    method,
    perplexity,
    nll,
  ];
  for (const positions of ["absolute", "cache"]) {
    const own = ["--method=tova", "--budget=8", `--positions=${positions}`, "--no_chart", "-o", "json"];
    const alone = await bench([...flags, ...own, "--output", folder.path]);
    equal(alone.code, 0, alone.stderr);
    const expected = JSON.parse(alone.stdout), { results } = cells.get(`tova_8 ${positions}`)!;
    // The sweep's full cache is numbered as the first of both: with the other, sums are rounded in another order.
    const which = positions === "absolute" ? 0 : 1;
    deepEqual(results.raw_results.map(quality).slice(which), expected.raw_results.map(quality).slice(which));
    deepEqual(results.configurations.map(({ name }) => name), ["baseline", "tova_8"]);
    deepEqual(Object.keys(results.aggregated_stats), ["baseline", "tova_8"]);
    equal(results.configurations[1]!.positions, positions);
    equal(results.config.method, "tova");
    if (which === 1) continue;
    deepEqual(results.divergence, expected.divergence);
    deepEqual(results.comparisons, expected.comparisons);
    deepEqual(results.config.positions, "absolute");
  }

  const again = await sweepToEnd(plan, out);
  equal(again.code, 0);
  ok(!/begins/.test(again.said), again.said);
  const more = await write(
    folder,
    { defaults: QUALITY, grid: { ...grid, budget: [8, 16], positions: ["absolute"] } },
    "more.json",
  );
  const added = await sweepToEnd(more, out);
  equal(added.code, 0, added.said);
  ok(
    /^\[3\/4.*streaming_16/m.test(added.said) && /^\[4\/4\] tova_16/m.test(added.said) && !/_8:/.test(added.said),
    added.said,
  );
  equal((await cellsIn(out)).size, 6);
  equal([...Deno.readDirSync(join(out, "baselines"))].length, 1, "the same baseline, bit for bit");
});

Deno.test("a cell that fails is recorded with its reason, does not stop the others, and is tried again when asked", async () => {
  await using folder = new TemporaryFolder();
  // Two layers of eight are skipped: alone, they hold 25 % of the full cache.
  const plan = await write(folder, { defaults: QUALITY, grid: { method: "tova", budget: ["20%", "60%"] } });
  const out = join(folder.path, "sweep");
  const first = await sweepToEnd(plan, out);
  equal(first.code, 1);
  ok(
    /^\[1\/2\] tova_20%: failed: Cannot run tova_20% with --budget 20%: .*; give --budget/m.test(first.said),
    first.said,
  );
  ok(/^1 of 2 cells are done, 1 failed/m.test(first.said), first.said);
  const cells = new Cells(layoutOf(out));
  const [key] = await cells.failed();
  const again = await sweepToEnd(plan, out);
  equal(again.code, 1);
  ok(!/begins/.test(again.said), "not tried again by itself");
  equal((await cells.failure(key!))?.attempts.length, 1);
  equal((await sweepToEnd(plan, out, "--retry_failed")).code, 1);
  equal((await cells.failure(key!))?.attempts.length, 2);
});

Deno.test("a cell that takes too long has failed; tried again, it has all of its time", async () => {
  await using folder = new TemporaryFolder();
  const plan = await write(folder, { defaults: QUALITY, grid: { method: "streaming_llm", budget: 16 } });
  const out = join(folder.path, "sweep");
  const running = startSweep(plan, out, "--cell_timeout=2");
  let isOver = false;
  void running.ended.then(() => isOver = true);
  // Passes that stand still take too long on any machine. The run's first process only looks for a device.
  for (; !isOver; await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (hasBegun(out)) await kill(running, "pass", "SIGSTOP");
  }
  const { code, said } = await running.ended;
  equal(code, 1, said);
  ok(/streaming_16: failed: its processes took over 2 s together/.test(said), said);
  const second = await sweepToEnd(plan, out, "--retry_failed");
  equal(second.code, 0, second.said);
  const cell = (await cellsIn(out)).get("streaming_16 absolute")!;
  equal(cell.results.raw_results.length, 2);
  deepEqual(await new Cells(layoutOf(out)).failed(), new Set());
});

Deno.test("two sweeps on one folder measure each cell once, and both end well", async () => {
  await using folder = new TemporaryFolder();
  const plan = await write(folder, {
    chunk: 1,
    defaults: QUALITY,
    grid: { method: ["streaming_llm", "tova"], budget: [8, 16] },
  });
  const out = join(folder.path, "sweep");
  const both = await Promise.all([sweepToEnd(plan, out), sweepToEnd(plan, out)]);
  deepEqual(both.map(({ code }) => code), [0, 0], both.map(({ said }) => said).join("\n"));
  const { once, twice, lost } = await compareSweeps(out, out);
  deepEqual({ once, twice, lost }, { once: 4, twice: [], lost: [] });
});

Deno.test("a sweep whose parts are killed ends with the cells of an undisturbed one, each once and equal bit for bit", async () => {
  await using folder = new TemporaryFolder();
  const grid = { method: ["streaming_llm", "tova"], budget: [8, 16] };
  const plan = await write(folder, { chunk: 2, defaults: { ...TINY, no_recent_only: true }, grid });
  const [undisturbed, out] = [join(folder.path, "undisturbed"), join(folder.path, "sweep")];
  equal((await sweepToEnd(plan, undisturbed)).code, 0);
  let running = startSweep(plan, out);
  for (const target of ["parent", "worker", "ctrl-c", "pass"] as const) {
    await new Promise((resolve) => setTimeout(resolve, 1000 + Math.random() * 2500));
    if (!await kill(running, target)) continue;
    if (target === "worker" || target === "pass") continue;
    const { code } = await running.ended;
    ok(target === "parent" ? code === 137 : code === 130 || code === 0, `${target}: ${code}`);
    running = startSweep(plan, out);
  }
  await running.ended;
  const last = await sweepToEnd(plan, out, "--retry_failed");
  equal(last.code, 0, last.said);
  deepEqual(await compareSweeps(out, undisturbed), { once: 4, twice: [], lost: [], different: [] });
  deepEqual(folder.names("sweep", "claims")!.filter((name) => !name.startsWith(".")), []);
});

Deno.test("a dry run prints cells, jobs and the time that earlier results say, and writes nothing", async () => {
  await using folder = new TemporaryFolder();
  const plan = await write(folder, { defaults: QUALITY, grid: { method: "streaming_llm", budget: [8, 16] } });
  const dry = async (...flags: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", "bench/sweep.ts", plan, "--dry_run", ...flags],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    equal(code, 0, decode(stderr));
    return decode(stdout);
  };
  const out = join(folder.path, "sweep");
  const before = await dry("--output", out);
  ok(/2 cells in 1 job; 0 done, 0 failed\n\njob 0, 2 cells, time unknown/.test(before), before);
  ok(/missing: streaming_8 streaming_16\n/.test(before), before);
  equal(folder.names("sweep"), undefined);
  const flags = Object.entries(QUALITY).map(([flag, value]) => `--${flag}=${value}`);
  await bench([...flags, "--method=tova", "--budget=8", "--no_chart", "--output", join(folder.path, "earlier")]);
  const known = await dry("--output", out, "--results", join(folder.path, "earlier"));
  ok(/2 cells left: about \d+ s on one worker/.test(known), known);
});

Deno.test("a GPU that another worker of the sweep measures on is refused", async () => {
  await using folder = new TemporaryFolder();
  await using first = await Store.open(folder.path);
  await using second = await Store.open(folder.path);
  const gpu = { name: "NVIDIA H100", uuid: "GPU-1" };
  const { claim } = await first.claims.take(`gpu-${Deno.hostname()}-GPU-1`);
  const options = { script: "", signal: new AbortController().signal };
  const refused = await runSweep(second, [{ visible: "0", gpu, jobs: [] }], options).catch((error) => error);
  ok(refused instanceof InputError, String(refused));
  ok(
    /^Cannot measure on GPU 0 \(NVIDIA H100\): process \d+ on .* of the same sweep measures on it/.test(
      refused.message,
    ),
    refused.message,
  );
  await runSweep(second, [{ visible: "1", gpu: { ...gpu, uuid: "GPU-2" }, jobs: [] }], options);
  await claim![Symbol.asyncDispose]();
  await runSweep(second, [{ visible: "0", gpu, jobs: [] }], options);
});

Deno.test("a run of a sweep has the permissions of the task bench", () => {
  const task = config.tasks.bench.command.replace(`"$(deno eval 'console.log(Deno.execPath())')"`, Deno.execPath());
  deepEqual(task.split(" ").filter((part) => part.startsWith("--allow")), BENCH_PERMISSIONS);
});

Deno.test("mistakes end with code 2 before anything is written", async () => {
  await using folder = new TemporaryFolder();
  const plan = await write(folder, { defaults: { device: "cpu" }, grid: { method: "tova", budget: 8 } });
  const missing = await write(
    folder,
    { defaults: { device: "cpu", model_id: "./nowhere" }, grid: { method: "tova" } },
    "missing.json",
  );
  const out = join(folder.path, "sweep");
  const cases: [string, string[], RegExp][] = [
    [join(folder.path, "no.yaml"), [], /Cannot read .*no\.yaml: there is no such file/],
    [plan, ["--jobs", "1"], /Cannot use --jobs 1: the plan has 1 jobs; the last one is 0/],
    [plan, ["--chunks", "1"], /did you mean --chunk\?/],
    [plan, ["--devices", "0"], /Cannot use --devices 0: a run would be on the CPU/],
    [missing, [], /nowhere/],
  ];
  for (const [file, flags, message] of cases) {
    const { code, said } = await sweepToEnd(file, out, ...flags);
    equal(code, 2, said);
    ok(message.test(said), said);
  }
  equal(folder.names("sweep", "cells"), undefined);
});
