import { DTYPES } from "../../util/dtype.ts";
import { LOAD_BYTES, MAX_HEAD_DIM } from "../../kernels/constants.ts";
import { type ModelSpec, shortestWindow } from "../spec.ts";
import type { StepOptions } from "./step_options.ts";

/**
 * Returns why the kernels of {@linkcode buildStep} cannot run a model's steps; undefined if they can.
 *
 * @example
 * ```ts
 * import { openModelFolder } from "../folder/model_folder.ts";
 * import { stepObstacle } from "./step_obstacle.ts";
 *
 * const { spec } = openModelFolder("lib/assets/novel-neox-8m");
 * console.log(stepObstacle(spec, { dtype: "float16", maxPositions: 2048 })); // undefined
 * ```
 *
 * @param spec The model.
 * @param options What a step is built for.
 * @returns The reason, without a full stop.
 */
export function stepObstacle(
  spec: ModelSpec,
  { dtype, maxPositions }: Pick<StepOptions, "dtype" | "maxPositions">,
): string | undefined {
  const perLoad = LOAD_BYTES / DTYPES[dtype].bytes;
  const { hidden, headDim, intermediate, heads, kvHeads, rope } = spec;
  if (spec.residual === "post" || spec.projected) return "it normalizes sums, or projects its embeddings";
  if (spec.window && maxPositions > shortestWindow(spec)) return "its sliding window is shorter than the text";
  const uneven = Object.entries({ hidden, headDim, intermediate, [`heads * headDim`]: heads * headDim })
    .find(([, size]) => size % perLoad);
  if (uneven) return `its ${uneven[0]}, ${uneven[1]}, is no multiple of ${perLoad}`;
  if (headDim > MAX_HEAD_DIM || heads / kvHeads > 64) return "its heads are too large, or too many to a KV head";
  if (rope?.growth && maxPositions > rope.growth.from) return "its rotary frequencies change with the text's length";
}
