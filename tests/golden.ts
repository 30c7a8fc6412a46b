/** The original implementation's results, and how a run of ours is held against them. */
import { tabulate } from "../lib/cache/schedule.ts";
import type { FloatType } from "../lib/dtype.ts";
import type { AttentionForm } from "../lib/model/attention.ts";
import { type ModelFolder, openModelFolder } from "../lib/model/model_folder.ts";
import type { Runtime } from "../lib/ort/runtime.ts";
import { policyOf } from "../lib/policies/registry.ts";
import { Engine, type Positions } from "../lib/run/engine.ts";
import { measureQuality, qualityCourse, type QualityResult } from "../lib/run/quality.ts";
import golden from "./fixtures/golden.json" with { type: "json" };

/** One run of the original. */
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
/** The model they are of. */
export const embeddedModel = (): ModelFolder =>
  openModelFolder(new URL("../lib/assets/novel-neox-8m", import.meta.url).pathname);

/** A short name that no other run has. */
export const titleOf = (run: GoldenRun) =>
  `${run.name}, skip ${run.skip_layers.length ? run.skip_layers : "none"}, ${run.positions}`;

/** Runs what a golden run ran. */
export function rerun(
  runtime: Runtime,
  model: ModelFolder,
  run: GoldenRun,
  options: { readonly dtype: FloatType; readonly attention: AttentionForm },
): QualityResult {
  const steps = run.nll.length;
  const policy = policyOf(run.method, run.params);
  const table = tabulate(policy, model.spec, run.skip_layers, [qualityCourse(steps)]);
  using engine = new Engine(runtime, model, {
    ...options,
    positions: run.positions as Positions,
    maxPositions: steps,
    table,
    score: policy.score,
  });
  return measureQuality(engine, goldenTokens, steps, 1);
}

/** How far a result is from the original's. */
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
