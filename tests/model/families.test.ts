/** Logits of each family's tiny model against those of the reference implementation, transformers. */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import { fusedObstacle } from "../../lib/model/graph/attention/fused.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { Positions } from "../../lib/engine/numbering.ts";
import { fewTies, follow } from "../cache/_follow.ts";
import { pairs } from "../cache/_pairs.ts";
import { range, ReferenceCache } from "../reference/cache.ts";
import { asReference, CONVERTED, goldenOf, most, TINY } from "./_golden_logits.ts";
import { farthest, logitsOf, logitsOfEach, runtime } from "./_models.ts";
import { weightsOf } from "./_weights.ts";
import { SpecDecoder } from "../reference/spec.ts";

/** Methods by attention under which every family runs, and those for families whose query heads share KV heads. */
const BASIC = ["h2o"];
const SHARED = ["h2o", "tova", "snapkv", "keydiff"];
/** What config.json and the files of each must be read as: query heads, KV heads, head size, stored type. */
const FOLDERS: Readonly<Record<string, readonly [number, number, number, string]>> = {
  "gpt-neox-sequential": [4, 4, 16, "float32"],
  "llama-gqa": [4, 2, 16, "float16"],
  "llama3-rope-scaling": [4, 1, 32, "float32"],
  qwen2: [4, 2, 16, "bfloat16"],
  qwen3: [4, 2, 32, "float32"],
  gpt2: [4, 4, 16, "float32"],
  phi: [4, 4, 16, "float32"],
  opt: [4, 4, 16, "float32"],
  "mistral-window": [4, 2, 8, "bfloat16"],
  "qwen2-windows": [4, 2, 8, "bfloat16"],
  gemma: [4, 1, 16, "float16"],
  "opt-post-norm": [4, 4, 8, "float16"],
  "llama-dynamic": [4, 2, 8, "float16"],
};

for (const [name, [heads, kvHeads, headDim, dtype]] of Object.entries(FOLDERS)) {
  const model = asReference(openModelFolder(new URL(name, TINY).pathname), name);
  const { spec } = model;
  const { ids, nll, argmax, runs } = goldenOf(name);
  const canFuse = (tokens: number) => !fusedObstacle(spec, { dtype: "float32", device: "cpu", maxPositions: tokens });
  const forms = canFuse(ids.length) ? ["fused", "explicit"] as const : ["explicit"] as const;

  // The reference computed in float32 from the weights as stored, and so does this test: their type loses nothing.
  Deno.test(`${name} gives the reference's logits in each form, however the tokens are cut into passes`, () => {
    deepEqual([spec.heads, spec.kvHeads, spec.headDim], [heads, kvHeads, headDim]);
    equal([...model.tensors.values()][0]!.dtype, dtype);
    for (const attention of forms) {
      const got = logitsOfEach(model, ids, Object.values(runs).map(([passes]) => passes), attention);
      Object.entries(runs).forEach(([how, [, logits]], i) => {
        const difference = farthest(got[i]!, logits) / Math.max(1, most(logits));
        ok(difference < 1e-5, `${attention}, ${how}: off by ${difference}`);
      });
    }
  });

  Deno.test(`${name} gives the reference's NLL and argmax`, () => {
    const sequence = run(name, model, forms[0]);
    deepEqual(sequence.map(({ argmax }) => argmax), argmax);
    sequence.slice(0, -1).forEach((step, i) => ok(Math.abs(step.nll - nll[i]!) < 1e-4, `step ${i}: NLL ${step.nll}`));
  });

  Deno.test(`${name} keeps what the methods' definitions do, and gives the logits of it`, () => {
    const weights = weightsOf(model);
    const methods = kvHeads < heads ? SHARED : BASIC;
    // A plain decoder that gives the reference's logits replaces it when entries are dropped.
    const cache = new ReferenceCache({ layers: spec.layers, heads, kvHeads }, { keep: () => "all" });
    const whole = new SpecDecoder(spec, weights, cache);
    const [, stepwise] = runs.stepwise!;
    for (const [i, id] of ids.slice(0, 12).entries()) {
      const off = farthest([whole.step(id, true).logits], [stepwise[i]!]) / Math.max(1, most(stepwise));
      ok(off < 1e-5, `the plain decoder is off by ${off} after ${i + 1} tokens`);
    }
    const followed = (method: string, attention: AttentionForm, positions: Positions = "absolute") => {
      const { nearTies, choices } = follow({
        model,
        weights,
        ...pairs(8).find(({ name }) => name === method)!,
        // No token comes twice: in the first layer its keys would have the same norm.
        ids: range(0, 20).map((i) => (5 + 7 * i) % spec.vocab),
        passes: [7, 6, ...new Array<number>(7).fill(1)],
        attention,
        positions,
        logits: 1e-5 * Math.max(1, most(stepwise)),
      });
      fewTies(nearTies, choices);
    };
    for (const method of methods) followed(method, "explicit");
    for (const method of ["streaming_llm", "fix_size_l2"]) followed(method, canFuse(20) ? "fused" : "explicit");
    if (spec.rope) followed("h2o_l2", "explicit", "cache");
  });

  if (spec.rope && !spec.rope.growth) {
    Deno.test(`${name} gives the same with positions in the cache while nothing is evicted`, () => {
      const inCache = run(name, model, "explicit", "cache");
      inCache.slice(0, -1).forEach((step, i) => ok(Math.abs(step.nll - nll[i]!) < 1e-4, `step ${i}: ${step.nll}`));
    });
  }
}

Deno.test("half-precision checkpoints are within 1e-2 of a reference whose frequencies were rounded too", () => {
  for (const name of CONVERTED) {
    const { ids, runs: { prefill } } = goldenOf(name);
    const [, logits] = prefill!;
    const difference = farthest(logitsOf(new URL(name, TINY).pathname, ids), logits) / most(logits);
    ok(difference < 1e-2, `${name}: off by ${difference}`);
  }
});

/** Every step of a folder's tokens, nothing evicted. */
function run(name: string, model: ModelFolder, attention: AttentionForm, positions: Positions = "absolute") {
  const { ids } = goldenOf(name);
  using engine = new Engine(runtime(), model, {
    dtype: "float32",
    attention,
    positions,
    maxPositions: ids.length,
    table: { layers: range(0, model.spec.layers).map(() => []) },
    threads: 1,
  });
  using sequence = engine.sequence([{ tokens: 1, times: ids.length }], 0);
  return ids.map((id, i) => {
    sequence.forward([id], ids[i + 1] ?? 0);
    sequence.evict();
    return sequence.read();
  });
}
