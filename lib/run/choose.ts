/**
 * What "auto" stands for.
 *
 * @module
 */
import type { FloatType } from "../dtype.ts";
import { InputError } from "../errors.ts";
import type { AttentionForm } from "../model/attention.ts";
import { fusedObstacle } from "../model/attention_fused.ts";
import type { ModelFolder } from "../model/model_folder.ts";

/**
 * The type that weights, activations and cache have: float32 on the CPU; on CUDA as the weights are stored.
 *
 * @param wanted As asked for.
 * @param model The model.
 * @param device What the run is on.
 * @returns The type.
 * @throws {InputError} If the device does not compute in the type asked for.
 */
export function chooseDtype(wanted: "auto" | FloatType, model: ModelFolder, device: "cuda" | "cpu"): FloatType {
  if (device === "cpu") {
    if (wanted === "auto" || wanted === "float32") return "float32";
    throw new InputError(`Cannot use --dtype ${wanted} on the CPU: float32 is what it computes in, whatever is stored`);
  }
  if (wanted !== "auto") return wanted;
  const stored = model.tensors.get(model.spec.embedding)?.dtype;
  return stored === "float32" || stored === "bfloat16" ? stored : "float16";
}

/**
 * The form of attention: fused wherever there is such a kernel.
 *
 * @param wanted As asked for.
 * @param dtype The type computed in.
 * @param model The model.
 * @param device What the run is on.
 * @returns The form.
 * @throws {InputError} If "fused" is asked for and there is no such kernel.
 */
export function chooseAttention(
  wanted: "auto" | AttentionForm,
  dtype: FloatType,
  { spec }: ModelFolder,
  device: "cuda" | "cpu",
): AttentionForm {
  const obstacle = fusedObstacle(spec, { dtype, device });
  if (wanted === "fused" && obstacle) throw new InputError(`Cannot use --attention fused: ${obstacle}`);
  return wanted === "auto" ? (obstacle ? "explicit" : "fused") : wanted;
}
