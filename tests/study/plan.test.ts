/** Plans: what a file says, what is refused, and which cells and jobs it means. */
import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { join } from "@std/path";
import { expand } from "../../lib/cli/expand.ts";
import { parseFlags } from "../../lib/cli/flags/parse.ts";
import { identityOf } from "../../lib/study/plan/identity.ts";
import { argumentsOf, planJobs } from "../../lib/study/plan/plan_jobs.ts";
import { pointsOf } from "../../lib/study/plan/points.ts";
import { checkPlan, readPlan } from "../../lib/study/plan/read_plan.ts";
import { baseOf, resolveJob } from "../../lib/study/plan/resolve_job.ts";
import type { PlannedJob } from "../../lib/study/plan/types.ts";
import { InputError } from "../../lib/util/errors.ts";
import { TemporaryFolder } from "../bench/_bench.ts";

const jobsOf = (plan: unknown) => planJobs(checkPlan(plan, "plan.json"), "plan.json");
const cellsOf = (jobs: readonly PlannedJob[]) =>
  jobs.flatMap(({ cells, terms }) => cells.map((cell) => ({ ...cell, terms })));

/** What bench would measure with these flags, without its baseline. */
function measured(flags: Record<string, string>): string[] {
  const all = expand(parseFlags(argumentsOf(flags)));
  return all.filter(({ name }) => name !== "baseline").map((one) => JSON.stringify(identityOf(one as never)));
}

Deno.test("JSON with comments and YAML say the same", async () => {
  await using folder = new TemporaryFolder();
  const write = async (name: string, text: string) => {
    await Deno.writeTextFile(join(folder.path, name), text);
    return await readPlan(join(folder.path, name));
  };
  const json = await write(
    "a.jsonc",
    '{ // models\n "name": "n", "defaults": {"dtype": "float32"}, "grid": {"method": ["tova", "h2o"], "budget": "64-256*2",},\n}',
  );
  const yaml = await write(
    "a.yaml",
    "name: n\ndefaults: {dtype: float32} # one type\ngrid:\n  method: [tova, h2o]\n  budget: 64-256*2\n",
  );
  deepEqual(json, yaml);
  equal(planJobs(yaml).jobs[0]?.cells.length, 9); // two methods and a control group at three budgets
  // A resolved plan is a plan, with the same jobs.
  const again = await write("b.json", JSON.stringify(yaml));
  deepEqual(planJobs(again), planJobs(yaml));
});

Deno.test("a mistake names the file, the key, the value, and what would do", async () => {
  const cases: [unknown, RegExp][] = [
    [{ gird: {} }, /^Cannot use plan.json: gird: there is no such key; did you mean grid\?$/],
    [{ method: "tova" }, /^Cannot use plan.json: method: it belongs into grid, or into defaults$/],
    [{ grid: { metod: "tova" } }, /grid\.metod: bench has no such flag; did you mean method\?/],
    [{ grid: { method: ["tovva"] } }, /grid\.method: found "tovva", did you mean tova\?/],
    [{ grid: { budget: ["10%", "x"] } }, /grid\.budget: found "x", give entries, such as 128, or a share/],
    [{ grid: { budget: ["10%", "10%"] } }, /grid\.budget: found "10%", it is given twice/],
    [{ grid: { max_tokens: "400-100" } }, /grid\.max_tokens: found "400-100", the range is empty/],
    [{ grid: { dtype: "int3" } }, /grid\.dtype: found "int3"/],
    [{ grid: { method: [] } }, /grid\.method: found "\[\]", give at least one value/],
    [{ grid: [{ seed: 1 }, { seed: "a" }] }, /grid\[1\]\.seed: found "a"/],
    [{ defaults: { max_tokens: [1, 2] } }, /defaults\.max_tokens: .*several belong into grid/],
    [{ defaults: { aa: "yes" } }, /defaults\.aa: .*give true or false/],
    [{ defaults: { output: "x" } }, /defaults\.output: a plan cannot set it: a sweep has a folder of its own/],
    [{ grid: { no_baseline: true } }, /grid\.no_baseline: a plan cannot set it/],
    [
      { grid: { lengths: [{ max_tokens: 1 }, { max_token: 1 }] } },
      /grid\.lengths\[1\]\.max_token: .*did you mean max_tokens\?/,
    ],
    [
      { grid: { max_tokens: 40, lengths: [{ max_tokens: 1 }] } },
      /grid\.lengths: it sets max_tokens, which grid\.max_tokens sets too/,
    ],
    [{ exclude: [{}] }, /exclude\[0\]: it would leave out everything/],
    [{ exclude: [{ model: "x" }] }, /exclude\[0\]\.model: bench has no such flag; did you mean model_id\?/],
    [{ exclude: { method: "tova" } }, /exclude: give a list/],
    [{ chunk: 0 }, /chunk: found 0, give the cells of a job at most/],
    [{ name: "../x" }, /name: found "\.\.\/x", give letters/],
    [{ grid: { dataset: "-" } }, /grid\.dataset: found "-", a sweep reads texts more than once/],
    [[1], /Cannot use plan.json: found \[1\], give keys with values/],
  ];
  for (const [plan, message] of cases) {
    throws(
      () => checkPlan(plan, "plan.json"),
      (error) => error instanceof InputError && message.test(error.message),
      `${JSON.stringify(plan)}: ${message}`,
    );
  }
  throws(
    () => jobsOf({ grid: { method: "tova", budget: 8, cache_sizes: 64 } }),
    /Cannot use plan.json: Cannot use --budget and --cache_sizes together/,
  );
  throws(() => jobsOf({ grid: { seed: 1 }, exclude: [{ seed: 1 }] }), /exclude leaves out all combinations/);
  await using folder = new TemporaryFolder();
  const broken = async (name: string, text: string, message: RegExp) => {
    await Deno.writeTextFile(join(folder.path, name), text);
    await rejects(readPlan(join(folder.path, name)), message);
  };
  await broken("a.json", '{\n  "grid": {"seed" 1}\n}', /a\.json: it is not JSON: colon expected at line 2, column 19$/);
  await broken("a.yaml", "grid: [\n  a: 1", /a\.yaml: it is not YAML: .* at line 2/);
  await broken("b.yaml", "grid: {}\ngrid: {}", /b\.yaml: it is not YAML: Map keys must be unique at line 2/);
  await broken("a.txt", "", /its name says no format/);
  await rejects(readPlan(join(folder.path, "none.yaml")), /there is no such file/);
});

