/**
 * A step with the project's kernels, all of it except the CUDA code: its graph, its operators, where weights lie,
 * eviction, inputs and outputs, with the kernels in plain loops. Compared with the CPU's decoder.
 */
import { Reason } from "../../lib/util/reason.ts";
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { tabulate } from "../../lib/cache/schedule.ts";
import type { ModelFolder } from "../../lib/model/folder/model_folder.ts";
import { openModelFolder } from "../../lib/model/folder/model_folder.ts";
import { definePolicy, type Policy } from "../../lib/policies/policy.ts";
import { methods } from "../../lib/policies/registry.ts";
import * as s from "../../lib/policies/score.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import type { Positions } from "../../lib/engine/numbering.ts";
import { pairs } from "../cache/_pairs.ts";
import { embeddedModel } from "../parity/golden.ts";
import {
  configOf,
  farthest,
  neox,
  randomWeights,
  runtime,
  storedWeights,
  temporaryFolder,
  writeModel,
} from "../model/_models.ts";
import { geluTanh } from "../reference/neox.ts";
import { ReferenceKernels } from "../reference/step.ts";

const TINY = new URL("../fixtures/tiny/", import.meta.url);
const tiny = (name: string) => openModelFolder(new URL(name, TINY).pathname);

/** Folders, and why some have no kernels for a text of 34 tokens. */
const FAMILIES: Readonly<Record<string, string | undefined>> = {
  "gpt-neox-sequential": undefined,
  "llama-gqa": undefined,
  "llama3-rope-scaling": undefined,
  qwen2: undefined,
  qwen3: undefined,
  gpt2: undefined,
  phi: undefined,
  opt: undefined,
  "mistral-window": "its sliding window is shorter than the text",
  "qwen2-windows": "its sliding window is shorter than the text",
  gemma: undefined,
  "opt-post-norm": "it normalizes sums, or projects its embeddings",
  "llama-dynamic": "its rotary frequencies change with the text's length",
};

interface Run {
  readonly model: ModelFolder;
  readonly policy: Policy;
  /** Tokens of each pass. */
  readonly passes: readonly number[];
  readonly positions?: Positions;
  /** Whether to return which entries are held; this needs what is kept of each entry. */
  readonly trace?: boolean;
}

/** Returns the results of a run, with the given kernels or the CPU's. */
function run({ model, policy, passes, positions = "absolute", trace = true }: Run, kernels?: EngineOptions["kernels"]) {
  const { spec } = model;
  const tokens = passes.reduce((a, b) => a + b);
  // No token comes twice: in the first layer its keys would have the same norm.
  const ids = Array.from({ length: tokens + 1 }, (_, i) => (5 + 7 * i) % spec.vocab);
  const passGroups = passes.map((tokens) => ({ tokens, times: 1 }));
  using engine = new Engine(runtime(), model, {
    dtype: "float32",
    attention: "explicit",
    positions,
    maxPositions: tokens,
    table: tabulate(policy, spec, [], [passGroups]),
    score: policy.score,
    attentionUse: policy.attention,
    trace,
    threads: 1,
    logits: true,
    kernels,
  });
  using sequence = engine.sequence(passGroups, 3);
  const steps = [];
  let at = 0;
  for (const tokens of passes) {
    sequence.forward(ids.slice(at, at += tokens), ids[at]!);
    sequence.evict();
    const { nll, argmax } = sequence.read();
    steps.push({ nll, argmax, logits: sequence.logits(), held: trace ? sequence.cache.heldPositions() : [] });
  }
  return { steps, copied: sequence.cache.copied, used: engine.steps instanceof Reason ? engine.steps.text : "own" };
}

/** Runs both and compares them; returns how often each kernel was called. */
function compare(wanted: Run, limit = 2e-5) {
  const kernels = new ReferenceKernels();
  const own = run(wanted, () => kernels), ort = run(wanted);
  equal(own.used, "own");
  equal(ort.used, "they run on CUDA only");
  equal(own.copied, ort.copied);
  own.steps.forEach(({ nll, argmax, logits, held }, i) => {
    const expected = ort.steps[i]!;
    const most = Math.max(1, ...expected.logits.map(Math.abs));
    deepEqual(held, expected.held, `what is held after pass ${i}`);
    const off = farthest([logits], [expected.logits]) / most;
    ok(off < limit, `pass ${i}: logits are off by ${off}`);
    ok(Math.abs(nll - expected.nll) < limit * most, `pass ${i}: NLL ${nll}, not ${expected.nll}`);
    equal(argmax, expected.argmax);
  });
  return kernels.calls;
}

const byName = (name: string) => pairs(8).find((pair) => pair.name === name)!.policy;
const ones = (times: number) => new Array<number>(times).fill(1);
/** A prompt and steps, or steps alone. */
const PROMPT = [13, ...ones(14)], STEPS = ones(22);

