/** Sweeps as job arrays: what is written, and a real Slurm of one node that runs it. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { join } from "@std/path";
import { arrayText, sharesOf } from "../../../lib/study/slurm/array_text.ts";
import { jobComment, type JobScript, jobScript } from "../../../lib/study/slurm/job_script.ts";
import type { QueuedTask } from "../../../lib/study/slurm/programs.ts";
import { coveredBy } from "../../../lib/study/slurm/submit.ts";
import { optionsOf, parseSubmitFlags } from "../../../lib/study/slurm/submit_flags.ts";
import { firstOf } from "../../../lib/study/work/first_of.ts";
import { integers } from "../../../lib/flags/ranges.ts";
import { InputError } from "../../../lib/util/errors.ts";
import { TemporaryFolder } from "../../bench/_bench.ts";
import { compareSweeps, FORTY, sweepToEnd } from "../_kills.ts";
import { countIn, LocalSlurm, logsOf, pause, untilStored } from "./_slurm.ts";

const indices = fc.uniqueArray(fc.nat(60), { minLength: 1 });

Deno.test("the tasks of an array are read as they are written", () => {
  fc.assert(fc.property(indices, (tasks) => {
    const sorted = tasks.toSorted((a, b) => a - b);
    deepEqual([...integers(0)("array", arrayText(tasks))].sort((a, b) => a - b), sorted);
  }));
});

Deno.test("each open job is in the share of one task, and no task has an index over the limit", () => {
  fc.assert(fc.property(indices, fc.integer({ min: 1, max: 70 }), fc.nat(20), (open, most, more) => {
    const jobs = Math.max(...open) + 1 + more;
    const { perTask, tasks } = sharesOf({ jobs, open, most });
    ok(tasks.every((task) => task < most));
    const shares = tasks.map((task) => Array.from({ length: perTask }, (_, i) => task * perTask + i));
    for (const job of open) equal(shares.filter((share) => share.includes(job)).length, 1);
    for (const share of shares) ok(share.some((job) => open.includes(job)), "a task has nothing to do");
  }));
});

Deno.test("a worker begins with its share, and leaves no job out", () => {
  fc.assert(fc.property(indices, fc.array(fc.nat(60)), (own, first) => {
    const jobs = own.toSorted((a, b) => a - b).map((index) => ({ index }));
    const share = [...new Set(first.filter((index) => own.includes(index)))];
    const order = firstOf(jobs, share).map(({ index }) => index);
    deepEqual(order.slice(0, share.length), share);
    deepEqual(order.toSorted((a, b) => a - b), jobs.map(({ index }) => index));
  }));
});

Deno.test("jobs in the share of a task that waits or runs are not submitted again", () => {
  const task = (task: number, comment: string, state = "PENDING"): QueuedTask => ({
    ...{ id: `7_${task}`, task, state, where: "(Resources)", time: "0:00", comment },
  });
  const { covered, others } = coveredBy(
    [
      task(0, jobComment("aa", "bb", 2), "RUNNING"),
      task(3, jobComment("aa", "bb", 2)),
      task(4, jobComment("aa", "bb", 2), "COMPLETING"),
      task(5, jobComment("other", "bb", 2)),
      task(1, jobComment("aa", "cc", 2)),
      task(9, "someone's"),
    ],
    "aa",
    "bb",
  );
  deepEqual([...covered], [0, 1, 6, 7]);
  equal(others, 1);
});

Deno.test("options of sbatch are checked; the batch system must be named", () => {
  const read = (...args: string[]) => optionsOf(parseSubmitFlags(args));
  deepEqual(read("--slurm", "--partition=gpu", "--sbatch_arg=--mem=8G  -n1"), ["--partition=gpu", "--mem=8G", "-n1"]);
  for (
    const [pattern, ...args] of [
      [/add --slurm/, "--partition=gpu"],
      [/--partition: found "a b"/, "--slurm", "--partition=a b"],
      [/"8G" is no option/, "--slurm", "--sbatch_arg=--mem 8G"],
    ] as [RegExp, ...string[]][]
  ) {
    let error: unknown;
    try {
      read(...args);
    } catch (thrown) {
      error = thrown;
    }
    ok(error instanceof InputError);
    match(error.message, pattern);
  }
});

/** Runs a script of a sweep as Slurm would start it, with a worker that is a program of the test. */
async function runScript(folder: string, worker: string, change: Partial<JobScript> = {}, signal?: Deno.Signal) {
  const own = join(folder, `it's "odd" 100% $HOME`);
  await Deno.mkdir(own, { recursive: true });
  const program = join(own, "work er");
  await Deno.writeTextFile(program, `#!/bin/bash\n${worker}`, { mode: 0o755 });
  await Deno.writeTextFile(join(folder, "scontrol"), '#!/bin/bash\necho "scontrol $*"\n', { mode: 0o755 });
  const script = jobScript({
    ...{ name: "night", options: [], shares: { perTask: 3, tasks: [0, 1] }, parallel: undefined, jobs: 5 },
    ...{ plan: join(own, "plan.json"), folder: own, project: own, command: [program, "a b"], flags: ["--x y"] },
    ...{ retryFailed: false, comment: "c", ...change },
  });
  const file = join(folder, "job.sbatch");
  await Deno.writeTextFile(file, script);
  const process = new Deno.Command("bash", {
    args: [file],
    env: {
      SLURM_ARRAY_TASK_ID: "1",
      SLURM_JOB_ID: "8",
      PATH: `${folder}:${Deno.env.get("PATH")}`,
      READY: join(folder, "ready"),
    },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  if (signal !== undefined) {
    while (countIn(join(folder, "ready")) === 0) await pause(20);
    process.kill(signal);
  }
  const { code, stdout, stderr } = await process.output();
  equal(new TextDecoder().decode(stderr), "");
  return { code, said: new TextDecoder().decode(stdout).trim().split("\n"), own };
}

/** A worker that ends in order when asked to. */
const WAITS = (code: number) =>
  `trap 'sleep 0.1; echo ended; exit ${code}' TERM; mkdir -p "$READY/now"; while true; do sleep 0.05; done`;

Deno.test({
  name: "a script runs its share whatever the names are, and passes on how it ended",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = new TemporaryFolder();
    const { code, said, own } = await runScript(folder.path, 'printf "%s\\n" "$@"; exit 1');
    // A failed cell is no failed task.
    equal(code, 0);
    deepEqual(said, ["a b", join(own, "plan.json"), `--output=${own}`, "--first=3-4", "--x y"]);
    equal((await runScript(folder.path, "exit 2")).code, 2);
    const again = await runScript(folder.path, 'printf "%s\\n" "$@"', { retryFailed: true });
    deepEqual(again.said.slice(-3), ["--jobs=3-4", "--x y", "--retry_failed"]);
  },
});

Deno.test({
  name: "USR1 ends the worker in order and queues the task again; TERM does not; work that is done is not queued",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = new TemporaryFolder();
    const path = (name: string) => {
      const own = join(folder.path, name);
      Deno.mkdirSync(own);
      return own;
    };
    const queued = await runScript(path("a"), WAITS(143), {}, "SIGUSR1");
    deepEqual([queued.code, ...queued.said], [0, "ended", "scontrol requeue 8"]);
    const cancelled = await runScript(path("b"), WAITS(143), {}, "SIGTERM");
    deepEqual([cancelled.code, ...cancelled.said], [143, "ended"]);
    const done = await runScript(path("c"), WAITS(0), {}, "SIGUSR1");
    deepEqual([done.code, ...done.said], [0, "ended"]);
  },
});