Deno.test("models and texts beside the plan are found from anywhere", async () => {
  await using folder = new TemporaryFolder();
  await Deno.writeTextFile(join(folder.path, "book.txt"), "x");
  const path = join(folder.path, "plan.yaml");
  await Deno.writeTextFile(path, "grid: { dataset: [book.txt, moby_dick], model_id: [org/name, novel-neox-8m] }");
  const { grid } = await readPlan(path);
  deepEqual(grid[0]!.dataset!.map(({ dataset }) => dataset), [join(folder.path, "book.txt"), "moby_dick"]);
  deepEqual(grid[0]!.model_id!.map(({ model_id }) => model_id), ["org/name", "novel-neox-8m"]);
});

/** Plans of a few axes, with exclusions. */
const plans = fc.record({
  method: fc.subarray(["streaming_llm", "tova", "h2o", "keydiff", "fix_size_l2"], { minLength: 1 }),
  budget: fc.subarray(["25%", "32", "64", "100%"], { minLength: 1 }),
  positions: fc.subarray(["absolute", "cache"], { minLength: 1 }),
  dtype: fc.subarray(["float32", "float16"], { minLength: 1 }),
  max_tokens: fc.subarray(["40", "60", "80"], { minLength: 1 }),
}).chain((axes) =>
  fc.record({
    axes: fc.constant(axes),
    exclude: fc.array(
      fc.record({
        method: fc.subarray(axes.method, { minLength: 1 }),
        budget: fc.subarray(axes.budget, { minLength: 1 }),
        dtype: fc.subarray(axes.dtype, { minLength: 1 }),
      }, { requiredKeys: [] }).filter((pattern) => Object.keys(pattern).length > 0),
      { maxLength: 3 },
    ),
    chunk: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
  })
);

Deno.test("combinations are those of nested loops, without the excluded ones", () => {
  fc.assert(
    fc.property(plans, ({ axes, exclude }) => {
      const expected: Record<string, string>[] = [];
      for (const method of axes.method) {
        for (const budget of axes.budget) {
          for (const positions of axes.positions) {
            for (const dtype of axes.dtype) {
              for (const max_tokens of axes.max_tokens) {
                const point: Record<string, string> = { method, budget, positions, dtype, max_tokens };
                const isOut = exclude.some((pattern) =>
                  Object.entries(pattern).every(([key, values]) => values.includes(point[key]!))
                );
                if (!isOut) expected.push(point);
              }
            }
          }
        }
      }
      const plan = checkPlan({ grid: axes, exclude }, "plan.json");
      if (expected.length === 0) throws(() => pointsOf(plan), /leaves out all/);
      else deepEqual(pointsOf(plan).points, expected);
    }),
    { numRuns: 200 },
  );
});

