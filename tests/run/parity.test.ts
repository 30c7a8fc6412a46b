/**
 * Our results on the CPU against the original's, over every reference run whose positions are absolute and whose
 * choices are not random. `tests/gpu/parity.ts` does the same on CUDA.
 */
import { deepEqual, ok } from "node:assert/strict";
import { openRuntime } from "../../lib/run/open_runtime.ts";
import { compare, embeddedModel, type GoldenRun, goldenRuns, rerun, titleOf } from "../golden.ts";

/** Share that perplexity may be off. */
const PERPLEXITY = 1e-4;

/**
 * Steps whose NLL may be off by more than 1e-3. Where two key norms are so near to each other that the last bits of a sum
 * decide, ours may fall the other way, and for a while the two hold different entries. Seen so: pyramid_256 at steps 749
 * and 750; and where the first two layers, whose norms lie close together, are compressed too: fix256_keep_low from
 * step 284 on, h2o_l2_256 from 282, pyramid_256 from 299.
 */
function ties({ method, skip_layers, nll }: GoldenRun): number {
  if (method === "recent_only" || method === "streaming_llm" || method === "baseline") return 0;
  return nll.length * (skip_layers.length > 0 ? 0.01 : 0.1);
}

const runtime = openRuntime("cpu");
const model = embeddedModel();

for (const run of goldenRuns) {
  if (run.positions !== "absolute" || run.params["strategy"] === "random") continue;
  Deno.test(`parity with the original: ${titleOf(run)}`, () => {
    const result = rerun(runtime, model, run, { dtype: "float32", attention: "fused" });
    const { perplexity, off, worst } = compare(run, result);
    deepEqual(result.cacheSizes, run.layer_cache_sizes);
    ok(Math.abs(perplexity) < PERPLEXITY, `perplexity is off by ${perplexity}`);
    ok(off.length <= ties(run) && worst < 0.01, `steps ${off} are off, by ${worst} at most`);
  });
}
