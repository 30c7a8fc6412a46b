/**
 * `deno task bench:host`: times the host's own work, without the device's: the work between the steps of a GPU, and the
 * start of a run. The model has as many layers and heads as Pythia-2.8B, but narrow ones: the host's work depends on
 * their number only. `deno task bench:host --filter step` runs some of it.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { Eviction } from "../lib/cache/eviction.ts";
import { Keeper, tabulate } from "../lib/cache/schedule.ts";
import { buildDecoder } from "../lib/model/graph/decoder.ts";
import { openModelFolder } from "../lib/model/folder/model_folder.ts";
import { writeRandomModel } from "../lib/model/random_model.ts";
import { readSafetensorsHeader } from "../lib/model/folder/safetensors.ts";
import { SHAPES } from "../lib/model/shapes.ts";
import type { Ort } from "../lib/ort/ort.ts";
import type { Runtime } from "../lib/ort/runtime.ts";
import { checkPolicy } from "../lib/policies/check_policy.ts";
import { methods } from "../lib/policies/registry.ts";
import { BUDGET_METHODS, type BudgetMethodName } from "../lib/roofline/budget_methods.ts";
import { medianInterval } from "../lib/roofline/median_interval.ts";
import { Engine } from "../lib/engine/engine.ts";
import { evictionOptions } from "../lib/engine/engine_options.ts";
import { parseFlags } from "../lib/cli/flags/parse.ts";
import { InputBlock } from "../lib/engine/input_block.ts";
import { openRuntime } from "../lib/engine/open_runtime.ts";
import { openDataset } from "../lib/text/dataset.ts";
import { sampleTokens } from "../lib/text/samples.ts";
import { loadTokenizer } from "../lib/text/tokenizer.ts";

const BUDGET = 512;
const folder = Deno.makeTempDirSync({ prefix: "kvcompress_host_" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
writeRandomModel({ ...SHAPES["pythia-2.8b"], hidden_size: 256, intermediate_size: 256 }, folder);
const model = openModelFolder(folder);
const embedded = fromFileUrl(new URL("../lib/assets/novel-neox-8m", import.meta.url));
const opened = openRuntime("cpu");
const speedPasses = [{ tokens: 1500, times: 1 }, { tokens: 1, times: 499 }];
const qualityPasses = [{ tokens: 1, times: 2000 }];
const filled = [{ tokens: BUDGET, times: 1 }, { tokens: 1, times: 2 ** 20 }];

/** Returns the same runtime with a Run that does nothing, so that only the host's work remains. */
function idle({ ort, device, host }: Runtime): Runtime {
  const c = { ...ort.c, RunWithBinding: () => null };
  return { ort: Object.create(ort, { c: { value: c } }) as Ort, device, host };
}

/** Makes an engine with a full cache, and returns its step. */
function stepOf(method: BudgetMethodName | "baseline"): () => void {
  const policy = method === "baseline" ? methods.baseline() : BUDGET_METHODS[method](BUDGET);
  const runtime = idle(opened);
  const options = {
    dtype: "float32",
    attention: policy.attention ? "explicit" : "fused",
    maxPositions: 2048,
    table: tabulate(policy, model.spec, [], [filled]),
    score: policy.score,
    attentionUse: policy.attention,
  } as const;
  const eviction = new Eviction(runtime, model.spec, evictionOptions(options, model.spec));
  const engine = new Engine(runtime, model, options, eviction);
  const sequence = engine.sequence([{ tokens: BUDGET, times: 1 }, { tokens: 1, times: 1 }], 0);
  sequence.forward(new Array(BUDGET).fill(1), 0);
  sequence.evict();
  const ids = [1];
  return () => {
    // With the full cache, the new entry is removed again, so that the length stays. With a method, it replaces another
    // entry.
    if (method === "baseline") sequence.cache.held.fill(BUDGET);
    sequence.forward(ids, 0);
    sequence.evict();
    sequence.read();
  };
}

for (const method of ["baseline", "streaming_llm", "fix_size_l2", "random", "h2o", "tova", "snapkv"] as const) {
  let step: (() => void) | undefined;
  // Made in the first call, during the warm-up, so that --filter makes only the engines it selects.
  Deno.bench(`step: ${method}`, { group: "step", baseline: method === "baseline" }, () => {
    step ??= stepOf(method);
    step();
  });
}

const block = new InputBlock(opened.ort, opened.device, {
  input_ids: ["int64", [1]],
  drop_ranges: ["float32", [4, 32]],
  last_slot: ["int32", [1]],
});
const drop_ranges = new Float32Array(128);
Deno.bench("input block: fill and send", { group: "step" }, () => {
  block.array("input_ids")[0] = 1n;
  block.array("drop_ranges").set(drop_ranges);
  block.array("last_slot")[0] = 511;
  block.send("input_ids");
});

for (const method of ["streaming_llm", "pyramid_snapkv", "l2_compress"] as const) {
  const policy = BUDGET_METHODS[method](BUDGET);
  Deno.bench(`schedule: tabulate ${method}, 32 layers`, { group: "schedule" }, () => {
    tabulate(policy, model.spec, [0, 1], [qualityPasses, speedPasses]);
  });
  const table = tabulate(policy, model.spec, [0, 1], [qualityPasses, speedPasses]);
  Deno.bench(`schedule: groups of ${method}`, { group: "schedule" }, () => void new Keeper(table).groups());
}
const h2o = BUDGET_METHODS.h2o(BUDGET);
Deno.bench("schedule: check h2o at 2000 entries, 32 layers", { group: "schedule" }, () => {
  checkPolicy(h2o, { layers: 32, maxEntries: 2000 });
});

Deno.bench("model: header of 388 tensors", { group: "model" }, () => {
  readSafetensorsHeader(join(folder, "model.safetensors"));
});
Deno.bench("model: open the folder", { group: "model" }, () => void openModelFolder(folder));
for (const attention of ["fused", "explicit"] as const) {
  Deno.bench(`model: graph of 32 layers, ${attention}`, { group: "model" }, () => {
    buildDecoder(model, {
      dtype: "float16",
      device: "cuda",
      attention,
      maxPositions: 2048,
      rotate: "write",
      groups: new Array(32).fill(0),
    });
  });
}

const tokenizer = await loadTokenizer(embedded);
const { texts } = await openDataset({ dataset: "moby_dick" });
const { samples: [ids] } = await sampleTokens({ texts, tokenizer, samples: 1, tokensPerSample: 2001 });
const text = tokenizer.decode(ids!);
Deno.bench(`text: tokenize ${text.length} characters`, { group: "text" }, () => void tokenizer.encode(text));
Deno.bench("text: load the tokenizer", { group: "text" }, async () => void await loadTokenizer(embedded));
for (const successive of [true, false]) {
  Deno.bench(`text: 2 samples of 2001 tokens, ${successive ? "successive" : "spread"}`, { group: "text" }, async () => {
    const { texts } = await openDataset({ dataset: "moby_dick" });
    await sampleTokens({ texts, tokenizer, samples: 2, tokensPerSample: 2001, successive });
  });
}

const samples = Array.from({ length: 500 }, (_, i) => (i * 7919) % 1000);
Deno.bench("other: median of 500 steps", { group: "other" }, () => void medianInterval(samples));
Deno.bench("other: read the command line", { group: "other" }, () => {
  parseFlags(["--method", "fix_size_l2", "--fix_kv_sizes", "256,512"]);
});
