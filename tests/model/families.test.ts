/** Logits of each family's tiny model against those of the reference implementation, transformers. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { tabulate } from "../../lib/cache/schedule.ts";
import type { AttentionForm } from "../../lib/model/attention.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/model_folder.ts";
import { policyOf } from "../../lib/policies/registry.ts";
import { Engine, type Positions } from "../../lib/run/engine.ts";
import { farthest, logitsOf, runtime } from "./_models.ts";

const TINY = new URL("../fixtures/tiny/", import.meta.url);
/** What config.json and the files of each have to be taken for: query heads, KV heads, head size, stored type. */
const FOLDERS: Readonly<Record<string, readonly [number, number, number, string]>> = {
  "llama-gqa": [4, 2, 16, "float16"],
  "llama3-rope-scaling": [4, 1, 32, "float32"],
  qwen2: [4, 2, 16, "bfloat16"],
  qwen3: [4, 2, 32, "float32"],
  gpt2: [4, 4, 16, "float32"],
  phi: [4, 4, 16, "float32"],
  opt: [4, 4, 16, "float32"],
};
const LEARNED = ["gpt2", "opt"];
const PASSES = { prefill: [48], stepwise: new Array<number>(48).fill(1), mixed: [20, 1, 1, 9, 17] };

/** What the reference gave for a folder's model. */
function goldenOf(name: string): { ids: number[]; logits: Float32Array[]; nll: number[]; argmax: number[] } {
  const { input_ids, logits_shape: [rows, vocab], nll, argmax } = JSON.parse(
    Deno.readTextFileSync(new URL(`${name}/golden.json`, TINY)),
  );
  const numbers = new Float32Array(Deno.readFileSync(new URL(`${name}/golden_logits.f32`, TINY)).buffer);
  const logits = Array.from({ length: rows }, (_, i) => numbers.subarray(i * vocab, (i + 1) * vocab));
  return { ids: input_ids, logits, nll, argmax };
}

for (const [name, [heads, kvHeads, headDim, dtype]] of Object.entries(FOLDERS)) {
  const model = asReference(openModelFolder(new URL(name, TINY).pathname));
  const { ids, logits, nll, argmax } = goldenOf(name);

  // The reference computed in float32 from the weights as stored, and so does this: nothing is lost to their type.
  Deno.test(`${name} gives the reference's logits, fused and explicit, however the tokens are cut into passes`, () => {
    const { spec } = model;
    deepEqual([spec.heads, spec.kvHeads, spec.headDim], [heads, kvHeads, headDim]);
    equal([...model.tensors.values()][0]!.dtype, dtype);
    for (const attention of ["fused", "explicit"] as const) {
      for (const [how, passes] of Object.entries(PASSES)) {
        const difference = farthest(logitsOf(model, ids, passes, attention), logits);
        ok(difference < 1e-4, `${attention}, ${how}: off by ${difference}`);
      }
    }
  });

  Deno.test(`${name} gives the reference's NLL and argmax`, () => {
    const course = run(name, model, "fused", { method: "baseline", params: {} });
    deepEqual(course.map(({ argmax }) => argmax), argmax);
    course.slice(0, -1).forEach((step, i) => ok(Math.abs(step.nll - nll[i]!) < 1e-4, `step ${i}: NLL ${step.nll}`));
  });

  Deno.test(`${name} gives the same fused and explicit when entries are evicted`, () => {
    for (
      const [method, params] of [
        ["streaming_llm", { start_size: 2, recent_size: 9 }],
        ["fix_size_l2", { fix_kv_size: 12, keep_ratio: 0.2, strategy: "keep_low" }],
      ] as const
    ) {
      const [fused, explicit] = (["fused", "explicit"] as const).map((form) =>
        run(name, model, form, { method, params })
      );
      const worst = Math.max(...fused!.map(({ nll }, i) => Math.abs(nll - explicit![i]!.nll)));
      ok(worst < 1e-4, `${method}: off by ${worst}`);
      // What was evicted is missed.
      ok(Math.abs(fused![40]!.nll - nll[40]!) > 1e-3);
    }
  });

  if (!LEARNED.includes(name)) {
    Deno.test(`${name} gives the same with positions in the cache while nothing is evicted`, () => {
      const inCache = run(name, model, "explicit", { method: "baseline", params: {} }, "cache");
      inCache.slice(0, -1).forEach((step, i) => ok(Math.abs(step.nll - nll[i]!) < 1e-4, `step ${i}: ${step.nll}`));
    });
  }
}

/**
 * A model as the reference's was: converted to the stored type and back, the table of rotary frequencies with it. Who
 * loads such weights has float32's frequencies, and what that changes is measured below.
 */
function asReference(model: ModelFolder): ModelFolder {
  const { spec, tensors } = model;
  if (!spec.rope) return model;
  const { dtype } = [...tensors.values()][0]!;
  const frequencies = spec.rope.frequencies.map((f) =>
    dtype === "float16" ? Math.f16round(f) : dtype === "bfloat16" ? bfloat16(f) : f
  );
  return { ...model, spec: { ...spec, rope: { ...spec.rope, frequencies } } };
}

/** Rounds to the nearest, ties to even. */
function bfloat16(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0] = (bits[0]! + 0x7fff + (bits[0]! >>> 16 & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0]!;
}

Deno.test("half-precision checkpoints are within 1e-2 of a reference whose frequencies were rounded too", () => {
  for (const name of ["llama-gqa", "qwen2"]) {
    const { ids, logits } = goldenOf(name);
    const largest = Math.max(...logits.map((row) => Math.max(...row.map(Math.abs))));
    const difference = farthest(logitsOf(new URL(name, TINY).pathname, ids), logits) / largest;
    ok(difference < 1e-2, `${name}: off by ${difference}`);
  }
});

/** Every step of a policy over a folder's tokens. */
function run(
  name: string,
  model: ModelFolder,
  attention: AttentionForm,
  { method, params }: { method: string; params: Readonly<Record<string, number | string>> },
  positions: Positions = "absolute",
): { nll: number; argmax: number }[] {
  const { ids } = goldenOf(name);
  const policy = policyOf(method, { ...params });
  const stretches = [{ tokens: 1, times: ids.length }];
  using engine = new Engine(runtime(), model, {
    dtype: "float32",
    attention,
    positions,
    maxPositions: ids.length,
    table: tabulate(policy, model.spec, [], [stretches]),
    score: policy.score,
    threads: 1,
  });
  using course = engine.course(stretches, 0);
  return ids.map((id, i) => {
    course.forward([id], ids[i + 1] ?? 0);
    course.evict();
    return course.read();
  });
}
