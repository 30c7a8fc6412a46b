import type { FloatType } from "../util/dtype.ts";
import { compileScore } from "../kernels/drop_program.ts";
import type { ModelFolder } from "../model/folder/model_folder.ts";
import { stepObstacle } from "../model/step/step_obstacle.ts";
import type { Score } from "../policies/score.ts";

/** Whose kernels run decode steps: the project's own, ONNX Runtime's, or, by "auto", the own ones where they can. */
export type KernelChoice = "auto" | "own" | "ort";

/** Whose kernels run decode steps; on CUDA, where others could be thought to, why not the project's own. */
export interface KernelsUsed {
  readonly kernels: "own" | "ort";
  readonly kernels_reason?: string;
}

/** What decides whether the project's own kernels can be used. */
export interface KernelUse {
  readonly device: "cuda" | "cpu";
  readonly dtype: FloatType;
  /** The most tokens that a text has. */
  readonly maxPositions: number;
  readonly score?: Score | undefined;
}

/**
 * Why the project's own kernels cannot run a model's decode steps; undefined where they can, as far as can be told without
 * a GPU.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../model/folder/model_folder.ts";
 * import { keys, mul, sumOver, values } from "../policies/score.ts";
 * import { kernelObstacle } from "./kernel_choice.ts";
 *
 * const model = openModelFolder("lib/assets/novel-neox-8m");
 * const use = { device: "cuda", dtype: "float16", maxPositions: 2000 } as const;
 * const score = sumOver("dim", mul(keys, values));
 * console.log(kernelObstacle(model, use), kernelObstacle(model, { ...use, score }));
 * // undefined "the method's score is none that the eviction kernel knows"
 * ```
 *
 * @param model The model.
 * @param use What is to be run.
 * @returns The reason, without a full stop; "its" and "it" are the model's.
 */
export function kernelObstacle(model: ModelFolder, { device, score, ...options }: KernelUse): string | undefined {
  if (device !== "cuda") return "they run on CUDA only";
  if (model.export) return "an ONNX export has its own graph";
  return stepObstacle(model.spec, options) ?? scoreObstacle(score);
}

/** Why a score cannot be computed by them. */
function scoreObstacle(score: Score | undefined): string | undefined {
  return compileScore(score) ? undefined : "the method's score is none that the eviction kernel knows";
}
