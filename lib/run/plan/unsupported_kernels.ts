import { type KernelChoice, kernelObstacle, type KernelUse } from "../../engine/kernel_choice.ts";
import { InputError } from "../../util/errors.ts";
import type { ModelFolder } from "../../model/folder/model_folder.ts";

/**
 * Finds the configurations of a run that cannot use the project's own kernels, if `--kernels own` asks for them.
 *
 * @param requests The configurations.
 * @param maxPositions The most tokens of any text.
 * @param isControl Which of them are control groups.
 * @returns Name → reason; empty if the project's own kernels are not required.
 * @throws {InputError} If only control groups are left.
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
