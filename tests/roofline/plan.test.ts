import { deepEqual, equal, ok } from "node:assert/strict";
import { Keeper, type KeepTable } from "../../lib/cache/schedule.ts";
import { ConfigReader } from "../../lib/model/folder/config_reader.ts";
import { type ModelFolder, specOf } from "../../lib/model/folder/model_folder.ts";
import { SHAPES } from "../../lib/model/shapes.ts";
import { budgetMethodNames } from "../../lib/roofline/budget_methods.ts";
import { planJobs, type RooflineOptions } from "../../lib/roofline/plan.ts";
import { rowPasses, stepsOf } from "../../lib/roofline/row_passes.ts";

const model: ModelFolder = {
  path: "none",
  spec: specOf(new ConfigReader("config.json", SHAPES["pythia-2.8b"]!)),
  tensors: new Map(),
};
const options: RooflineOptions = {
  kernels: "auto",
  device: "cuda",
  dtype: "float16",
  methods: budgetMethodNames,
  cacheLengths: [256, 512, 2000],
  fullLengths: [1024, 2000, 8192],
  prefills: 3,
  lengths: { warmup: 8, steps: 64, batches: 6, queued: 16 },
  isolate: false,
};

Deno.test("planJobs(): the full cache in each form that is needed, then every method, at every length once", () => {
  const jobs = planJobs(model, options);
  const named = jobs.map(({ method, attention, request }) => ({
    row: `${method} ${attention}`,
    lengths: request.rows.map(({ length }) => length),
  }));
  deepEqual(named.slice(0, 2), [
    { row: "baseline fused", lengths: [256, 512, 1024, 2000, 8192] },
    { row: "baseline explicit", lengths: [256, 512, 2000] },
  ]);
  const lengths = Map.groupBy(named.slice(2), ({ row }) => row.split(" ")[0]!);
  deepEqual([...lengths.keys()], [...budgetMethodNames]);
  for (const [method, jobs] of lengths) deepEqual(jobs.flatMap(({ lengths }) => lengths), [256, 512, 2000], method);
  const fused = planJobs(model, { ...options, methods: ["streaming_llm"] });
  deepEqual(fused.map(({ method }) => method), ["baseline", "streaming_llm"]);
});

Deno.test("planJobs(): once it is full each method drops one for one at its budget, or as many as it says", () => {
  for (const { method, request } of planJobs(model, options)) {
    const counts = request.rows.map(({ fill, rewind }) => endOf(request.table, fill, rewind));
    const steady = request.rows.map(({ length }) => length * model.spec.layers);
    if (["pyramid_kv", "l2_compress"].includes(method)) counts.forEach((count, i) => ok(count < steady[i]!, method));
    else if (method !== "baseline") deepEqual(counts, steady, method);
  }

  /** Entries of all layers after the last step, by the table. */
  function endOf(table: KeepTable, fill: number, rewind: boolean): number {
    if (rewind) return 0;
    const keeper = new Keeper(table);
    let held = new Array<number>(model.spec.layers).fill(0);
    for (const tokens of [fill, ...new Array<number>(stepsOf(options.lengths)).fill(1)]) {
      held = held.map((before, layer) => {
        const sizes = keeper.keep(layer, before + tokens);
        return sizes === "all" ? before + tokens : sizes.sink + sizes.heavy + sizes.recent;
      });
    }
    return held.reduce((a, b) => a + b, 0);
  }
});

Deno.test("planJobs(): rows that share a loaded model go through the sizes that each would alone", () => {
  const together = planJobs(model, options), apart = planJobs(model, { ...options, isolate: true });
  const rows = (jobs: typeof together) =>
    jobs.flatMap(({ method, attention, request }) =>
      request.rows.map((row) => {
        const keeper = new Keeper(request.table);
        const sequence = rowPasses(row, stepsOf(options.lengths));
        return {
          name: `${method} ${attention} ${row.length}`,
          layers: Array.from({ length: model.spec.layers }, (_, layer) => keeper.sequence(layer, sequence)),
          groups: keeper.groups(),
        };
      })
    );
  deepEqual(rows(together), rows(apart));
  ok(together.filter(({ request }) => request.rows.length === 3).length > budgetMethodNames.length / 2);
  ok(apart.every(({ request }) => request.rows.length === 1));
  equal(new Set(apart.map(({ method }) => method)).size, budgetMethodNames.length + 1);
});
