import type { FloatType } from "../util/dtype.ts";
import { compileScore } from "../kernels/drop_program.ts";
import type { ModelFolder } from "../model/folder/model_folder.ts";
import { stepObstacle } from "../model/step/step_obstacle.ts";
import type { Score } from "../policies/score.ts";

/** Whose kernels run decode steps: the project's own, ONNX Runtime's, or with "auto" the project's own if possible. */
export type KernelChoice = "auto" | "own" | "ort";

/** Whose kernels run decode steps; on CUDA, if not the project's own, the reason. */
export interface KernelsUsed {
  readonly kernels: "own" | "ort";
  readonly kernels_reason?: string;
}

/** What decides whether the project's own kernels can be used. */
export interface KernelUse {
  readonly device: "cuda" | "cpu";
  readonly dtype: FloatType;
  /** The most tokens of any text. */
  readonly maxPositions: number;
  readonly score?: Score | undefined;
}

/**
 * Returns why the project's own kernels cannot run a model's decode steps; undefined if they can, as far as that can be
 * told without a GPU.
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
 * // undefined "the eviction kernel cannot compute the method's score"
 * ```
 *
 * @param model The model.
 * @param use What to run.
 * @returns The reason, without a full stop; "its" and "it" refer to the model.
 */
export function kernelObstacle(model: ModelFolder, { device, score, ...options }: KernelUse): string | undefined {
  if (device !== "cuda") return "they run on CUDA only";
  if (model.export) return "an ONNX export has its own graph";
  return stepObstacle(model.spec, options) ?? scoreObstacle(score);
}

/** Why the project's own kernels cannot compute a score. */
function scoreObstacle(score: Score | undefined): string | undefined {
  return compileScore(score) ? undefined : "the eviction kernel cannot compute the method's score";
}
