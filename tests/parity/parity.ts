/**
 * `deno task parity [cpu|cuda] [PART OF A NAME]`: the Python benchmark's results against this project's, in every form
 * the device has, as a table; prompts in chunks (`chunks` for these alone); the project's kernels of a step and ONNX
 * Runtime's against a plain decoder in float64 (`kernels [PART OF A NAME [own]]`; with `own` the project's alone, as far
 * as the first failure); and, only if asked for, models of every
 * family and ONNX exports (`families [FAMILY|exports]`). `deno task test` holds the CPU's to them; this also shows how
 * near they are, and runs on a GPU.
 *
 * Its exit code is 0 only if something was compared, all of it passed, nothing was empty, and nothing was refused that
 * should have been compared.
 *
 * @module
 */
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { chunkOutcomes } from "./chunk_parity.ts";
import { GROUPS, runGroup, runGroups } from "./family_groups.ts";
import { compare, embeddedModel, goldenLimit, goldenRuns, rerun, titleOf } from "./golden.ts";
import { kernelOutcomes } from "./kernel_parity.ts";
import { attempt, Tally } from "./outcome.ts";

const device = Deno.args[0] === "cuda" ? "cuda" : "cpu";
const wanted = Deno.args[1] ?? "";
const FORMS = {
  cpu: [
    { dtype: "float32", attention: "fused", kernels: "ort" },
    { dtype: "float32", attention: "explicit", kernels: "ort" },
  ],
  // The project's kernels have one form of attention, whatever a prompt's pass has.
  cuda: [
    { dtype: "float32", attention: "explicit", kernels: "own" },
    { dtype: "float16", attention: "fused", kernels: "own" },
    { dtype: "bfloat16", attention: "fused", kernels: "own" },
    { dtype: "float32", attention: "explicit", kernels: "ort" },
    { dtype: "float16", attention: "fused", kernels: "ort" },
    { dtype: "float16", attention: "explicit", kernels: "ort" },
  ],
} as const;

const formOf = ({ dtype, attention, kernels }: { dtype: string; attention: string; kernels: string }) =>
  device === "cuda" ? `${dtype} ${attention} ${kernels}` : `${dtype} ${attention}`;

/** Compares the reference results whose name has a part in it, in each form. */
function compareGolden(runtime: ReturnType<typeof openRuntime>, tally: Tally): void {
  const model = embeddedModel();
  for (const run of goldenRuns) {
    for (const form of FORMS[device]) {
      const name = `${titleOf(run)}, ${formOf(form)}`;
      if (!name.includes(wanted)) continue;
      console.log(tally.add(attempt(name, () => {
        const start = performance.now();
        const result = rerun(runtime, model, run, form);
        const ms = (performance.now() - start) / run.nll.length;
        const { worst, off, perplexity } = compare(run, result);
        const limit = goldenLimit(run, form.dtype);
        const sizes = JSON.stringify(result.cacheSizes) === JSON.stringify(run.layer_cache_sizes);
        const figures = `ppl ${(100 * perplexity).toFixed(4)} % of ${(100 * limit).toFixed(2)} %, worst NLL ${
          worst.toExponential(1)
        }, ${off.length} over 1e-3`;
        return {
          verdict: sizes && Math.abs(perplexity) <= limit ? "passed" : "failed",
          text: `${figures}${sizes ? "" : "; other cache sizes"}, ${ms.toFixed(2)} ms a step`,
        };
      })));
    }
  }
}

if (import.meta.main && wanted === "families") {
  const part = Deno.args[2] ?? "";
  const groups = GROUPS.includes(part) ? [part] : GROUPS.filter((group) => group.includes(part));
  const tally = groups.length === 1 ? await runGroup(device, groups[0]!) : await runGroups(device, groups);
  console.log(tally.summary);
  Deno.exitCode = tally.exitCode;
} else if (import.meta.main) {
  const runtime = openRuntime(device);
  const tally = new Tally();
  compareGolden(runtime, tally);
  for (const form of "chunks".includes(wanted) ? FORMS[device] : []) {
    for (const outcome of chunkOutcomes(runtime, form, formOf(form))) console.log(tally.add(outcome));
  }
  if (wanted === "" || wanted === "kernels") {
    // What hunts mutants: the project's kernels alone, as far as the first failure.
    const hunts = Deno.args[3] === "own";
    for (const outcome of kernelOutcomes(runtime, Deno.args[2], undefined, hunts)) {
      console.log(tally.add(outcome));
      if (hunts && outcome.verdict === "failed") break;
    }
  }
  console.log(tally.summary);
  Deno.exitCode = tally.exitCode;
}
