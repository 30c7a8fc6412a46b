import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { tabulate } from "../../lib/cache/schedule.ts";
import { writeRandomModel } from "../../lib/model/random_model.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import { keys, mul, sumOver, values } from "../../lib/policies/score.ts";
import type { KernelChoice } from "../../lib/engine/kernel_choice.ts";
import { unsupportedByKernels } from "../../lib/run/plan/unsupported_kernels.ts";
import { makePlan } from "../../lib/run/plan/plan.ts";
import { qualityPasses } from "../../lib/run/measure/quality.ts";
import { highestPosition, positionsNote } from "../../lib/run/plan/highest_position.ts";
import { speedPasses } from "../../lib/run/measure/speed_passes.ts";
import { embeddedModel } from "../parity/golden.ts";
import { temporaryFolder } from "../model/_models.ts";

const streaming = methods.streaming_llm({ start_size: 4, recent_size: 60 });
const sequences = [qualityPasses(5000), speedPasses({ promptTokens: 100, newTokens: 20 })];
const reaches = (policy: Policy, skip: number[]) => {
  const table = tabulate(policy, { layers: 4 }, skip, sequences);
  return (["absolute", "cache", "seed"] as const).map((positions) => highestPosition(positions, table, sequences));
};

Deno.test("highestPosition() counts what each way of numbering tokens counts", () => {
  // In the cache: the prompt's 100 entries, before they are cut down. A skipped layer holds everything.
  deepEqual(reaches(streaming, []), [5000, 100, 100]);
  deepEqual(reaches(streaming, [2]), [5000, 5000, 100]);
  deepEqual(reaches(streaming, [0]), [5000, 5000, 5000]);
  deepEqual(reaches(methods.baseline(), []), [5000, 5000, 5000]);
  // Layer 0 holds 64 + 1 of its own, layer 3 twice that.
  const byLayer: Policy = {
    ...streaming,
    keep: ({ layer, entries }) => entries > 200 + 50 * layer ? { sink: 0, heavy: 0, recent: 200 + 50 * layer } : "all",
  };
  deepEqual(reaches(byLayer, []), [5000, 351, 201]);
});

Deno.test("positionsNote() names the configurations that go too far", () => {
  const note = (...last: number[]) => positionsNote(last.map((last, i) => ({ name: `c${i}`, last })), 2048);
  equal(note(2048, 512), undefined);
  match(note(2049, 512)!, /^Positions go to 2049 in c0, the model was trained for 2048: quality falls off there\. /);
  match(note(2049, 512, 3000)!, /^Positions go to 3000 in c0, c2, /);
  match(note(2049, 3000)!, /^Positions go to 3000 in all configurations, /);
});

Deno.test("makePlan() says which configurations number tokens beyond the model's training", async () => {
  const notes: string[] = [];
  const { isLong, requests } = await makePlan({
    configurations: [
      { name: "baseline", policy: methods.baseline() },
      { name: "streaming", policy: streaming },
    ],
    positions: ["absolute", "cache"],
    skip_layers: [],
    device: "cpu",
    num_samples: 1,
    max_tokens: 2100,
    prompt_tokens: 8,
    max_new_tokens: 2,
    output: null,
    onNote: (note) => notes.push(note),
  });
  equal(isLong, true);
  deepEqual(requests.map(({ name, attention }) => [name, attention]), [
    ["baseline", "fused"],
    ["streaming@absolute", "fused"],
    ["streaming@cache", "explicit"],
  ]);
  equal(notes.length, 1);
  match(notes[0]!, /^Positions go to 2100 in baseline, streaming@absolute, the model was trained for 2048/);
});

Deno.test("makePlan() has a model with a sliding window mask it in texts that are longer, and says so", async () => {
  using folder = temporaryFolder();
  const sizes = { hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 };
  const rest = { intermediate_size: 16, vocab_size: 4096, sliding_window: 64 };
  writeRandomModel({ model_type: "mistral", ...sizes, ...rest }, folder.path);
  const tokenizer = new URL("../../lib/assets/novel-neox-8m/tokenizer.json", import.meta.url);
  Deno.copyFileSync(tokenizer, `${folder.path}/tokenizer.json`);
  const planned = async (max_tokens: number, attention: "auto" | "fused") => {
    const notes: string[] = [];
    const { requests } = await makePlan({
      configurations: [{ name: "baseline", policy: methods.baseline() }, { name: "streaming", policy: streaming }],
      model_id: folder.path,
      skip_layers: [],
      device: "cpu",
      num_samples: 1,
      max_tokens,
      prompt_tokens: 8,
      max_new_tokens: 2,
      attention,
      output: null,
      onNote: (note) => notes.push(note),
    });
    return [...requests.map(({ attention }) => attention), ...notes];
  };
  deepEqual(await planned(64, "auto"), ["fused", "fused"]);
  const [first, second, note] = await planned(65, "auto");
  deepEqual([first, second], ["explicit", "explicit"]);
  match(note!, /^Texts have up to 65 tokens, of which the model sees 64 at a time \(sliding_window\): /);
  await rejects(planned(65, "fused"), {
    name: "InputError",
    message: /^Cannot use --attention fused: the fused kernel counts the model's sliding window of 64 tokens by slots/,
  });
});

Deno.test("makePlan() refuses --kernels own where they cannot be used, before anything is measured", async () => {
  const configurations = [{ name: "baseline", policy: methods.baseline() }];
  const small = { num_samples: 1, max_tokens: 20, prompt_tokens: 8, max_new_tokens: 2, output: null };
  const of = (kernels: KernelChoice) => makePlan({ configurations, device: "cpu", kernels, ...small });
  await rejects(of("own"), /^InputError: Cannot use --kernels own: they run on CUDA only; auto takes ONNX Runtime's/);
  for (const kernels of ["auto", "ort"] as const) equal((await of(kernels)).requests[0]!.kernels, kernels);
});

Deno.test("unsupportedByKernels() leaves out what cannot have them, and is an error where nothing would be left", () => {
  const model = embeddedModel();
  const request = (name: string, policy: Policy, kernels: KernelChoice) =>
    ({ name, kernels, device: "cuda", dtype: "float16", score: policy.score }) as const;
  const own = { ...methods.keydiff({ cache_size: 256, recent_size: 64 }), score: sumOver("dim", mul(keys, values)) };
  const h2o = methods.h2o({ heavy_size: 128, recent_size: 128 });
  const of = (kernels: KernelChoice, policies: Record<string, Policy>, maxPositions = 2000) => {
    const requests = Object.entries(policies).map(([name, policy]) => request(name, policy, kernels));
    return [...unsupportedByKernels(model, requests, maxPositions, requests.map(({ name }) => name === "baseline"))];
  };
  const why = "--kernels own: the eviction kernel cannot compute the method's score";
  deepEqual(of("own", { baseline: methods.baseline(), own, h2o }), [["own", why]]);
  deepEqual(of("own", { baseline: methods.baseline() }), []);
  for (const kernels of ["auto", "ort"] as const) deepEqual(of(kernels, { baseline: methods.baseline(), own }), []);
  throws(
    () => of("own", { baseline: methods.baseline(), own }),
    /^InputError: Cannot use --kernels own: the eviction kernel/,
  );
});