/** A plan of 8 cells in 4 jobs. */
const EIGHT = {
  ...FORTY,
  ...{ name: "eight", chunk: 2 },
  defaults: { ...FORTY.defaults, passes: "quality", max_tokens: 40, prompt_tokens: 16 },
  grid: { method: "tova", budget: [8, 12, 16, 24] },
};

const slurm = await LocalSlurm.start();
await (typeof slurm === "string" ? undefined : slurm[Symbol.asyncDispose]());

Deno.test({
  name: `a sweep as a job array: cancelled, queued again, submitted twice, it has each cell once, equal bit for bit${
    typeof slurm === "string" ? ` (${slurm})` : ""
  }`,
  ignore: typeof slurm === "string",
  fn: async () => {
    await using folder = new TemporaryFolder();
    await using slurm = await LocalSlurm.start() as LocalSlurm;
    const plan = join(folder.path, "plan.json"), own = join(folder.path, "sweep"), other = join(folder.path, "other");
    await Deno.writeTextFile(plan, JSON.stringify(EIGHT));
    const submit = async (...flags: string[]) => {
      const ended = await slurm.sweep("submit", plan, `--output=${own}`, "--slurm", ...flags);
      equal(ended.code, 0, ended.stderr);
      return ended.stdout.trim();
    };
    match(
      await submit("--dry_run", "--time=30", "--parallel=1"),
      /job\.sbatch: 4 tasks \(0-3\) of 1 job each.*Not submitted/,
    );
    deepEqual(await slurm.tasks(), []);
    match(Deno.readTextFileSync(join(own, "slurm", "job.sbatch")), /^#SBATCH --array=0-3%1\n[^]*^#SBATCH --time=30\n/m);
    const status = async () => (await slurm.sweep("status", own)).stdout;
    match(await status(), /8 cells in 4 jobs: 0 done, 0 running, 0 failed, 8 pending/);

    match(await submit("--time=30", "--tasks=2", "--parallel=1"), /^Job \d+: 2 tasks \(0-1\) of 2 jobs each, 4 jobs/);
    match(await submit(), /^Nothing to submit: 4 jobs left, and all of them have a task in the queue$/);
    await untilStored(slurm, own, 1);
    match(await status(), /job \d[^\n]* task \d+_0 on [^]*\d+_0 RUNNING on [^]*1 task PENDING/);

    // The task is asked to end, as before its time limit, and asks for another turn.
    const first = (await slurm.tasks()).find(({ state }) => state === "RUNNING")!;
    await slurm.run("scancel", "--signal=USR1", "--batch", first.id);
    while (!/Restarts=1/.test(await slurm.run("scontrol", "show", "job", first.id))) await pause(200);
    await untilStored(slurm, own, 2);
    // A task is cancelled in the middle, another one with all of its processes killed.
    for (const how of [[], ["--signal=KILL", "--full"]]) {
      while (!(await slurm.tasks()).some(({ state }) => state === "RUNNING")) await pause(200);
      await slurm.run("scancel", ...how, "--state=RUNNING", "--user=root");
      await pause(1500);
    }
    await slurm.untilEmpty();
    const left = 8 - countIn(join(own, "cells"));
    ok(left > 0, logsOf(own));
    match(await status(), new RegExp(`${8 - left} done, 0 running, 0 failed, ${left} pending`));
    equal((await slurm.sweep("collect", own)).code, 1);
    match(await submit("--time=30"), /^Job \d+: /);
    await slurm.untilEmpty();

    const collected = await slurm.sweep("collect", own);
    equal(collected.code, 0, collected.stderr + logsOf(own));
    equal(Deno.readTextFileSync(join(own, "collected.jsonl")).trim().split("\n").length, 8);
    equal(Deno.readTextFileSync(join(own, "collected.csv")).trim().split("\n").length, 9);
    match(await submit(), /^Nothing to submit: every cell/);
    equal((await sweepToEnd(plan, other)).code, 0);
    deepEqual(await compareSweeps(own, other), { once: 8, twice: [], lost: [], different: [] });
  },
});
