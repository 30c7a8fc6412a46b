/** Parts of a sweep's work that need no process: what a cell's file holds, estimates, progress. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { planJobs } from "../../lib/study/plan/plan_jobs.ts";
import { checkPlan } from "../../lib/study/plan/read_plan.ts";
import { resolveJob } from "../../lib/study/plan/resolve_job.ts";
import { refusalsOf } from "../../lib/study/plan/refusals.ts";
import { lengthsFor } from "../../lib/study/plan/machine.ts";
import { textsOf } from "../../lib/study/plan/values.ts";
import { Estimate } from "../../lib/study/work/estimate.ts";
import { extractCell } from "../../lib/study/work/extract_cell.ts";
import { forgetting, lackOf } from "../../lib/study/work/incomplete.ts";
import { jobStatus } from "../../lib/study/work/job_status.ts";
import { SweepProgress } from "../../lib/study/work/sweep_progress.ts";
import { splitPlan } from "../../lib/study/work/sweep_flags.ts";
import { benchmarkResults } from "../../lib/report/results/results_reader.ts";
import { formatJson } from "../../lib/report/results/json.ts";
import { inventResults } from "../report/_invent.ts";

const plan = (grid: object, more: object = {}) => planJobs(checkPlan({ grid, ...more }, "plan.json")).jobs;

Deno.test("a cell holds its configuration and the full cache, and is results that every reader reads", () => {
  const results = inventResults({ baseline: [{}], "tova_8@cache": [{}], "h2o_8@cache": "killed", tova_16: "" });
  const cell = extractCell(results, "tova_8@cache", "tova_8");
  const read = benchmarkResults(JSON.parse(formatJson(cell)), "");
  deepEqual(read.configurations.map(({ name }) => name), ["baseline", "tova_8"]);
  deepEqual(read.raw_results.map(({ method }) => method), ["baseline", "tova_8"]);
  deepEqual(Object.keys(read.aggregated_stats), ["baseline", "tova_8"]);
  deepEqual(read.failures, []);
  deepEqual(read.raw_results[1]!.nll, results.raw_results[1]!.nll);
  const alone = extractCell(inventResults({ baseline: "out of memory", tova_8: [{}] }), "tova_8", "tova_8");
  deepEqual(alone.failures.map(({ reason }) => reason), ["out of memory"], "why there is no full cache");
});

Deno.test("what is forgotten is measured again, and nothing else: times stay, other failures stay", () => {
  const results = inventResults({ baseline: "killed", tova_8: [{}], tova_16: [{}], h2o_8: "out of memory" });
  results.config.divergence = true;
  for (const raw of results.raw_results) delete raw.divergence;
  equal(lackOf(results, "tova_8"), "the full cache of its run failed");
  const next = forgetting(results, new Set(["baseline", "tova_8"]));
  deepEqual(next.failures.map(({ method, reason }) => [method, reason]), [["baseline", "interrupted"], [
    "h2o_8",
    "out of memory",
  ]]);
  deepEqual(next.raw_results.map(({ method }) => method), ["tova_16"]);
  deepEqual(next.speed_runs, results.speed_runs);
  const compared = inventResults({ baseline: [{}], tova_8: [{}] });
  compared.config.divergence = true;
  delete compared.raw_results[1]!.divergence;
  equal(lackOf(compared, "tova_8"), "its distance from the full cache was not measured");
  equal(lackOf(compared, "baseline"), undefined);
  compared.config.divergence = false;
  equal(lackOf(compared, "tova_8"), undefined);
});

Deno.test("a range of an axis is what a reference says", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 1, max: 90 }),
      (from, more, step) => {
        const expected: string[] = [];
        for (let value = from; value <= from + more; value += step) expected.push(`${value}`);
        deepEqual(textsOf("max_tokens", `${from}-${from + more}+${step}`), expected);
        deepEqual(textsOf("budget", ["10%", `${from}-${from + more}+${step}`]), ["10%", ...expected]);
      },
    ),
  );
});

Deno.test("a time is estimated from the same method, else from any, with the same model, lengths and device; else unknown", () => {
  const [job] = plan({ method: ["tova", "h2o"], budget: 8 }, {
    defaults: { max_tokens: 40, prompt_tokens: 16, max_new_tokens: 4, num_samples: 1, repetitions: 1 },
  });
  const [, tova, h2o] = job!.cells;
  const results = (max_tokens: number) => {
    const made = inventResults({ baseline: [{}], tova_8: [{}] });
    Object.assign(made.config, {
      model_id: "/models/novel-neox-8m",
      device: "cpu",
      dtype: "float32",
      max_tokens,
      prompt_tokens: 16,
      max_new_tokens: 4,
      num_samples: 1,
      repetitions: 1,
      passes: "both",
    });
    made.configurations.forEach((record, i) => {
      record.method = i === 0 ? "baseline" : "tova";
      record.process_s = { speed: 1, quality: 2 + 2 * i };
    });
    return made;
  };
  const estimate = new Estimate();
  estimate.add(results(80));
  equal(estimate.of(job!, tova, "cpu"), undefined);
  estimate.add(results(40));
  equal(estimate.of(job!, tova, "cpu"), 5);
  equal(estimate.of(job!, undefined, "cpu"), 3);
  equal(estimate.of(job!, h2o, "cpu"), 4, "the mean of any method");
  equal(estimate.of(job!, tova, "cuda"), undefined);
});

Deno.test("lengths are fixed by the device, not by how many configurations a job has", () => {
  equal(lengthsFor("cuda", {}).num_samples, "2");
  deepEqual(Object.keys(lengthsFor("cpu", { max_tokens: "40", num_samples: "1" })).sort(), [
    "max_new_tokens",
    "num_warmup",
    "prompt_tokens",
    "repetitions",
  ]);
});

Deno.test("a budget that a model cannot have is refused for its own cells only", () => {
  const [job] = plan({ method: "tova", budget: ["20%", "60%", 8] });
  const refused = refusalsOf(job!, 8, 400);
  deepEqual([...refused.keys()], ["recent_only_20%", "tova_20%"]);
  match(refused.get("tova_20%")!, /the layers that are not compressed .* alone hold 25%/);
  deepEqual([...refusalsOf(job!, 48, 400).keys()], []);
});

Deno.test("a job is done, failed, running or waiting", () => {
  const job = { key: "j", cells: [{ key: "a" }, { key: "b" }] };
  const of = (done: string[], failed: string[], claimed: string[] = []) =>
    jobStatus(job, { done: new Set(done), failed: new Set(failed), claimed: new Set(claimed) }).status;
  deepEqual([of([], []), of(["a"], [], ["j"]), of(["a", "b"], ["b"], ["j"]), of(["a"], ["b"])], [
    "waiting",
    "running",
    "done",
    "failed",
  ]);
});

function progressOf(isTerminal: boolean) {
  const jobs = plan({ method: "tova", budget: [8, 16], max_tokens: [40, 60], no_recent_only: true })
    .map((job) => resolveJob(job, { model: "m", text: "t", code: "c" }, "EPYC"));
  let now = 0, text = "";
  const progress = new SweepProgress({ isTerminal, jobs, write: (more) => text += more, now: () => now });
  return { jobs, progress, later: (s: number) => now += s * 1000, said: () => text.split("\n") };
}

Deno.test("off a terminal there is a line for each cell, with counts and the time left", () => {
  const { jobs: [job], progress, later, said } = progressOf(false);
  const results = inventResults({ baseline: [{}], tova_8: [{}] });
  progress.state({ done: new Set(), failed: new Set() });
  progress.job(job!, "began");
  later(10);
  progress.done(job!, job!.cells[0]!, results);
  later(2);
  progress.failed(job!, job!.cells[1]!, "out of memory\nat x");
  const [began, done, failed, end] = said();
  equal(began, "job 0 begins: 2 cells, max_tokens 40");
  match(done!, /^\[1\/4, about 30 s left\] tova_8, max_tokens 40: TPOT /);
  match(failed!, /^\[2\/4, about 24 s left\] tova_16, max_tokens 40: failed: out of memory\\nat x$/);
  equal(end, "");
});

Deno.test("on a terminal a line of counts is redrawn below: done, failed, running here and elsewhere", () => {
  const { jobs, progress, later, said } = progressOf(true);
  const { key } = jobs[0]!.cells[0]!;
  progress.state({ done: new Set(), failed: new Set() });
  progress.job(jobs[0]!, "resumed");
  later(60);
  progress.state({
    done: new Set([key]),
    failed: new Set([jobs[0]!.cells[1]!.key]),
    claimed: new Set([jobs[0]!.key, jobs[1]!.key, "gpu-x"]),
  });
  equal(progress.counts(), "1 of 4 cells done, 1 failed, 1 job running here, 1 elsewhere, about 2 min left");
  ok(said().at(-1)!.startsWith("\r\x1b[2K"));
  progress[Symbol.dispose]();
  ok(said().at(-1)!.endsWith("\r\x1b[2K"));
});

Deno.test("the plan comes first on the command line", () => {
  deepEqual(splitPlan(["/a/plan.yaml", "--chunk", "2"]), { plan: "/a/plan.yaml", rest: ["--chunk", "2"] });
  for (const argv of [[], ["--chunk", "2"]]) {
    try {
      splitPlan(argv);
      ok(false);
    } catch (error) {
      match((error as Error).message, /^Cannot sweep: .*give the plan's file first/);
    }
  }
});
