import { type KernelChoice, kernelObstacle, type KernelUse } from "../../engine/kernel_choice.ts";
import { InputError } from "../../util/errors.ts";
import type { ModelFolder } from "../../model/folder/model_folder.ts";

/**
 * Which of a run's configurations cannot have the project's own kernels, where `--kernels own` asks for them.
 *
 * @param requests The configurations.
 * @param maxPositions The most tokens that a text has.
 * @param isControl Which of them are control groups.
 * @returns Name → reason; none where they are not asked for.
 * @throws {InputError} If nothing but control groups is left.
 */
export function unsupportedByKernels(
  model: ModelFolder,
  requests: readonly (Omit<KernelUse, "maxPositions"> & { readonly name: string; readonly kernels: KernelChoice })[],
  maxPositions: number,
  isControl: readonly boolean[],
): Map<string, string> {
  const refused = new Map<string, string>();
  let isWhole = true;
  requests.forEach(({ name, kernels, device, dtype, score }, i) => {
    if (kernels !== "own") return void (isWhole = false);
    const obstacle = kernelObstacle(model, { device, dtype, maxPositions, score });
    if (obstacle !== undefined) refused.set(name, `--kernels own: ${obstacle}`);
    else if (!isControl[i] || isControl.every(Boolean)) isWhole = false;
  });
  const [first] = [...refused.values()].toReversed();
  if (first !== undefined && isWhole) {
    throw new InputError(
      `Cannot use ${first}; auto takes ONNX Runtime's kernels where the project's own cannot be used`,
    );
  }
  return refused;
}
