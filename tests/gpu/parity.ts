/**
 * `deno task test:gpu`: the original's results against ours on CUDA, in float32 (explicit attention) and float16 (fused
 * and explicit). Needs a GPU, so it is no part of `deno task test`.
 *
 * @module
 */
import { openRuntime } from "../../lib/run/open_runtime.ts";
import { compare, embeddedModel, goldenRuns, rerun, titleOf } from "../golden.ts";

const runtime = openRuntime("cuda");
const model = embeddedModel();
const forms = [
  { dtype: "float32", attention: "explicit", limit: 1e-4 },
  { dtype: "float16", attention: "fused", limit: 5e-3 },
  { dtype: "float16", attention: "explicit", limit: 5e-3 },
] as const;
const wanted = Deno.args[0] ?? "";
let failed = 0;
for (const run of goldenRuns.filter((run) => titleOf(run).includes(wanted) && run.params.strategy !== "random")) {
  for (const { limit, ...form } of forms) {
    const label = `${titleOf(run)}, ${form.dtype} ${form.attention}`.padEnd(64);
    try {
      const result = rerun(runtime, model, run, form);
      const { worst, off, perplexity } = compare(run, result);
      const sizes = JSON.stringify(result.cacheSizes) === JSON.stringify(run.layer_cache_sizes);
      const ok = sizes && Math.abs(perplexity) <= limit;
      if (!ok) failed++;
      console.log(
        `${ok ? "ok  " : "FAIL"} ${label} ppl ${(100 * perplexity).toFixed(4)} %, worst NLL ${
          worst.toExponential(1)
        }, ${off.length} steps over 1e-3`,
      );
    } catch (error) {
      failed++;
      console.log(`FAIL ${label} ${(error as Error).stack ?? error}`);
    }
  }
}
console.log(failed ? `${failed} failed` : "all passed");
Deno.exit(failed ? 1 : 0);
