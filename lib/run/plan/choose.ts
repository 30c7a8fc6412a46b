/**
 * Choices that "auto" stands for.
 *
 * @module
 */
import { FLOAT_TYPES, type FloatType } from "../../util/dtype.ts";
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
 * @param flag Which flag asks for it, for messages.
 * @returns The type.
 * @throws {InputError} If the device does not compute in the type asked for.
 */
export function chooseDtype(
  wanted: "auto" | FloatType,
  model: ModelFolder,
  device: "cuda" | "cpu",
  flag: "--dtype" | "--dtypes" = "--dtype",
): FloatType {
  if (model.export) return exportedDtype(wanted, model.export, flag);
  if (device === "cpu") {
    if (wanted === "auto" || wanted === "float32") return "float32";
    throw new InputError(`Cannot use ${flag} ${wanted} on the CPU: it computes in float32, whatever type is stored`);
  }
  if (wanted !== "auto") return wanted;
  const stored = model.tensors.get(model.spec.embedding)?.dtype;
  return stored === "float32" || stored === "bfloat16" ? stored : "float16";
}

/**
 * Lists the types that a model can be computed in, and says which are missing.
 *
 * @example
 * ```ts
 * import { availableDtypes } from "./choose.ts";
 * import { openModelFolder } from "../../model/folder/model_folder.ts";
 *
 * console.log(availableDtypes(openModelFolder("lib/assets/novel-neox-8m"), "cpu").dtypes); // [ "float32" ]
 * ```
 *
 * @param model The model.
 * @param device The run's device.
 * @returns The types, the widest first, and a sentence about those that are missing; undefined if all are there.
 */
export function availableDtypes(
  model: ModelFolder,
  device: "cuda" | "cpu",
): { readonly dtypes: readonly FloatType[]; readonly missing: string | undefined } {
  if (model.export) {
    const { path, signature: { cache } } = model.export.step;
    const missing = `${path} is an ONNX export, which has its own type: only ${cache} is measured; ` +
      "the model's safetensors files have all types on a GPU";
    return { dtypes: [cache], missing };
  }
  if (device === "cuda") return { dtypes: FLOAT_TYPES, missing: undefined };
  return {
    dtypes: ["float32"],
    missing: "The CPU computes in float32, whatever type is stored: float16 and bfloat16 are not measured; " +
      "they need a GPU",
  };
}

/** Type of an export: the one it was made for, on any device. */
function exportedDtype(
  wanted: "auto" | FloatType,
  { step: { path, signature: { cache } } }: OnnxExport,
  flag: string,
): FloatType {
  if (wanted === "auto" || wanted === cache) return cache;
  throw new InputError(
    `Cannot use ${flag} ${wanted} with ${path}: its cache is ${cache}; export it in ${wanted}, or leave ${flag} out`,
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
