/**
 * What eviction costs: one entry of each head in the steady state. If nothing is dropped, results are equal to the last
 * bit.
 */
import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { type PassGroup, tabulate } from "../../lib/cache/schedule.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Policy } from "../../lib/policies/policy.ts";
import { methodNames, methods } from "../../lib/policies/registry.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { EngineOptions } from "../../lib/engine/engine_options.ts";
import { goldenTokens } from "../parity/golden.ts";
import { configOf, neox, randomWeights, storedWeights, temporaryFolder, writeModel } from "../model/_models.ts";
import { runtime } from "./_device.ts";
import { embedded } from "./_embedded.ts";
import { stretchesOf } from "./_follow.ts";

/** Every method with room for 12 entries in all layers, and for `scale` times as many. */
const policies = (scale = 1): Record<string, Policy> => {
  const n = (size: number) => size * scale;
  return {
    recent_only: methods.recent_only({ window_size: n(12) }),
    streaming_llm: methods.streaming_llm({ start_size: n(2), recent_size: n(10) }),
    fix_size_l2: methods.fix_size_l2({ fix_kv_size: n(12), keep_ratio: 0.25 }),
    "fix_size_l2, random": methods.fix_size_l2({ fix_kv_size: n(12), strategy: "random" }),
    l2_compress: methods.l2_compress({ keep_ratio: 0.95, prune_after: n(12) }),
    h2o_l2: methods.h2o_l2({ start_size: n(2), heavy_hitter_size: n(4), recent_size: n(6) }),
    snapkv_lite: methods.snapkv_lite({ keep_size: n(12), observation_window: n(3), pooling_kernel: 3 }),
    pyramid_kv: methods.pyramid_kv({ base_size: n(12), min_size: n(12) }),
    adaptive_l2: methods.adaptive_l2({ target_size: n(20), soft_limit: n(12), hard_limit: n(40) }),
    h2o: methods.h2o({ heavy_size: n(6), recent_size: n(6) }),
    tova: methods.tova({ cache_size: n(12) }),
    snapkv: methods.snapkv({ cache_size: n(12), observation_window: n(3) }),
    pyramid_snapkv: methods.pyramid_snapkv({ cache_size: n(12), observation_window: n(4), beta: 1 }),
    keydiff: methods.keydiff({ cache_size: n(12), recent_size: n(4) }),
  };
};

type Form = Pick<EngineOptions, "attention" | "positions" | "trace" | "threads">;

const forms = (policy: Policy): Form[] => [
  ...(policy.attention ? [] : [{ attention: "fused" } as const]),
  { attention: "explicit" },
  { attention: "explicit", positions: "cache" },
  { attention: "explicit", trace: true },
];

Deno.test("every method is here", () => {
  const here = new Set(Object.values(policies()).map(({ method }) => method));
  deepEqual([...here].sort(), methodNames.filter((name) => name !== "baseline").sort());
});

/** A small random model, for properties that hold whatever the numbers are. */
function withSmallModel(test: (model: ModelFolder) => void): void {
  const shape = neox({ layers: 3, hidden: 32, heads: 2, rotary: 8 });
  using folder = temporaryFolder();
  test(openModelFolder(writeModel(folder.path, configOf(shape), storedWeights(shape, randomWeights(shape)))));
}

function engineOf(
  model: ModelFolder,
  policy: Policy,
  skip: readonly number[],
  sequence: readonly PassGroup[],
  options: Form,
) {
  return new Engine(runtime(), model, {
    dtype: "float32",
    maxPositions: 128,
    table: tabulate(policy, model.spec, skip, [sequence]),
    score: policy.score,
    attentionUse: policy.attention,
    ...options,
  });
}

Deno.test("in the steady state one entry of each head moves in a step, whatever the method and form", () => {
  withSmallModel((model) => {
    const { layers, kvHeads } = model.spec;
    for (const [name, policy] of Object.entries(policies())) {
      for (const form of forms(policy)) {
        for (const [prompt, skip] of [[1, []], [30, [1]]] as const) {
          const sequence = stretchesOf([prompt, ...new Array<number>(30).fill(1)]);
          const acting = layers - skip.length;
          using engine = engineOf(model, policy, skip, sequence, { ...form, threads: 1 });
          using run = engine.sequence(sequence, 0);
          let [before, copied] = [0, 0];
          sequence.forEach(({ tokens }, step) => {
            run.forward(new Array<number>(tokens).fill(step), 0);
            run.evict();
            const held = run.cache.held[0]!;
            const moved = run.cache.copied - copied;
            if (held === before + tokens) equal(moved, 0, `${name}: nothing is dropped`);
            // Single entries where that is enough; else all kept entries are moved once.
            else equal(moved, acting * kvHeads * (tokens === 1 && held === before ? 1 : held), `${name}, ${held} held`);
            [before, copied] = [held, run.cache.copied];
          });
          ok(copied > 0);
        }
      }
    }
  });
});

/** NLL and argmax of each step over Moby Dick, as far as a small vocabulary allows. */
function stepsOf(model: ModelFolder, policy: Policy, steps: number, skip: readonly number[], form: Form): number[][] {
  const sequence = [{ tokens: 1, times: steps }];
  using engine = engineOf(model, policy, skip, sequence, form);
  using run = engine.sequence(sequence, 0);
  const ids = goldenTokens.map((id) => id % model.spec.vocab);
  return Array.from({ length: steps }, (_, i) => {
    run.forward([ids[i]!], ids[i + 1]!);
    run.evict();
    const { nll, argmax } = run.read();
    return [nll, argmax];
  });
}

Deno.test("a budget at least as large as the text gives the baseline's numbers, bit for bit", () => {
  const compare = (model: ModelFolder, form: Form, names: readonly string[]) => {
    const baseline = stepsOf(model, methods.baseline(), 24, [], form);
    for (const name of names) {
      const policy = policies(2)[name]!;
      if (policy.attention && form.attention === "fused") continue;
      deepEqual(stepsOf(model, policy, 24, [], form), baseline, name);
    }
  };
  withSmallModel((model) => {
    for (const form of forms(methods.baseline())) compare(model, form, Object.keys(policies()));
  });
  for (const attention of ["fused", "explicit"] as const) {
    compare(embedded.model, { attention }, ["streaming_llm", "h2o"]);
  }
  // The same until the first entry is dropped: the nodes after the decoder that drop it change nothing.
  const [all, some] = [methods.baseline(), policies()["h2o_l2"]!].map((policy) =>
    stepsOf(embedded.model, policy, 16, [], { attention: "fused" })
  );
  deepEqual(some!.slice(0, 13), all!.slice(0, 13));
  notDeepEqual(some, all);
});

Deno.test("fused and explicit attention agree while entries are dropped", () => {
  for (const name of ["streaming_llm", "fix_size_l2", "keydiff"]) {
    // In the first layer the same token has the same norm, and rounding decides.
    const [fused, explicit] = (["fused", "explicit"] as const).map((attention) =>
      stepsOf(embedded.model, policies(3)[name]!, 90, [0], { attention })
    );
    fused!.forEach(([nll], i) => {
      const off = Math.abs(nll! - explicit![i]![0]!);
      ok(off < 1e-4, `${name}, step ${i}: off by ${off}`);
    });
  }
});