Deno.test("every tiny model is here", () => {
  deepEqual([...Deno.readDirSync(TINY)].map(({ name }) => name).sort(), Object.keys(FAMILIES).sort());
});

for (const [name, obstacle] of Object.entries(FAMILIES)) {
  if (obstacle !== undefined) {
    Deno.test(`${name} cannot use the project's kernels, and says why`, () => {
      const model = tiny(name);
      const long = { model, policy: methods.baseline(), passes: [33, 1] };
      equal(run(long, () => new ReferenceKernels()).used, obstacle);
      throws(() => run(long, "own"), /^InputError: Cannot use --kernels own: they run on CUDA only; auto takes ONNX/);
    });
  }
  if (obstacle !== undefined && !/shorter|length/.test(obstacle)) continue;
  Deno.test(`${name} gives the decoder's logits with the project's kernels${obstacle ? ", of a short text" : ""}`, () => {
    const model = tiny(name);
    const { layers, residual, rope } = model.spec;
    const passes = obstacle ? [4, 1, 1, 1] : PROMPT;
    const { attend, linear, heads } = compare({ model, policy: byName("h2o"), passes });
    const steps = passes.length - 1;
    equal(attend, steps * layers);
    // The prompt's, unless heads are normalized before they are rotated.
    equal(heads, model.spec.block(0).attention.headNorms ? 0 : layers);
    equal(linear, steps * (1 + layers * (residual === "parallel" ? 2 : 4)));
    if (rope && !obstacle) compare({ model, policy: byName("h2o_l2"), passes: STEPS, positions: "cache" });
  });
}

/** Eight entries, by a score of keys and values, and of attention. */
const byScore = (score: s.Score): Policy =>
  definePolicy({
    name: "by_score",
    params: { size: 8 },
    keep: ({ size }) => ({ entries }) => entries > size ? { sink: 1, heavy: size - 3, recent: 2 } : "all",
    score: () => score,
    attention: () => ({ from: "all", accumulate: true }),
  })();

/** As bench/examples/own_method.ts has it. */
const valueAware = { name: "value_aware", policy: byScore(s.mul(s.attention, s.sumOver("dim", s.abs(s.values)))) };

for (const { name, policy } of [...pairs(8), valueAware]) {
  Deno.test(`${name} holds and gives the same with the project's kernels`, () => {
    const model = tiny("llama-gqa");
    const { drop } = compare({ model, policy, passes: PROMPT });
    equal(drop, PROMPT.length - 1);
    compare({ model: tiny("gpt-neox-sequential"), policy, passes: STEPS, positions: "cache" });
  });
}

for (
  const [name, score] of Object.entries({
    "norms of values": s.normOver("dim", s.values),
    "means of keys": s.meanOver("dim", s.keys),
    "largest elements of keys": s.maxOver("dim", s.abs(s.keys)),
    "products of values with their mean": s.sumOver("dim", s.mul(s.values, s.meanOver("entries", s.values))),
  })
) {
  Deno.test(`a score by ${name} holds and gives the same with the project's kernels`, () => {
    compare({ model: tiny("llama-gqa"), policy: byScore(score), passes: PROMPT });
  });
}

Deno.test("a sum carried on from step to step is made anew where several entries came and went at once", () => {
  const passes = [20, 1, 1, 1, 5, 1, 1, 1, 1];
  compare({ model: tiny("llama-gqa"), policy: byName("keydiff"), passes });
  // If nothing is kept of entries, a prompt's pass has no step case at all.
  const bare = { model: tiny("llama-gqa"), policy: byName("keydiff"), passes, trace: false };
  compare(bare);
});

Deno.test("a score that is no program falls back, and says why", () => {
  const policy = byScore(s.sumOver("dim", s.mul(s.keys, s.values)));
  const { used } = run({ model: tiny("llama-gqa"), policy, passes: PROMPT }, () => new ReferenceKernels());
  equal(used, "the eviction kernel cannot compute the method's score");
});

Deno.test("parallel blocks, tanh, heads that are all rotated, and a tied output give the same", () => {
  const shape = neox({ hidden: 64, heads: 4, intermediate: 96, rotary: 16, tied: true, activation: geluTanh });
  using folder = temporaryFolder();
  const model = openModelFolder(writeModel(folder.path, configOf(shape), storedWeights(shape, randomWeights(shape))));
  equal(model.spec.residual, "parallel");
  compare({ model, policy: byName("snapkv"), passes: PROMPT, positions: "cache" });
  compare({ model, policy: byName("tova"), passes: STEPS });
});

Deno.test("the embedded model gives the same, with nothing evicted, and by seed positions", () => {
  const model = embeddedModel();
  equal(compare({ model, policy: methods.baseline(), passes: [9, 1, 1, 1] }).drop, 0);
  compare({ model, policy: byName("fix_size_l2"), passes: ones(14), positions: "seed" });
});
