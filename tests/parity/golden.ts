/** Results of the Python benchmark that this project re-creates, and how a run is compared with them. */
import type { KvCache } from "../../lib/cache/kv_cache.ts";
import { type KeepTable, tabulate } from "../../lib/cache/schedule.ts";
import type { FloatType } from "../../lib/util/dtype.ts";
import type { AttentionForm } from "../../lib/model/graph/attention/attention_form.ts";
import { type ModelFolder, openModelFolder } from "../../lib/model/folder/model_folder.ts";
import type { Runtime } from "../../lib/ort/runtime.ts";
import { policyOf } from "../policies/_policy_of.ts";
import { Engine } from "../../lib/engine/engine.ts";
import type { Positions } from "../../lib/engine/numbering.ts";
import type { KernelChoice } from "../../lib/engine/kernel_choice.ts";
import { measureQuality, qualityPasses, type QualityResult } from "../../lib/run/measure/quality.ts";
import { perplexityLimitOf } from "./limits.ts";
import golden from "../fixtures/golden.json" with { type: "json" };

/** One run of the Python benchmark. */
export interface GoldenRun {
  readonly name: string;
  readonly method: string;
  readonly params: Record<string, number | string>;
  readonly skip_layers: readonly number[];
  readonly positions: string;
  readonly perplexity: number;
  readonly accuracy: number;
  readonly layer_cache_sizes: readonly number[];
  readonly nll: readonly number[];
}

export const goldenRuns = golden.results as unknown as readonly GoldenRun[];
export const goldenTokens: readonly number[] = golden.token_ids;
/** Their model. */
export const embeddedModel = (): ModelFolder =>
  openModelFolder(new URL("../../lib/assets/novel-neox-8m", import.meta.url).pathname);

/** A short name that no other run has. */
export const titleOf = (run: GoldenRun) =>
  `${run.name}, skip ${run.skip_layers.length ? run.skip_layers : "none"}, ${run.positions}`;

/** Sizes of a golden run's method, for all of its steps. */
export function tableOf(model: ModelFolder, run: GoldenRun): KeepTable {
  const policy = policyOf(run.method, run.params);
  return tabulate(policy, model.spec, run.skip_layers, [qualityPasses(run.nll.length)]);
}

/**
 * Runs what a golden run ran.
 *
 * @param between Called after each step with the number of steps so far, and the cache.
 */
export function rerun(
  runtime: Runtime,
  model: ModelFolder,
  run: GoldenRun,
  options: {
    readonly dtype: FloatType;
    readonly attention: AttentionForm;
    readonly kernels?: KernelChoice;
    readonly threads?: number;
  },
  between?: (steps: number, cache: KvCache) => void,
): QualityResult {
  const steps = run.nll.length;
  const policy = policyOf(run.method, run.params);
  const table = tableOf(model, run);
  using engine = new Engine(runtime, model, {
    ...options,
    positions: run.positions as Positions,
    maxPositions: steps,
    table,
    score: policy.score,
  });
  const ahead = between === undefined; // a caller that looks at the cache needs it as the step left it
  return measureQuality(engine, goldenTokens, steps, 1, (done, _, cache) => between?.(done, cache), ahead);
}

/** Whether a run's method chooses among entries by their norms. */
export const isChoosing = ({ method }: GoldenRun) => !["baseline", "recent_only", "streaming_llm"].includes(method);

/** Whether a run chooses by norms in the first layer too, where entries of the same token are tied: see run/parity.test.ts. */
export const isTied = (run: GoldenRun) => isChoosing(run) && !run.skip_layers.includes(0);

/**
 * Share that a run's perplexity may be off. With the Python benchmark's positions ties weigh more: perplexity explodes.
 */
export const perplexityLimit = (run: GoldenRun) => isTied(run) && run.positions === "seed" ? 3.5e-4 : 1e-4;

/**
 * Share that a run's perplexity may be off in a number type. In half precision choices differ, and the limit is what
 * rounding alone was seen to do to this run: see rounding_limits.ts.
 */
export const goldenLimit = (run: GoldenRun, dtype: FloatType) =>
  Math.max(perplexityLimit(run), perplexityLimitOf(titleOf(run), dtype, isChoosing(run)));

/** How far a result is from the Python benchmark's. */
export function compare(run: GoldenRun, result: QualityResult): {
  /** Largest difference of a step's NLL, nats. */
  readonly worst: number;
  /** Steps further off than 1e-3. */
  readonly off: readonly number[];
  /** Perplexity, relative. */
  readonly perplexity: number;
} {
  const differences = run.nll.map((nll, i) => Math.abs(nll - result.nll[i]!));
  return {
    worst: Math.max(...differences),
    off: differences.flatMap((difference, i) => difference > 1e-3 ? [i] : []),
    perplexity: result.perplexity / run.perplexity - 1,
  };
}
