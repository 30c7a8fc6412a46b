/**
 * This project's results on the CPU, compared with every reference run of the Python benchmark that it re-creates.
 * `deno task parity` shows how close they are, and does the same on CUDA.
 *
 * If two key norms are equal except for rounding, this project may drop one entry and the Python benchmark the other.
 * Observed:
 *
 * - pyramid_256, once: after step 735, in layer 3, head 7, the entries of ranks 88 and 34 have norms of 5.3527966 and
 *   5.3527956. That moves steps 749 and 750 by up to 1.7e-3; with that one choice reversed no step is off by 1e-4. So
 *   the test looks for such a choice, and then allows nothing more.
 * - Runs that compress the first layer too: there a key depends only on its token, except for the rotation, so all
 *   entries of the same token are tied: some 600 of a run's 4000 choices by norm (300 with sinks). From the first tie,
 *   after step 256, such a run has two right answers per step. Breaking ties at random, this project against itself,
 *   moves perplexity by up to 0.004 % (seed: 0.035 %) and single steps by up to 0.016 (seed: 0.1). The test allows that
 *   much and no more. The project is closer to the Python benchmark than that: 0.003 % (seed: 0.014 %), single steps
 *   0.007 (seed: 0.054).
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import type { QualityResult } from "../../lib/run/measure/quality.ts";
import {
  compare,
  embeddedModel,
  type GoldenRun,
  goldenRuns,
  isTied,
  perplexityLimit,
  rerun,
  tableOf,
  titleOf,
} from "../parity/golden.ts";
import { flip, type NearTie, NearTies } from "../parity/near_ties.ts";

/** Choices to reverse before there must be another cause. */
const TRIES = 3;

const runtime = openRuntime("cpu");
const model = embeddedModel();
const form = { dtype: "float32", attention: "fused" } as const;

/** Runs with the same sizes and score are one run: adaptive_256 never has more than fix128_keep_low_kr0.2. */
const known = new Map<string, QualityResult>();

function runOnce(run: GoldenRun, between: Parameters<typeof rerun>[4]): QualityResult {
  const byNorm = /_l2$|^l2_|^pyramid_kv$/.test(run.method) && run.params["strategy"] !== "keep_high";
  const key = byNorm ? JSON.stringify([tableOf(model, run), run.positions]) : titleOf(run);
  const result = known.get(key) ?? rerun(runtime, model, run, form, between);
  known.set(key, result);
  return result;
}

const agrees = ({ off, perplexity }: ReturnType<typeof compare>) => off.length === 0 && Math.abs(perplexity) < 1e-4;
const tell = (ties: readonly NearTie[]) =>
  ties.map(({ step, layer, head, gap }) => `step ${step}, layer ${layer}, head ${head}: ${gap.toExponential(1)}`);

/** Looks for a choice between norms equal except for rounding, after which the run left the reference. */
function resolve(run: GoldenRun, off: readonly number[]): void {
  const ties = new NearTies();
  rerun(runtime, model, run, form, (steps, cache) => ties.watch(steps, cache));
  const candidates = ties.found.filter(({ step, gap }) => step < off[0]! && gap < 5e-7).reverse().slice(0, TRIES);
  const resolved = candidates.find((tie) => {
    const other = rerun(runtime, model, run, form, (steps, cache) => {
      if (steps === tie.step) flip(cache, tie);
    });
    return agrees(compare(run, other));
  });
  ok(resolved, `steps ${off} are off; none of these choices is why: ${tell(candidates).join("; ")}`);
}

for (const run of goldenRuns) {
  const { positions, skip_layers: skipped } = run;
  Deno.test(`parity with the Python benchmark: ${titleOf(run)}`, () => {
    if (positions === "seed" && skipped.includes(0)) {
      // Layer 0 holds the whole text, so its count is the token's index: the run by absolute positions tests the same.
      const absolute = goldenRuns.find((other) =>
        other.name === run.name && other.positions === "absolute" && `${other.skip_layers}` === `${skipped}`
      );
      deepEqual(run.nll, absolute!.nll);
      return;
    }
    const tied = isTied(run);
    const ties = new NearTies();
    const result = runOnce(run, (steps, cache) => {
      if (skipped.includes(0)) equal(cache.held[0], steps);
      if (tied) ties.watch(steps, cache);
    });
    deepEqual(result.cacheSizes, run.layer_cache_sizes);
    const difference = compare(run, result);
    const { perplexity, off, worst } = difference;
    if (agrees(difference)) return;
    if (!tied) return resolve(run, off);
    const first = ties.found.find(({ layer }) => layer === 0);
    ok(first, `steps ${off} are off, by ${worst} at most, and nothing is tied`);
    const told = `steps ${off} are off, by ${worst} at most, perplexity by ${perplexity}; first tie: ${tell([first])}`;
    const seed = positions === "seed";
    ok(off.every((step) => step > first.step), told);
    ok(worst < (seed ? 0.1 : 0.016) && off.length < run.nll.length * (seed ? 0.4 : 0.2), told);
    ok(Math.abs(perplexity) < perplexityLimit(run), told);
  });
}
