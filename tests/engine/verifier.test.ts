import { deepEqual, equal, match, throws } from "node:assert/strict";
import { Engine } from "../../lib/engine/engine.ts";
import { openRuntime } from "../../lib/engine/open_runtime.ts";
import { Verifier, verifierObstacle } from "../../lib/engine/verifier.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { fusedObstacle } from "../../lib/model/graph/attention/fused.ts";
import { embeddedModel } from "../parity/golden.ts";

const runtime = openRuntime("cpu");

/** Tokens of the longest sequence here. */
const LONGEST = 120;

function engineOf(model: ModelFolder, attention: "fused" | "explicit", threads: number) {
  const table = { layers: new Array(model.spec.layers).fill([]) };
  return new Engine(runtime, model, {
    dtype: "float32",
    attention,
    maxPositions: LONGEST,
    threads,
    table,
    logits: true,
  });
}

/** Ids that are no text: bits are compared, not sense. */
function idsOf(count: number, vocab: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => (Math.imul(i + seed, 0x9e3779b1) >>> 0) % vocab);
}

/** Logits of some tokens read in steps, in and in a pass that verifies; and the tokens predicted. */
function readings(engine: Engine, prompt: number, rows: number) {
  const { vocab } = engine.model.spec;
  using verifier = new Verifier(engine, rows, true);
  using sequence = engine.sequence([
    { tokens: prompt, times: 1 },
    { tokens: 1, times: rows + 3 },
  ], 0);
  const pass = sequence.addPass(verifier, rows);
  sequence.forward(idsOf(prompt, vocab, 1), 0);
  sequence.evict();
  const drafted = idsOf(rows, vocab, 7);
  const after = idsOf(1, vocab, 3);
  const last = () => {
    sequence.forward(after, 0);
    sequence.evict();
    const logits = sequence.logits();
    sequence.rewind(rows + 1);
    return logits;
  };
  const steps: Float32Array[] = [];
  const argmax: number[] = [];
  for (const id of drafted) {
    sequence.forward([id], 0);
    argmax.push(sequence.read().argmax);
    sequence.evict();
    steps.push(sequence.logits());
  }
  const afterSteps = last();
  sequence.run(pass, drafted);
  sequence.evict();
  const verified = sequence.logits();
  const predicted = pass.predicted();
  const afterVerified = last();
  const together = Float32Array.from(steps.flatMap((row) => [...row]));
  return { steps: together, verified, argmax, predicted, afterSteps, afterVerified };
}

for (const attention of ["fused", "explicit"] as const) {
  Deno.test(`a pass that verifies drafts has the bits of steps, and leaves the cache that they leave, ${attention}`, () => {
    for (const threads of [1, 2]) {
      using engine = engineOf(embeddedModel(), attention, threads);
      for (const rows of [2, 3, 5, 9]) {
        for (const prompt of [17, 96]) {
          const read = readings(engine, prompt, rows);
          deepEqual(read.verified, read.steps, `${threads} threads, ${rows} rows after ${prompt}`);
          deepEqual(read.predicted, read.argmax);
          deepEqual(read.afterVerified, read.afterSteps);
        }
      }
    }
  });
}

const ROOT = "tests/fixtures/tiny";

for (const { name } of Deno.readDirSync(ROOT)) {
  const model = openModelFolder(`${ROOT}/${name}`);
  const options = { dtype: "float32", device: "cpu", maxPositions: LONGEST } as const;
  if (verifierObstacle(model, options) !== undefined) continue;
  Deno.test(`a pass that verifies drafts has the bits of steps: ${name}`, () => {
    for (const attention of ["fused", "explicit"] as const) {
      if (attention === "fused" && fusedObstacle(model.spec, options) !== undefined) continue;
      using engine = engineOf(model, attention, 1);
      for (const rows of [2, 5]) {
        const read = readings(engine, 20, rows);
        deepEqual(read.verified, read.steps, `${attention}, ${rows} rows`);
        deepEqual(read.predicted, read.argmax);
      }
    }
  });
}

Deno.test("a verifier says why it cannot be made", () => {
  const dynamic = openModelFolder(`${ROOT}/llama-dynamic`);
  const obstacle = (maxPositions: number, device: "cpu" | "cuda" = "cpu") =>
    verifierObstacle(dynamic, { device, dtype: "float32", maxPositions });
  equal(obstacle(12), undefined);
  match(obstacle(13)!, /^beyond 12 tokens the model rotates/);
  equal(obstacle(12, "cuda"), undefined);
  const use = { device: "cuda", dtype: "float16", maxPositions: 12 } as const;
  match(verifierObstacle(dynamic, { ...use, kernels: "ort" })!, /^on CUDA only the project's kernels can, and ONNX/);
  const postNorm = openModelFolder(`${ROOT}/opt-post-norm`);
  match(verifierObstacle(postNorm, use)!, /^on CUDA only the project's kernels can, and it normalizes sums/);
  using engine = engineOf(dynamic, "fused", 1);
  throws(() => new Verifier(engine, 2, false), { name: "TypeError", message: /^Cannot verify drafts in one pass/ });
});

Deno.test("a pass that verifies nothing has no predictions", () => {
  using engine = engineOf(embeddedModel(), "fused", 1);
  using sequence = engine.sequence([{ tokens: 1, times: 1 }], 0);
  const pass = sequence.addPass(engine, 1);
  sequence.run(pass, [1]);
  throws(() => pass.predicted(), TypeError);
});
