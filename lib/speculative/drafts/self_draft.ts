import { tabulateAll } from "../../cache/schedule.ts";
import { Engine } from "../../engine/engine.ts";
import type { CacheView } from "../../model/graph/attention/view.ts";
import { shortestWindow } from "../../model/spec.ts";
import { BUDGET_MAKERS, type BudgetMethodName } from "../../methods/at_budget.ts";
import { checkPolicy } from "../../policies/check_policy.ts";
import type { Policy } from "../../policies/policy.ts";
import { chooseAttention } from "../../run/plan/choose.ts";

/**
 * Returns a method's policy at a budget.
 *
 * @example
 * ```ts
 * import { policyAt } from "./self_draft.ts";
 *
 * console.log(policyAt("tova", 64, 8, 500).params); // { cache_size: 64 }
 * ```
 *
 * @param method The method.
 * @param entries The budget.
 * @param layers Layers of the model: all of them are compressed.
 * @param tokens Tokens of the text.
 */
export function policyAt(method: BudgetMethodName, entries: number, layers: number, tokens: number): Policy {
  const acting = Array.from({ length: layers }, (_, layer) => layer);
  return BUDGET_MAKERS[method](entries, { layers, acting, tokens });
}

/**
 * Returns what a step of a policy sees as a view of a full cache, if it can be one: the policy keeps the same first and
 * last entries in all layers, and once it acts, always as many. A step sees these and its own.
 *
 * @example
 * ```ts
 * import { methods } from "../../policies/registry.ts";
 * import { viewOf } from "./self_draft.ts";
 *
 * console.log(viewOf(methods.streaming_llm({ start_size: 4, recent_size: 60 }), 8, 500)); // { sink: 4, recent: 61 }
 * console.log(viewOf(methods.tova({ cache_size: 64 }), 8, 500)); // undefined
 * ```
 *
 * @param policy The policy.
 * @param layers Layers of the model.
 * @param most The most entries of the full cache.
 */
export function viewOf(policy: Policy, layers: number, most: number): CacheView | undefined {
  let kept: { readonly sink: number; readonly recent: number } | undefined;
  for (let layer = 0; layer < layers; layer++) {
    for (let entries = 1; entries <= most; entries++) {
      const sizes = policy.keep({ layer, layers, entries });
      if (sizes === "all") {
        if (kept && entries > kept.sink + kept.recent) return undefined;
        continue;
      }
      const { sink, heavy, recent } = sizes;
      kept ??= { sink, recent };
      if (heavy !== 0 || sink !== kept.sink || recent !== kept.recent) return undefined;
    }
  }
  return kept && { sink: kept.sink, recent: kept.recent + 1 };
}

/**
 * Whether steps of an engine can see a part of its cache: see {@linkcode ViewModel}. With the project's own kernels they
 * do not: a second cache of the budget's size and captured steps take less time than general operators over a view.
 */
export function canView(
  { eviction: { acting }, options: { maxPositions }, model: { spec }, ownSteps }: Engine,
): boolean {
  return !ownSteps && acting.length === 0 && maxPositions <= shortestWindow(spec);
}

/**
 * Loads an engine with a target's weights, under a policy that drafts.
 *
 * @param target The target's engine; dispose of it later.
 * @param policy The policy.
 * @param most The most entries that a layer may hold.
 * @param sampled Whether it returns logits.
 * @throws {InputError} If the policy is impossible at a count.
 */
export function selfEngine(target: Engine, policy: Policy, most: number, sampled: boolean): Engine {
  const { runtime, model, options: { dtype, maxPositions, threads, kernels } } = target;
  checkPolicy(policy, { layers: model.spec.layers, maxEntries: most });
  const configuration = { name: policy.method, policy };
  return new Engine(runtime, model, {
    dtype,
    attention: chooseAttention("auto", dtype, model, runtime.device.kind, configuration, maxPositions),
    maxPositions,
    threads,
    kernels,
    sharedWeights: target.weights,
    table: tabulateAll(policy, model.spec, most),
    score: policy.score,
    attentionUse: policy.attention,
    logits: sampled ? "last" : false,
  });
}
