/** Fresh texts of every family, under every kind of score: operators and kernels in plain loops are judged right. */
import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { kernelObstacle } from "../../lib/engine/kernel_choice.ts";
import { pairs } from "../cache/_pairs.ts";
import { TINY } from "../model/_golden_logits.ts";
import { ReferenceKernels } from "../reference/step.ts";
import { FAMILIES } from "./family_parity.ts";
import { checked, Judge } from "./judge.ts";
import { type Reading, run } from "./reading.ts";

const runtime = openRuntime("cpu");
const models = new Map(FAMILIES.map((name) => [name, openModelFolder(new URL(name, TINY).pathname)]));

Deno.test("fresh texts of every family are judged right under every method, prompts in chunks too", () => {
  let choices = 0, own = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...FAMILIES),
      fc.constantFrom(...pairs(8)),
      fc.constantFrom("absolute", "cache", "seed"),
      fc.constantFrom([13], [6, 1, 9], [1], [20]),
      // Tokens may come twice: then keys of a first layer are tied, and either choice is right.
      fc.array(fc.nat(63), { minLength: 31, maxLength: 31 }),
      fc.boolean(),
      (family, { policy, method }, positions, prompts, ids, skips) => {
        const model = models.get(family)!;
        if (positions === "cache" && !model.spec.rope) return;
        const reading: Reading = { model, policy, positions, prompts, skip: skips ? [0] : [], ids };
        // The methods' definitions, where they are written out; ties of what a function scores are judged by its size.
        const judge = new Judge(reading, { ...method, score: policy.score ?? method.score });
        const use = { device: "cuda", dtype: "float32", maxPositions: ids.length, score: policy.score } as const;
        const kernels = kernelObstacle(model, use) === undefined ? [() => new ReferenceKernels()] : [];
        own += kernels.length;
        for (const whose of ["ort" as const, ...kernels]) {
          const result = run(runtime, reading, { dtype: "float32", attention: "explicit", kernels: whose });
          const judged = judge.judge(result, "float32");
          const { verdict, text } = checked(judged, reading, 2e-4);
          equal(verdict, "passed", `${family}, ${policy.method}, ${positions}: ${text}`);
          choices += judged.choices;
        }
      },
    ),
    { numRuns: 25 },
  );
  ok(choices > 500 && own > 5, `${choices} choices, ${own} runs of kernels`);
});
