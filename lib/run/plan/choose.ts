/**
 * Choices that "auto" stands for.
 *
 * @module
 */
import type { FloatType } from "../../util/dtype.ts";
import { numberingOf } from "../../engine/numbering.ts";
import { InputError } from "../../util/errors.ts";
import type { AttentionForm } from "../../model/graph/attention/attention_form.ts";
import { fusedObstacle } from "../../model/graph/attention/fused.ts";
import type { OnnxExport } from "../../model/export/onnx_export.ts";
import type { ModelFolder } from "../../model/folder/model_folder.ts";
import { featuresOf } from "../../policies/score.ts";
import type { MadeConfiguration } from "./configuration.ts";

/**
 * Chooses the type of weights, activations and cache: float32 on the CPU; on CUDA the type of the stored weights.
 *
 * @param wanted The type asked for.
 * @param model The model.
 * @param device The run's device.
 * @returns The type.
 * @throws {InputError} If the device does not compute in the type asked for.
 */
export function chooseDtype(wanted: "auto" | FloatType, model: ModelFolder, device: "cuda" | "cpu"): FloatType {
  if (model.export) return exportedDtype(wanted, model.export);
  if (device === "cpu") {
    if (wanted === "auto" || wanted === "float32") return "float32";
    throw new InputError(`Cannot use --dtype ${wanted} on the CPU: it computes in float32, whatever type is stored`);
  }
  if (wanted !== "auto") return wanted;
  const stored = model.tensors.get(model.spec.embedding)?.dtype;
  return stored === "float32" || stored === "bfloat16" ? stored : "float16";
}

/** Type of an export: the one it was made for, on any device. */
function exportedDtype(wanted: "auto" | FloatType, { step: { path, signature: { cache } } }: OnnxExport): FloatType {
  if (wanted === "auto" || wanted === cache) return cache;
  throw new InputError(
    `Cannot use --dtype ${wanted} with ${path}: its cache is ${cache}; export it in ${wanted}, or leave --dtype out`,
  );
}

/**
 * Chooses the form of attention: fused if such a kernel exists and the configuration can use it.
 *
 * @param wanted The form asked for.
 * @param dtype The type computed in.
 * @param model The model.
 * @param device The run's device.
 * @param configuration The configuration to measure.
 * @param maxPositions The most tokens of any text.
 * @returns The form; "export" for an ONNX export, which has its own.
 * @throws {InputError} If "fused" is asked for and cannot be used.
 */
export function chooseAttention(
  wanted: "auto" | AttentionForm,
  dtype: FloatType,
  { spec, export: exported }: ModelFolder,
  device: "cuda" | "cpu",
  { name, policy: { score }, positions }: MadeConfiguration,
  maxPositions: number,
): AttentionForm | "export" {
  if (exported) return "export";
  if (wanted === "explicit") return wanted;
  const obstacle = fusedObstacle(spec, { dtype, device, maxPositions });
  if (wanted === "fused" && obstacle) throw new InputError(`Cannot use --attention fused: ${obstacle}`);
  const need = score && featuresOf(score).has("attention")
    ? "it keeps entries by the attention they are paid, which the fused kernel does not show"
    : numberingOf(positions ?? "absolute", false).rotate === "read"
    ? "keys at positions in the cache are rotated as they are read, which the fused kernel does not do"
    : undefined;
  if (wanted === "fused" && need) {
    throw new InputError(`Cannot use --attention fused with ${name}: ${need}; leave it to auto, or give explicit`);
  }
  return obstacle || need ? "explicit" : "fused";
}