Deno.test("the cells of a plan are what bench measures for each combination alone, each once; jobs measure just these", () => {
  fc.assert(
    fc.property(plans, ({ axes, exclude, chunk }) => {
      const plan = checkPlan({ grid: axes, exclude, ...(chunk === undefined ? {} : { chunk }) }, "plan.json");
      let points;
      try {
        ({ points } = pointsOf(plan));
      } catch {
        return;
      }
      const expected = new Set(points.flatMap((point) => {
        const { method: _, budget: __, positions: ___, ...terms } = point;
        return measured(point).map((identity) => `${JSON.stringify(terms)} ${identity}`);
      }));
      const { jobs } = planJobs(plan);
      const cells = cellsOf(jobs).map(({ terms, configuration }) =>
        `${JSON.stringify(terms)} ${JSON.stringify(configuration)}`
      );
      equal(new Set(cells).size, cells.length, "a cell is there twice");
      deepEqual([...cells].sort(), [...expected].sort());
      // One baseline for what shares it, unless jobs are split.
      if (chunk === undefined) {
        equal(
          jobs.length,
          new Set(points.map(({ dtype, max_tokens }) => `${dtype} ${max_tokens}`)).size,
        );
      }
      for (const { cells, flags, index } of jobs) {
        equal(jobs[index]!.cells, cells);
        ok(cells.length >= 1 && cells.length <= (chunk ?? Infinity));
        const only = cells.map(({ nameInJob }) => nameInJob).join(",");
        const run = expand(parseFlags([...argumentsOf(flags), `--only=${only}`]));
        deepEqual(run.map(({ name }) => name), ["baseline", ...cells.map(({ nameInJob }) => nameInJob)]);
        deepEqual(run.slice(1).map((one) => identityOf(one as never)), cells.map(({ configuration }) => configuration));
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("a cell's name is that of a run that measures it alone", () => {
  const { jobs } = jobsOf({ grid: { method: ["tova", "h2o"], budget: ["25%", 64], positions: ["absolute", "cache"] } });
  for (const { name, configuration } of jobs[0]!.cells) {
    const { method, budget, positions } = configuration as { method: string; budget: string; positions: string };
    ok(expand(parseFlags(argumentsOf({ method, budget, positions }))).some((alone) => alone.name === name), name);
  }
});

Deno.test("sizes are joined in one job; flags of a method that are no lists split it; control groups are measured once", () => {
  const sizes = jobsOf({ grid: { method: "streaming_llm", recent_sizes: [12, 28] } });
  deepEqual(sizes.jobs.map(({ cells }) => cells.map(({ name }) => name)), [
    ["recent_only_16", "streaming_16", "recent_only_32", "streaming_32"],
  ]);
  const { jobs } = jobsOf({ grid: { method: "streaming_llm", budget: 16, start_size: [2, 4] } });
  deepEqual(jobs.map(({ cells }) => cells.map(({ name }) => name)), [["recent_only_16", "streaming_16"], [
    "streaming_16",
  ]]);
});

Deno.test("the full cache is a cell where it is asked for by name", () => {
  const names = ({ jobs }: { jobs: readonly PlannedJob[] }) =>
    jobs.flatMap(({ cells }) => cells.map(({ name }) => name));
  deepEqual(names(jobsOf({ grid: { method: "baseline" } })), ["baseline"]);
  deepEqual(names(jobsOf({ grid: { method: ["baseline", "tova"], budget: 8, no_recent_only: true, aa: true } })), [
    "baseline",
    "baseline_again",
    "tova_8",
  ]);
  deepEqual(names(jobsOf({ grid: { compare_papers: true, budget: 64, aa: true } })).slice(0, 3), [
    "baseline_again",
    "recent_only_64",
    "streaming_64",
  ]);
  deepEqual(names(jobsOf({ grid: { method: ["baseline", "tova"], budget: 8 } })), [
    "baseline",
    "recent_only_8",
    "tova_8",
  ]);
});

Deno.test("warnings of bench, and exclusions without effect, are told once", () => {
  const { notes } = jobsOf({
    grid: { method: ["tova", "h2o"], budget: [8, 16], start_size: 2 },
    exclude: [{ method: "keydiff" }],
  });
  equal(notes.filter((note) => /^exclude\[0\]/.test(note)).length, 1);
  equal(notes.filter((note) => /--start_size has no effect on tova/.test(note)).length, 1);
  equal(new Set(notes).size, notes.length);
});

Deno.test("keys follow the meaning: another word or a default given makes no other cell, each input does", () => {
  const inputs = { model: "m", text: "t", code: "c" };
  const key = (plan: unknown, changed = {}, hardware = "H100") =>
    jobsOf(plan).jobs.flatMap((job) => resolveJob(job, { ...inputs, ...changed }, hardware).cells)
      .find(({ configuration }) => configuration.method !== "recent_only")!.key;
  const grid = { method: "tova", budget: 16, dtype: "float16" };
  const first = key({ grid });
  ok(/^[0-9a-f]{16}-[0-9a-f]{8}$/.test(first));
  for (
    const same of [
      { grid: { ...grid, dtype: "fp16" } },
      { grid: { ...grid, seed: 0, successive: false, skip_layers: [[0, 1]] } },
      { grid: { ...grid, offline: true, timeout: 9, model_id: "elsewhere/model" } },
      { grid: { ...grid, budget: ["16", "32"] }, exclude: [{ budget: 32 }], chunk: 1 },
    ]
  ) equal(key(same), first, JSON.stringify(same));
  const others = [
    key({ grid: { ...grid, dtype: "float32" } }),
    key({ grid: { ...grid, budget: 17 } }),
    key({ grid: { ...grid, method: "h2o" } }),
    key({ grid: { ...grid, positions: "cache" } }),
    key({ grid: { ...grid, max_tokens: 40 } }),
    key({ grid }, { model: "n" }),
    key({ grid }, { text: "u" }),
    key({ grid }, { code: "d" }),
    key({ grid }, {}, "A100"),
  ];
  equal(new Set([first, ...others]).size, others.length + 1);
  equal(baseOf(others.at(-1)!), baseOf(first), "before the dash, the hardware does not count");
});
